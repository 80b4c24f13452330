"""What a Trainer and a fit are asked for, and what is refused before anything is done."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.data.scale import METHODS, Scaler
from weft.errors import ArgumentError, is_whole
from weft.nn.module import Module
from weft.optim.optimizer import Optimizer
from weft.runtime.mesh import Mesh
from weft.train.course import POLICIES


@dataclass(frozen=True)
class Method:
    """How a fit learns from a batch; a fit with the same method and data goes on where the last one was."""

    augment: Any = None
    pieces: int = 1
    nonfinite: str = "stop"
    most_skipped: int = 100

    def __post_init__(self) -> None:
        if self.nonfinite not in POLICIES:
            raise ArgumentError(f"nonfinite={self.nonfinite!r}", expected=f"one of {', '.join(POLICIES)}")
        whole("pieces", self.pieces, 1)
        whole("most_skipped", self.most_skipped, 0)


def whole(name: str, value: Any, least: int, *, of: str = "") -> None:
    """Refuse what is no whole number of at least ``least``; ``of`` names whose argument it is."""
    if not is_whole(value, least):
        given, better = (f"{of}({name}={v!r})" if of else f"{name}={v!r}" for v in (value, max(1, least)))
        raise ArgumentError(given, expected=f"a whole number ≥ {least}", cure=better)


def several(given: Any) -> tuple[Any, ...]:
    """One or many, as a tuple; a text is one."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def check_fit(
    epochs: int, batch_size: int, patience: int | None, keep: str, folder: Any, resume: bool, mesh: Mesh | None
) -> None:
    """Refuse numbers out of range, and combinations that mean nothing."""
    whole("epochs", epochs, 0)
    whole("batch_size", batch_size, 1)
    if mesh is not None and batch_size % (n := mesh.sizes["data"]):
        raise ArgumentError(
            f"batch_size={batch_size} on {mesh}, which divides each batch among {n} devices",
            expected=f"a multiple of {n}",
            cure=f"batch_size={-(-batch_size // n) * n}",
        )
    check_end(patience, keep)
    check_folder(folder, resume)
    if resume and folder is None:
        raise ArgumentError(
            "resume=True without a folder",
            expected="the folder with the checkpoints",
            cure='trainer.fit(…, folder="runs/mine", resume=True)',
        )


def check_end(patience: int | None, keep: str) -> None:
    """Refuse what does not say when to stop, and which weights to keep."""
    if patience is not None:
        whole("patience", patience, 1)
    if keep not in ("best", "last"):
        raise ArgumentError(f"keep={keep!r}", expected='"best" or "last"', cure='keep="best"')


def check_patience(patience: int | None, n_val: int) -> None:
    """Refuse to wait for validation losses that nobody measures."""
    if patience is not None and not n_val:
        raise ArgumentError(
            f"patience={patience} without validation data",
            expected="data whose loss is waited for",
            cure=f"fit(…, validation=0.2, patience={patience})",
        )


def check_probe(probe: Any, step: Any, validation: Any) -> None:
    """Refuse a probe that cannot be trained, or with which nothing could be compared."""
    if probe is None:
        return
    if not isinstance(probe, Module):
        raise ArgumentError(f"probe={probe!r}", expected="a model about twice as wide", cure="probe=model(width=128)")
    if step is not None:
        raise ArgumentError(
            "probe= with a step of one's own, which is of one model alone",
            expected="a probe of a model with a loss",
            cure="fit(…, probe=None)",
        )
    if validation is None:
        raise ArgumentError(
            "probe= without validation data",
            expected="data on which both models are measured",
            cure="fit(…, validation=0.2, probe=…)",
        )


def check_data_flow(shuffle: Any, scale: Any, scale_target: Any) -> None:
    """Refuse what says neither how examples are ordered nor how they are scaled."""
    if not (isinstance(shuffle, bool | np.bool_) or callable(shuffle)):
        raise ArgumentError(f"shuffle={shuffle!r}", expected="True, False, or a function from epoch to an order")
    if not (isinstance(scale, Scaler | None) or (isinstance(scale, str) and scale in METHODS)):
        raise ArgumentError(
            f"scale={scale!r}",
            expected=f"None, a wf.data.Scaler, or one of {', '.join(map(repr, METHODS))}",
            cure="scale=None" if scale is False else 'scale="standard"',
        )
    if not isinstance(scale_target, bool | np.bool_):
        raise ArgumentError(f"scale_target={scale_target!r}", expected="True or False", cure="scale_target=True")


