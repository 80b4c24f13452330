"""What can be made of a function: gradients in both modes, Jacobians, batches, recomputation."""

from weft.transforms.checkpointing import checkpoint
from weft.transforms.custom import custom_gradient
from weft.transforms.forward import hvp, jvp
from weft.transforms.jacobian import hessian, jacobian
from weft.transforms.mapping import vmap
from weft.transforms.reverse import grad, value_and_grad, vjp
from weft.transforms.structure import as_tracked
from weft.transforms.tracked import backward, gradients, no_grad

__all__ = [
    "as_tracked",
    "backward",
    "checkpoint",
    "custom_gradient",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "value_and_grad",
    "vjp",
    "vmap",
]
