"""Where a tensor lies; here on a mesh of one device, on which every program runs."""

from __future__ import annotations

from weft.ops.placement import shard_op
from weft.runtime.mesh import Mesh, Placement

from ..contract import one
from .numbers import X

SAMPLES = [one(shard_op, X, like=lambda x: x, on=Placement(Mesh(data=1), ("data",)))]
