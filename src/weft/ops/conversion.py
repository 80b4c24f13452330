"""Between data types: casts, the end of a history, and the parts of a complex number."""

from __future__ import annotations

import warnings
from typing import Any

from numpy.exceptions import ComplexWarning

from weft.errors import DTypeError
from weft.graph.dtype import DType, complex64, complex128, float32, float64
from weft.graph.op import Op, set_conversions, unchanged
from weft.graph.spec import Spec
from weft.ops.engine import jnp, lax
from weft.ops.rules import broadcast, refusing, same

REAL = {complex64: float32, complex128: float64}


def as_real(x: Spec) -> Spec:
    """The rule of a real result of any number."""
    return Spec(x.shape, REAL.get(x.dtype, x.dtype))


def _to(x: Spec, *, dtype: DType) -> Spec:
    if x.dtype.kind == "complex" and dtype.kind not in ("complex", "bool"):
        raise DTypeError(
            f"{x.dtype.name} as {dtype.name}, which would drop the imaginary part", cure="x.real, or wf.abs(x)"
        )
    return Spec(x.shape, dtype)


cast = Op(
    "cast",
    shape=_to,
    lower=lambda x, *, dtype: (x != 0) if dtype.kind == "bool" else x.astype(dtype.numpy),
    vjp=lambda g, y, x, *, dtype: (g,),
    exact="whole",
)

set_conversions(cast=lambda x, to: cast(x, dtype=to))

detach = Op("detach", shape=same, lower=lambda x: x, exact="moves")  # no rule: this is where gradients stop

real = Op(
    "real",
    shape=as_real,
    takes=unchanged,
    lower=jnp.real,
    vjp=lambda g, y, x: (g,),
    exact="moves",
    operands="x",
    doc="The real part of each element.",
    example=("[1 + 2j]", "[1.0]"),
)
imag = Op(
    "imag",
    shape=refusing("bool", "int", "uint", rule=as_real),
    takes=unchanged,
    lower=jnp.imag,
    vjp=lambda g, y, x: (g * -1j if x.node.spec.dtype.kind == "complex" else None,),
    exact="moves",
    operands="x",
    doc="The imaginary part of each element; 0 for real numbers.",
    example=("[1 + 2j]", "[2.0]"),
)
conj: Op = Op(
    "conj",
    shape=same,
    lower=lambda x: jnp.conj(x) if x.dtype.kind == "c" else x,
    vjp=lambda g, y, x: (conj(g),),
    exact="moves",
    operands="x",
    doc="The complex conjugate of each element: a + bi becomes a − bi.",
    example=("[1 + 2j]", "[(1-2j)]"),
)


def _complex(a: Spec, b: Spec) -> Spec:
    both = broadcast(a, b)
    return Spec(both.shape, complex128 if both.dtype is float64 else complex64)


def _complex_lower(a: Any, b: Any) -> Any:
    parts = jnp.broadcast_arrays(a, b)
    return lax.complex(*(x if x.dtype == "float64" else x.astype("float32") for x in parts))


complex_of = Op(
    "complex",
    shape=refusing("bool", "int", "uint", "complex", rule=_complex),
    lower=_complex_lower,
    vjp=lambda g, y, a, b: (real(g), real(g * 1j)),
    operands="x1 x2",
    doc="The complex numbers with these real and imaginary parts.",
    example=("[1.0]; [2.0]", "[(1+2j)]"),
)


def converted(x: Any, to: DType) -> Any:
    """``x`` in the type that an argument ``dtype`` asks for; of complex numbers the real part, with NumPy's warning."""
    if x.dtype.kind == "complex" and to.kind not in ("complex", "bool"):
        warnings.warn(f"{x.dtype.name} as {to.name}: the imaginary part is dropped", ComplexWarning, stacklevel=3)
        x = real(x)
    return x if x.dtype is to else cast(x, dtype=to)