def check_folder(folder: Any, resume: Any) -> None:
    """Refuse what is no path, and a resumption that is neither asked for nor not."""
    if folder is not None and not (isinstance(folder, str | os.PathLike) and os.fspath(folder)):
        raise ArgumentError(f"folder={folder!r}", expected="a path", cure='folder="runs/mine"')
    if not isinstance(resume, bool | np.bool_):
        raise ArgumentError(f"resume={resume!r}", expected="True or False", cure="resume=True")


def check_calls(on_epoch: Any) -> None:
    """Refuse what cannot be called with what it will be given."""
    if on_epoch is not None and not (callable(on_epoch) and takes(on_epoch, 2)):
        raise ArgumentError(
            f"on_epoch={on_epoch!r}",
            expected="a function of the number of the epoch and its row of the history",
            cure="on_epoch=lambda epoch, row: print(epoch, row)",
        )


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many values, as far as its signature says."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # it has none, as some that are written in C
        return True
    return True


def check_mesh(mesh: Any) -> None:
    """Refuse what is no mesh, and one along which no batch can be divided."""
    if mesh is not None and not isinstance(mesh, Mesh):
        raise ArgumentError(f"mesh={mesh!r}", expected="a mesh of devices", cure="mesh=wf.Mesh(data=-1)")
    if mesh is not None and "data" not in mesh.sizes:
        raise ArgumentError(
            f"a Trainer on {mesh}", expected='an axis "data", along which each batch is divided',
            cure=f"wf.Mesh(data=1, {', '.join(f'{name}={size}' for name, size in mesh.axes)})",
        )  # fmt: skip


def check_trainer(model: Any, optimizer: Any, metrics: Any, step: Any, seed: Any) -> None:
    """Refuse what is no model, no optimizer, no list of metrics, or no seed."""
    if not isinstance(model, Module):
        raise ArgumentError(
            f"a Trainer of {type(model).__name__}", expected="a module", cure="nn.Sequential(nn.Linear(3))"
        )
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise ArgumentError(
            f"metrics={metrics!r}", expected="a list", cure=f"metrics=[{'' if metrics is None else repr(metrics)}]"
        )
    if not is_whole(seed):
        raise ArgumentError(f"seed={seed!r}", expected="a whole number", cure="seed=0")
    if step is not None and not callable(step):
        raise ArgumentError(f"step={step!r}", expected="a function of (model, batch) that returns a loss and logs")
    if isinstance(optimizer, Mapping):
        check_parts(model, optimizer, step)
        return
    check_optimizer(optimizer)


def check_parts(model: Module, optimizers: Mapping[str, Any], step: Any) -> None:
    """Refuse optimizers for parts that the model does not have, and several of them without a step of one's own."""
    if step is None:
        raise ArgumentError(
            "several optimizers and one loss",
            expected="a step that returns a loss for each of them",
            cure='Trainer(model, optimizer={…}, step=step), or one optimizer with groups={"encoder.*": {"scale": 0.1}}',
        )
    if not optimizers:
        raise ArgumentError("optimizer={}", expected="an optimizer for each part of the model that is to be trained")
    children = dict(model.named_children())
    for name, optimizer in optimizers.items():
        if name not in children:
            raise ArgumentError(
                f"an optimizer for {name!r}",
                expected=f"a part of the model: {', '.join(children) or 'it has none'}",
                cure='nn.ModuleDict({"generator": …, "critic": …})',
            )
        check_optimizer(optimizer)


def check_optimizer(optimizer: Any) -> None:
    """Refuse what does not move parameters by the gradients of each batch."""
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"a Trainer with {type(optimizer).__name__}",
            expected="an optimizer that moves parameters by the gradients of each batch",
            cure="optim.Adam(1e-3); optim.LBFGS and optim.Accumulate are for loops by hand (fit has pieces=4)",
        )
