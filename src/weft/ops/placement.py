"""Where the parts of a tensor lie: a wish that the engine's partitioner fulfils in the midst of a program."""

from __future__ import annotations

from weft.graph.op import Op, unchanged
from weft.ops.engine import lax
from weft.ops.rules import same

shard_op: Op = Op(
    "shard",
    shape=same,
    takes=unchanged,
    lower=lambda x, *, on: lax.with_sharding_constraint(x, on.sharding),
    vjp=lambda g, y, x, *, on: (shard_op(g, on=on),),
)
