"""Module: the base of layers and models, which finds the parameters, buffers and modules among its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from weakref import ref

from weft.errors import ArgumentError, WeftError, is_whole
from weft.graph.dtype import DType, bfloat16, float16, float32, float64
from weft.graph.node import Handle
from weft.graph.recording import Trace, context
from weft.nn import building, placing, state
from weft.nn.lessons import METHODS, Children, plain, taught
from weft.nn.parameter import Buffer, Parameter, seed_in_force
from weft.transforms.checkpointing import checkpoint


class Module:
    """A layer or a model: attributes that are parameters, buffers or modules belong to it.

    Subclasses make them in ``__init__`` and say in ``forward`` what is computed; calling the module calls it.

    >>> import weft as wf
    >>> from weft import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(wf.tensor([1.0, 3.0])).tolist()
    [2.0, 6.0]
    """

    # Class attributes, so that a subclass need not call super().__init__().
    training: bool = True
    forward: Callable[..., Any]
    _name = "model"
    _parent: ref[Module] | None = None
    _path: str | None = None  # found when first asked for
    _sized = True  # False while parameters wait for the size of the input
    _found: tuple[int, tuple[Parameter, ...]] = (-1, ())  # its parameters, as of a state of all structure
    _fixed: tuple[str, ...] = ()  # attributes that are never trained, and in evaluation mode always
    _saved_as: Mapping[str, str] = {}  # names in the state that differ from those of the attributes
    _recomputed = False  # whether its inner values are computed again on the way back, instead of kept
    _changes = 0  # how often it, or a module inside it, has been changed: what is compiled holds for this number

    @taught
    def __init__(self) -> None:
        """Nothing is made here, so that a subclass need not call it."""

    def __init_subclass__(cls) -> None:
        if "__init__" in vars(cls) and cls.__module__.startswith("weft."):
            cls.__init__ = taught(cls.__init__, convert=plain)  # type: ignore[method-assign]

    # ── the call ────────────────────────────────────────────────────────────────────────────────────────────

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        outer = context.path
        context.path = self._path or self.path
        try:
            if not outer:
                for x in (*inputs, *options.values()):
                    if not isinstance(x, Handle):
                        if (symbolic := building.symbolic(self, inputs, options)) is not None:
                            return symbolic
                        inputs = tuple(building.as_input(self, y) for y in inputs)
                        options = {name: building.as_input(self, y) for name, y in options.items()}
                        break
            if not self._sized:
                building.size(self, inputs, options)
            recording = context.recording
            if isinstance(recording, Trace):
                # What is being compiled holds for this mode and these attributes only.
                recording.guard(self, "training")
                recording.guard(self, "_changes")
            if self._recomputed and self.training:
                return checkpoint(self.forward)(*inputs, **options)
            return self.forward(*inputs, **options)
        except WeftError as error:
            building.explain(error, self, inputs)
            if not outer:
                building.sizing.undo()
            raise
        finally:
            context.path = outer
            if not outer and building.sizing.done:
                building.sizing.done = []

    def infer(self, *inputs: Any) -> None:
        """Fill in the shapes of parameters that depend on the input; layers that can wait for it override this."""

    def build(self, *inputs: Any) -> Self:
        """Find all sizes without computing anything, from the shapes of the inputs (or tensors, or specs).

        >>> from weft import nn
        >>> nn.Sequential(nn.Linear(8), nn.Linear(2)).build((1, 4))[1].weight.shape
        (2, 8)
        """
        building.trace(self, inputs)
        return self

    # ── what it consists of ─────────────────────────────────────────────────────────────────────────────────

    def __setattr__(self, name: str, value: Any) -> None:
        member = isinstance(value, Module | Parameter | Buffer)
        if member:
            self._adopt(name, value)
        else:
            building.refuse(self, name, value)
        object.__setattr__(self, name, value)
        # A tensor that a module remembers of a call, such as a map of attention, is no change of the module.
        if name != "training" and (member or not isinstance(value, Handle)):
            state.changed(self)

    def _adopt(self, name: str, value: Module | Parameter | Buffer) -> None:
        """Give ``value`` its name and home; what is shared keeps the first one."""
        if isinstance(value, Parameter):
            if value.home is None or value.home() is None:
                value.home, value.name = ref(self), name
        elif isinstance(value, Module):
            building.refuse_cycle(self, value)
            if value._parent is None or value._parent() is None:
                object.__setattr__(value, "_parent", ref(self))
                object.__setattr__(value, "_name", name)
                for _, module in value.named_modules():
                    object.__setattr__(module, "_path", None)

    @property
    def path(self) -> str:
        """Its name in the whole model, which itself is called ``model``: ``model.blocks.1.fc``."""
        parent = self._parent() if self._parent is not None else None
        path = self._name if parent is None else f"{parent.path}.{self._name}"
        object.__setattr__(self, "_path", path)
        return path

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules among the attributes, with their names."""
        return iter([(name, value) for name, value in vars(self).items() if isinstance(value, Module)])

    @property
    def children(self) -> tuple[Module, ...]:
        """The modules among the attributes."""
        return Children(module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module and all inside it, with their paths; shared ones once."""
        return state.walk(self, prefix, set())

    def modules(self) -> Iterator[Module]:
        """The module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths; shared ones once."""
        return state.named(self, Parameter)

    def parameters(self) -> Iterator[Parameter]:
        """All parameters; shared ones once."""
        return iter(state.parameters(self))

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """All buffers with their paths."""
        return state.named(self, Buffer)

    def buffers(self) -> Iterator[Buffer]:
        """All buffers."""
        return (b for _, b in state.named(self, Buffer))

    def state_dict(self) -> dict[str, Any]:
        """Copies of all parameters and buffers as NumPy arrays by path, in PyTorch's names and layout."""
        return state.state_dict(self)

    def load_state_dict(self, values: Any, *, strict: bool = True) -> None:
        """Take the values of all parameters and buffers: arrays or tensors by path, or the path of a safetensors file.

        What is missing, unexpected or of another shape is listed in one error, and nothing is changed then.
        With ``strict=False`` missing and unexpected names are passed over. Of the names of a shared tensor one is
        enough. PyTorch's states fit models built alike.
        """
        state.load_state_dict(self, values, strict=strict)

    # ── changes of all of it ────────────────────────────────────────────────────────────────────────────────

    def train(self, mode: bool = True) -> Self:
        """Set the training mode of this module and all inside it: dropout drops, normalisation uses the batch."""
        state.set_mode(self, mode, set())
        return self

    def eval(self) -> Self:
        """Set the evaluation mode of this module and all inside it."""
        return self.train(False)

    def requires_grad_(self, required: bool = True) -> Self:
        """Train all parameters from now on, or none; those inside `nn.Frozen` stay as they are."""
        return self.unfreeze() if required else self.freeze()

    def freeze(self, *patterns: str) -> Self:
        """Stop training the parameters whose path matches a pattern, such as ``"encoder.*"``; without one, all.

        >>> from weft import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).freeze("0", "*.bias")
        >>> [name for name, p in model.named_parameters() if p.requires_grad]
        ['2.weight']
        """
        for p in state.matching(self, patterns):
            p.requires_grad_(False)
        return self

    def unfreeze(self, *patterns: str) -> Self:
        """Train the parameters whose path matches a pattern again; without one, all."""
        fixed = state.fixed(self)
        for p in state.matching(self, patterns):
            if id(p) not in fixed:
                p.requires_grad_(True)
        return self

    def recompute(self, *patterns: str) -> Self:
        """Keep only the inputs of the modules whose path matches, and compute the rest again on the way back.

        Without a pattern these are the modules directly inside this one. Training then takes less memory and about a
        third more time; values and gradients are the same (dropout draws others). ``recompute("")`` ends it.

        >>> from weft import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).recompute("0")
        """
        state.mark_recomputed(self, patterns)
        return self

    def zero_grad(self) -> None:
        """Clear the gradients (never the weights)."""
        for p in self.parameters():
            p.grad = None

    def apply(self, f: Callable[[Module], Any]) -> Self:
        """Call ``f`` with every module inside this one, and at last with this one."""
        for child in self.children:
            child.apply(f)
        f(self)
        return self

    def initialize(self, seed: int | None = None) -> Self:
        """Draw all first values anew, from ``seed`` (by default that of the generator in force) and the names.

        The same seed gives a layer the same weights whatever else the model contains.
        """
        if seed is not None and not is_whole(seed):
            raise ArgumentError(f"initialize: seed={seed!r}", expected="a whole number, or None")
        chosen = seed_in_force() if seed is None else seed
        for p in self.parameters():
            p.reset(chosen)
        for module in self.modules():
            module.reset_buffers()
        return self

    def reset_buffers(self) -> None:
        """Bring this module's own buffers to their first values; layers that have some override this."""

    def to(self, of: Any, divided: str | Mapping[str, Any] | None = None) -> Self:
        """Move all parameters and buffers to a device or a mesh, or hold floating-point numbers in another data type.

        On a mesh they lie whole on every device, unless they are ``divided``: along an axis of the mesh, each
        parameter by its longest axis that can be (fully sharded), or by rules from patterns of paths to an entry for
        each axis of the parameter (tensor parallel): ``model.to(mesh, {"*.fc1.weight": ("model", None)})``.

        >>> import weft as wf
        >>> from weft import nn
        >>> nn.Linear(4, 3).to(wf.float64).weight.dtype.name
        'float64'
        """
        if isinstance(of, DType):
            return building.cast(self, of)
        placing.move(self, of, divided)
        return self

    def half(self) -> Self:
        """Hold floating-point numbers as float16."""
        return self.to(float16)

    def bfloat16(self) -> Self:
        """Hold floating-point numbers as bfloat16."""
        return self.to(bfloat16)

    def float(self) -> Self:
        """Hold floating-point numbers as float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Hold floating-point numbers as float64."""
        return self.to(float64)

    # ── for people ──────────────────────────────────────────────────────────────────────────────────────────

    def extra_repr(self) -> str:
        """What stands in the parentheses of its line in ``print(model)``."""
        return ""

    def __repr__(self) -> str:
        return building.tree(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return state.copy(self, memo)

    if not TYPE_CHECKING:  # to a type checker every attribute would be there

        def __getattr__(self, name: str) -> Any:
            cure = f": {METHODS[name]}" if name in METHODS else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{cure}")

    def __delattr__(self, name: str) -> None:
        if name not in vars(self):
            raise ArgumentError(f"{type(self).__name__} has no attribute {name!r}")
        object.__delattr__(self, name)
        state.changed(self)
