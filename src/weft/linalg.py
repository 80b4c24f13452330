"""Linear algebra, by the names of the Python Array API standard: ``wf.linalg.solve(a, b)``.

Every function takes stacks of matrices in the last two axes, real or complex, and has gradients of any order where
the mathematics has. 16-bit numbers are computed with in 32 bits.
"""

from weft.ops.decompositions import QRResult, cholesky, qr
from weft.ops.determinants import SlogdetResult, det, slogdet
from weft.ops.eigen import EighResult, EigResult, eig, eigh, eigvals, eigvalsh
from weft.ops.linalg import cross, matmul, outer, tensordot, vecdot
from weft.ops.manipulation import matrix_transpose
from weft.ops.matrices import diagonal, trace
from weft.ops.norms import matrix_norm, vector_norm
from weft.ops.powers import expm, matrix_power
from weft.ops.pseudoinverse import LstsqResult, lstsq, matrix_rank, pinv
from weft.ops.singular import SVDResult, svd, svdvals
from weft.ops.solvers import inv, solve, solve_triangular

__all__ = [
    "EigResult",
    "EighResult",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
