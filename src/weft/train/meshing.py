"""A trainer's work on several devices: where it runs, and how a batch is divided."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from weft.nn.module import Module
from weft.runtime.log import device
from weft.runtime.mesh import Mesh


def on(mesh: Mesh | None) -> AbstractContextManager[Any]:
    """What the block computes runs on the mesh, if there is one."""
    return nullcontext() if mesh is None else device(mesh)


def across(rows: Any, mesh: Mesh | None) -> Any:
    """Rows divided among the devices along "data"; what does not divide evenly stays whole."""
    if mesh is None or rows.shape[0] % mesh.sizes["data"]:
        return rows
    return rows.to(mesh, "data")


def bring(model: Module, mesh: Mesh | None) -> None:
    """See that a model lies on the mesh; what is divided there already stays as it is."""
    if mesh is None:
        return
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device != mesh:
            tensor.assign(tensor.to(mesh))
