"""What people write who know other frameworks, and what it is called here: for errors that say it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numpy as np

from weft.errors import ArgumentError

F = TypeVar("F", bound=Callable[..., Any])

# Names of arguments.
ARGUMENTS = {
    "dim": "axis=",
    "keepdim": "keepdims=",
    "inplace": "leave it out: tensors never change in place",
    "in_features": "sizes by position: nn.Linear(4, 3)",
    "out_features": "sizes by position: nn.Linear(4, 3), or nn.Linear(3) to infer the first",
    "in_channels": "sizes by position: nn.Conv2d(3, 16, 5)",
    "out_channels": "sizes by position: nn.Conv2d(3, 16, 5), or nn.Conv2d(16, 5) to infer the first",
    "in1_features": "sizes by position: nn.Bilinear(4, 5, 16)",
    "in2_features": "sizes by position: nn.Bilinear(4, 5, 16)",
    "negative_slope": "slope=",
    "kernel_size": "window=",
    "output_size": "size=",
    "output_ratio": "ratio=",
    "norm_type": "p=",
    "upscale_factor": "factor=",
    "downscale_factor": "factor=",
    "unflattened_size": "sizes=",
    "lambd": "size=",
    "min_value": "low=",
    "max_value": "high=",
    "modules": "by position: nn.ModuleList([…]), nn.ModuleDict({…})",
    "sparse": "leave it out: gradients of tables are dense",
    "size_average": 'reduction="mean" or "sum"',
    "reduce": 'reduction="none"',
    "enable_nested_tensor": "leave it out: padding is masked",
    "mask_check": "leave it out",
    "start_dim": "start=",
    "end_dim": "stop=",
    "min_val": "low=",
    "max_val": "high=",
    "device": 'model.to("gpu:0"), for the whole model',
    "lr": "learning_rate=",
    "betas": "beta1=, beta2=",
    "eps": "epsilon=",
    "params": "opt = optim.Adam(1e-3); opt.step(model): optimizers hold no parameters",
}

# Methods of modules.
METHODS = {
    "register_buffer": "self.name = nn.Buffer(value)",
    "register_parameter": "self.name = nn.Parameter(value)",
    "register_module": "self.name = module",
    "add_module": "self.name = module, or setattr(self, name, module)",
    "register_forward_hook": "an own module around it",
    "get_submodule": "dict(model.named_modules())[path]",
    "get_parameter": "dict(model.named_parameters())[path]",
    "cuda": 'model.to("gpu:0")',
    "cpu": 'model.to("cpu")',
    "compile": "wf.compile(model)",
    "fit": "wf.Trainer(model, loss).fit(data), or wf.fit(model, data, loss)",
    "predict": "model.eval()(x), or wf.Trainer(model, loss).predict(x)",
}


def taught(
    method: F,
    words: Mapping[str, str] = ARGUMENTS,
    convert: Callable[[Any], Any] | None = None,
) -> F:
    """A method whose refusal of arguments that it does not take is a lesson, with ``words`` for the names of others.

    ``convert`` is what every argument goes through.
    """

    @functools.wraps(method)
    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            if convert is not None:
                arguments = tuple(map(convert, arguments))
                options = {name: convert(value) for name, value in options.items()}
            return method(self, *arguments, **options)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from within: the arguments themselves were taken
            owner = type(self).__name__
            name = owner if method.__name__ == "__init__" else f"{owner}.{method.__name__}"
            raise misfit(name, method, options, error, words) from None

    made: Any = call
    made.__code__ = made.__code__.replace(co_name=method.__name__)  # by which errors name what was called
    return cast("F", made)


def misfit(
    name: str, method: Callable[..., Any], options: Mapping[str, Any], error: TypeError, words: Mapping[str, str]
) -> ArgumentError:
    """The lesson of arguments that a method does not take."""
    signature = inspect.signature(method)
    # The types are in the documentation; here they would hide the names.
    bare = [p.replace(annotation=p.empty) for p in list(signature.parameters.values())[1:]]
    cures = [f"{own}: {words[own]}" for own in options if own not in signature.parameters and own in words]
    return ArgumentError(
        f"{name}: {str(error).partition('() ')[2] or error}",
        expected=f"{name}{inspect.Signature(bare)}",
        cure="\n".join(cures) or None,
    )


def plain(value: Any) -> Any:
    """NumPy's numbers, also in tuples and lists, as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (tuple, list) and any(isinstance(part, np.generic) for part in value):
        return type(value)(map(plain, value))
    return value


class Children(tuple[Any, ...]):
    """The modules directly inside another; calling them is the mistake that it looks like."""

    __slots__ = ()

    def __call__(self) -> Any:
        raise ArgumentError("model.children()", expected="model.children, a tuple", cure="for child in model.children:")
