"""Tensor: the handle a person holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np

from weft.errors import ArgumentError, DTypeError, GradientError, NoAxesError, ShapeError
from weft.graph import op as graph_op
from weft.graph.dtype import DType
from weft.graph.dtype import dtype as data_type
from weft.graph.node import Node, leaf, set_handle_class, wrap
from weft.graph.recording import Trace, context, whereabouts
from weft.graph.source import Place, user_source
from weft.methods import Methods
from weft.operators import Operators
from weft.ops import conversion, linalg, subscript
from weft.ops import manipulation as arranging
from weft.ops.placement import shard_op
from weft.runtime import devices, dlpack
from weft.runtime.ingest import leaf_of
from weft.runtime.log import Log, run
from weft.runtime.mesh import Axes, Mesh, Placement, axes_of, place_of

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


class Tensor(Operators, Methods):
    """An array of numbers that records what is computed with it, and computes when a value is needed.

    Made by `weft.tensor`, `weft.zeros`, … and by every operation. Its value is read by ``print``, ``float``,
    ``.numpy()``, ``.item()`` or iteration; until then operations are only recorded.

    >>> import weft as wf
    >>> x = wf.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0, 6.0]
    """

    __slots__ = ("_grad", "_requires_grad")
    __array_priority__ = 1000
    __array_ufunc__ = None  # so that NumPy leaves array + tensor to us
    __pandas_priority__ = 5000  # above a DataFrame's: so that pandas leaves column + tensor to us
    __hash__ = object.__hash__

    def __init__(self, data: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> None:
        self._adopt(leaf_of(data, dtype, device))
        if requires_grad:
            self.requires_grad_()

    def _adopt(self, node: Node) -> None:
        self.node = node
        self._grad: Tensor | None = None
        self._requires_grad = False

    # ── what it is ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.spec.shape

    @property
    def dtype(self) -> DType:
        return self.node.spec.dtype

    @property
    def ndim(self) -> int:
        return len(self.node.spec.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.node.spec.size

    @property
    def nbytes(self) -> int:
        return self.node.spec.nbytes

    @property
    def device(self) -> devices.Place:
        owner = self.node.recording
        if isinstance(owner, Log):
            return owner.device
        data = self.node.data
        return (
            place_of(data) if hasattr(data, "device") and not isinstance(data, np.ndarray) else devices.default_device()
        )

    @property
    def placement(self) -> Axes:
        """Along which axes of its mesh each axis is divided; None where it is whole. Computes the value."""
        return axes_of(run(self.node), self.ndim)

    @property
    def T(self) -> Tensor:  # noqa: N802
        """The transpose of a matrix."""
        return linalg.transpose(self)

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The last two axes exchanged."""
        return arranging.matrix_transpose(self)

    @property
    def real(self) -> Tensor:
        return conversion.real(self)

    @property
    def imag(self) -> Tensor:
        return conversion.imag(self)

    # ── its value ───────────────────────────────────────────────────────────────────────────────────────────

    def numpy(self) -> np.ndarray:
        """The value as a read-only NumPy array; computes it if it has none yet."""
        value = run(self.node)
        if isinstance(value, np.ndarray):
            view = value.view()
            view.flags.writeable = False
            return view
        return np.asarray(value, self.dtype.numpy)

    to_numpy = numpy  # the name by which matplotlib asks

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number."""
        if self.size != 1:
            raise ShapeError(
                f"a Python number from a tensor of shape {self.shape}",
                expected="exactly one element",
                cure=".mean(), .sum(), an index, or .tolist()",
            )
        return self.numpy().reshape(()).item()

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype) if copy or copy is None else np.asarray(self.numpy(), dtype)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape}", expected="exactly one element", cure=".any() or .all()"
            )
        return bool(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if not self.dtype.is_integer:
            raise DTypeError(f"a {self.dtype.name} tensor as an index", expected="an integer", cure="int(x)")
        return int(self.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise NoAxesError("len() of a tensor without axes", cure=".size, which is 1")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise NoAxesError("iteration over a tensor without axes", cure=".item()")
        return (self[k] for k in range(self.shape[0]))

    def __repr__(self) -> str:
        name, op = type(self).__name__, self.node.op
        facts = f"shape={self.shape}, dtype={self.dtype.name}"
        made = ", requires_grad=True" if self.requires_grad else f", from {op.name}" if op is not None else ""
        if isinstance(self.node.recording, Trace):
            return f"{name}(not computed: being recorded, {facts}{made})"
        text = np.array2string(self.numpy(), precision=4, separator=", ", prefix=f"{name}(", threshold=200)
        return f"{name}({text}, {facts}, device={self.device}{made})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # ── exchange with other libraries ────────────────────────────────────────────────────────────────────────

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The module of the functions that the Array API standard names."""
        import weft

        if api_version not in (None, *API_VERSIONS):
            raise ArgumentError(f"the Array API standard {api_version}", expected="one of " + ", ".join(API_VERSIONS))
        return weft

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule of the value, for ``from_dlpack`` of another library."""
        return dlpack.exported(run(self.node), stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind and number of the device, as DLPack counts them."""
        return dlpack.device_of(run(self.node))

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The same value on another device."""
        if stream is not None:
            raise ArgumentError(f"to_device with stream={stream!r}", expected="None: the engine orders its own work")
        return self.to(devices.as_place(device))

    # ── conversion ──────────────────────────────────────────────────────────────────────────────────────────

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """The same numbers in another data type; tensors never change, so ``copy`` makes no difference."""
        to = data_type(dtype)
        return self if to is self.dtype else conversion.cast(self, dtype=to)

    def to(self, of: Any, *axes: Any) -> Tensor:
        """On another device (``"gpu:0"``) or on a mesh of devices, or in another data type.

        On a mesh, ``axes`` says for each axis of the tensor along which axis of the mesh it is divided; None, or
        nothing, leaves it whole. In the midst of a computation there, this is a wish that the partitioner fulfils.
        """
        if isinstance(of, DType):
            return self.astype(of)
        chosen = devices.as_place(of)
        if isinstance(chosen, Mesh):
            return self._on_mesh(Placement(chosen, chosen.divided(axes, self.shape)))
        if axes:
            raise ArgumentError(f"x.to({str(chosen)!r}, …)", expected="a mesh, whose axes can divide a tensor")
        if chosen == self.device:
            return self
        return Tensor(run(self.node), device=chosen)

    def _on_mesh(self, where: Placement) -> Tensor:
        """Divided so, by an entry of the recording or, where there is a value elsewhere, by moving it."""
        recording = self.node.recording
        if isinstance(context.recording, Trace):
            return shard_op(self, on=where)
        if isinstance(recording, Log) and recording.device == where.mesh:
            with context.set(recording=recording):
                return shard_op(self, on=where)
        moved = leaf(where.mesh.put(run(self.node), where.axes), self.node.spec)
        return wrap(moved)

    def detach(self) -> Tensor:
        """The same value without history: gradients stop here."""
        return conversion.detach(self)

    # ── copies that Python makes ────────────────────────────────────────────────────────────────────────────

    # A history belongs to the session that recorded it, and a node knows its tensor: neither is copied field by field.

    def __copy__(self) -> Tensor:
        copied: Tensor = self.copy()
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        made = memo[id(self)] = beside(np.array(self.numpy()), self)
        return made.requires_grad_(self._requires_grad)

    def __reduce__(self) -> tuple[Any, ...]:
        if type(self) is not Tensor:
            raise ArgumentError(
                f"a pickle of a {type(self).__name__}",
                expected="a plain tensor: the parts of a model belong to it",
                cure='wf.save(model, "model.weft"), or p.numpy() for the numbers alone',
            )
        return _unpickled, (self.numpy(), self._requires_grad)

    # ── gradients ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def requires_grad(self) -> bool:
        """Whether ``backward`` leaves a gradient in ``.grad``."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        self.requires_grad_(required)

    def requires_grad_(self, required: bool = True) -> Tensor:
        """Track what is computed from this tensor from now on (or, with False, no longer)."""
        if required and not self.dtype.is_differentiable:
            raise DTypeError(
                f"a gradient with respect to a {self.dtype.name} tensor",
                expected="floating-point numbers: integers have no derivative",
                cure="x.astype(wf.float32)",
            )
        if required != self._requires_grad:
            self._requires_grad = required
            self.node = self._leaf(self)
        return self

    def _leaf(self, value: Tensor) -> Node:
        """A new leaf for this tensor with another one's value."""
        node = context.recording.alias(value, tracked=self._requires_grad)
        node.owner = ref(self) if self._requires_grad else None
        return node

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` has accumulated; None before the first and after clearing it."""
        recording = context.recording
        if isinstance(recording, Trace):
            recording.touch_grad(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and value.node.spec is not self.node.spec:
            raise ShapeError(f"a gradient {value.node.spec!r} for a tensor {self.node.spec!r}", expected="equal specs")
        recording = context.recording
        if isinstance(recording, Trace):
            recording.touch_grad(self)
        self._grad = value

    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Add to ``.grad`` of every tensor that requires one the gradient of this tensor, which is usually a loss.

        A tensor of several elements needs ``gradient``, the vector of the vector-Jacobian product.
        """
        from weft.transforms import backward

        backward(self, gradient, create_graph=create_graph)

    # ── assignment ──────────────────────────────────────────────────────────────────────────────────────────

    def assign(self, value: Any) -> Tensor:
        """Give this tensor another value; what was computed from the old one can no longer be differentiated.

        A tensor keeps the place where it lies, numbers and arrays go where this tensor is.
        """
        new = value if isinstance(value, Tensor) else beside(value, self, self.dtype)
        if new.shape != self.shape:
            raise ShapeError(
                f"assign a value of shape {new.shape} to a tensor of shape {self.shape}", expected="the same shape"
            )
        if new.dtype is not self.dtype:
            raise DTypeError(
                f"assign {new.dtype.name} to a {self.dtype.name} tensor", cure=f"value.astype(wf.{self.dtype.name})"
            )
        recording = context.recording
        recording.rebind(self, self._leaf(new), user_source())
        return self

    def _become(self, value: Tensor, recording: Any, source: Place) -> None:
        """Take over the fresh node of ``value``, which nobody else holds: `assign` without a copy of the name."""
        node = value.node
        node.tracked, node.owner = self._requires_grad, self.node.owner
        recording.rebind(self, node, source)

    def assign_add(self, value: Any) -> Tensor:
        """``assign(self + value)``."""
        with context.set(tracking=False):
            return self.assign(self + value)

    def assign_sub(self, value: Any) -> Tensor:
        """``assign(self - value)``."""
        with context.set(tracking=False):
            return self.assign(self - value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._refuse_in_place("x[…] = value", "x.assign(new_value), or new = x.at[…].set(value)")
        self._rename(subscript.setitem(self, key, value))

    def _refuse_in_place(self, what: str, cure: str) -> None:
        if self._requires_grad:
            raise GradientError(
                f"{what} would change a tensor that requires a gradient, in the middle of its own history",
                expected="a new value by assignment, which ends the history on purpose",
                where=whereabouts(),
                cure=cure,
            )

    def _rename(self, value: Tensor) -> None:
        """Be a name of ``value`` from now on; what was computed from the old value keeps it."""
        recording = context.recording
        if isinstance(recording, Trace) and self.node.recording is not recording:
            recording.rebind(self, value.node, user_source())  # state from outside: the function's result has it
        else:
            self.node = value.node

    def _in_place(self, sign: str, result: Tensor, cure: str) -> Tensor:
        self._refuse_in_place(f"w {sign}= value", cure)
        if result.shape != self.shape:
            raise ShapeError(
                f"x {sign}= value would change the shape from {self.shape} to {result.shape}",
                expected="a value that broadcasts to the shape of x",
                cure=f"x = x {sign} value",
            )
        if result.dtype is not self.dtype:
            raise DTypeError(
                f"x {sign}= value would change the type from {self.dtype.name} to {result.dtype.name}",
                expected="a value of the type of x",
                cure=f"x = x {sign} value",
            )
        self._rename(result)
        return self

    def __iadd__(self, other: Any) -> Tensor:
        return self._in_place("+", self + other, "w.assign_add(value)")

    def __isub__(self, other: Any) -> Tensor:
        return self._in_place("-", self - other, "w.assign_sub(value)")

    def __imul__(self, other: Any) -> Tensor:
        return self._in_place("*", self * other, "w.assign(w * value)")

    def __itruediv__(self, other: Any) -> Tensor:
        return self._in_place("/", self / other, "w.assign(w / value)")

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._in_place("//", self // other, "w.assign(w // value)")

    def __imod__(self, other: Any) -> Tensor:
        return self._in_place("%", self % other, "w.assign(w % value)")

    def __ipow__(self, other: Any) -> Tensor:
        return self._in_place("**", self**other, "w.assign(w ** value)")

    def __imatmul__(self, other: Any) -> Tensor:
        return self._in_place("@", self @ other, "w.assign(w @ value)")

    def __iand__(self, other: Any) -> Tensor:
        return self._in_place("&", self & other, "w.assign(w & value)")

    def __ior__(self, other: Any) -> Tensor:
        return self._in_place("|", self | other, "w.assign(w | value)")

    def __ixor__(self, other: Any) -> Tensor:
        return self._in_place("^", self ^ other, "w.assign(w ^ value)")

    def __ilshift__(self, other: Any) -> Tensor:
        return self._in_place("<<", self << other, "w.assign(w << value)")

    def __irshift__(self, other: Any) -> Tensor:
        return self._in_place(">>", self >> other, "w.assign(w >> value)")


set_handle_class(Tensor)


def tensor(data: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor with a copy of ``data``: numbers, nested lists, a NumPy array, anything that NumPy accepts.

    Python floats become float32 and Python integers int64; NumPy arrays keep their type.

    >>> import weft as wf
    >>> wf.tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return Tensor(data, dtype, requires_grad=requires_grad, device=device)


def beside(value: Any, like: Tensor, dtype: Any = None) -> Tensor:
    """``value`` as a tensor where ``like`` lies: on its device, or divided over the mesh as it is."""
    data = like.node.data if isinstance(context.recording, Trace) else run(like.node)
    made = Tensor(value, dtype)
    if not hasattr(data, "sharding"):  # a small array, which no device has yet
        return made
    place = place_of(data)
    if isinstance(place, Mesh) and made.shape == like.shape:
        return wrap(leaf(place.put(made.node.data, axes_of(data, like.ndim)), made.node.spec))
    return made if place == devices.default_device() else Tensor(value, dtype, device=place)


def _unpickled(value: np.ndarray, requires_grad: bool) -> Tensor:
    return Tensor(value, requires_grad=requires_grad)


def number_cell(value: float, dtype: Any = np.float32) -> Tensor:
    """A tensor of one number that recorded functions read anew at each call."""
    return Tensor(np.array(value, dtype))


def as_tensor(x: Any) -> Tensor:
    """``x`` itself if it is a tensor, else a tensor made of it."""
    return x if isinstance(x, Tensor) else Tensor(x)


def operand(x: Any) -> Tensor | Any:
    """What an op makes of an operand that is neither a tensor nor a Python number."""
    if isinstance(x, np.generic):
        return x.item()
    if x is None or isinstance(x, str):
        raise DTypeError(f"cannot compute with {x!r}", expected="a tensor, an array or a number", where=whereabouts())
    return Tensor(x)


graph_op.set_conversions(operand=operand, tensor=as_tensor)
