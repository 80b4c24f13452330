"""Weft: neural networks from tensors to trustworthy training."""
from weft.tensor import Tensor, tensor
from weft.ops.elementwise import *
from weft.ops.creation import *
from weft.ops.reduction import *
from weft.ops.linalg import matmul, einsum
from weft.transforms import *
from weft.runtime.explanation import explain
