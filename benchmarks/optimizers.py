"""One update of every optimizer at 1 and 25 million parameters, against PyTorch in one run.

The table is against PyTorch's optimizers as one calls them; below it stands the ratio to the fastest of their other
implementations (foreach, fused), which are asked for by name. A ratio above 1 says how many times faster Weft is.
`python -m benchmarks.optimizers 1M Adam` times one of them.
"""

from __future__ import annotations

import statistics
import sys

import numpy as np
import torch

import weft as wf
from benchmarks.clock import alternate, table
from weft import optim

BLOCK = [(512, 512)] * 4 + [(2048, 512), (2048,), (512, 2048), (512,), (512,), (512,)]
SIZES = {
    "1M": [(784, 512), (512,), (512, 512), (512,), (512, 512), (512,), (512, 128), (128,), (10, 128), (10,)],
    "25M": [(12000, 512), *BLOCK * 6],
}
T = torch.optim
CASES = {  # ours; theirs; which other implementations of theirs there are
    "SGD": (lambda: optim.SGD(1e-3), lambda p, **h: T.SGD(p, 1e-3, **h), ("foreach", "fused")),
    "SGD, momentum": (lambda: optim.SGD(1e-3, 0.9), lambda p, **h: T.SGD(p, 1e-3, 0.9, **h), ("foreach", "fused")),
    "Adam": (lambda: optim.Adam(1e-3), lambda p, **h: T.Adam(p, 1e-3, **h), ("foreach", "fused")),
    "AdamW": (lambda: optim.AdamW(1e-3), lambda p, **h: T.AdamW(p, 1e-3, **h), ("foreach", "fused")),
    "AdamW, clipped": (lambda: optim.AdamW(1e-3, clip_norm=1.0), None, ("foreach", "fused")),
    "NAdam": (lambda: optim.NAdam(1e-3), lambda p, **h: T.NAdam(p, 1e-3, **h), ("foreach",)),
    "RAdam": (lambda: optim.RAdam(1e-3), lambda p, **h: T.RAdam(p, 1e-3, **h), ("foreach",)),
    "Adamax": (lambda: optim.Adamax(1e-3), lambda p, **h: T.Adamax(p, 1e-3, **h), ("foreach",)),
    "Adagrad": (lambda: optim.Adagrad(1e-3), lambda p, **h: T.Adagrad(p, 1e-3, **h), ("foreach", "fused")),
    "Adadelta": (lambda: optim.Adadelta(1e-3), lambda p, **h: T.Adadelta(p, 1e-3, **h), ("foreach",)),
    "RMSprop": (lambda: optim.RMSprop(1e-3), lambda p, **h: T.RMSprop(p, 1e-3, **h), ("foreach",)),
    "ASGD": (lambda: optim.ASGD(1e-3), lambda p, **h: T.ASGD(p, 1e-3, **h), ("foreach",)),
    "Rprop": (lambda: optim.Rprop(1e-3), lambda p, **h: T.Rprop(p, 1e-3, **h), ("foreach",)),
    "Adafactor": (lambda: optim.Adafactor(1e-3), lambda p, **h: T.Adafactor(p, 1e-3, **h), ("foreach",)),
    "Muon": (lambda: optim.Muon(1e-3), lambda p, **h: T.Muon(p, 1e-3), ("foreach",)),
}


def ours(make, weights, gradients):
    """One update of ours, waited for."""
    w = [wf.tensor(a, requires_grad=True) for a in weights]
    g = [wf.tensor(a) for a in gradients]
    wf.realize(*w, *g)
    opt = make()

    def update():
        opt.update(w, g)
        wf.realize(*w)

    return update


def theirs(name, make, kind, weights, gradients):
    """One update of PyTorch's."""
    p = [torch.nn.Parameter(torch.tensor(a)) for a in weights]
    for q, a in zip(p, gradients, strict=True):
        q.grad = torch.tensor(a)
    options = {} if kind == "default" else {kind: True}
    if make is None:
        clipped = T.AdamW(p, 1e-3, **options)

        def update():
            torch.nn.utils.clip_grad_norm_(p, 1.0)
            clipped.step()

        return update
    return make(p, **options).step


# PyTorch's Muon takes 20 s for an update on a CPU, in bfloat16: by name only.
def main(sizes=("1M", "25M"), names=tuple(name for name in CASES if name != "Muon")):
    """Print the table."""
    rng = np.random.default_rng(0)
    for size in sizes:
        rows, others = [], {}
        for name in names:
            make, reference, kinds = CASES[name]
            shapes = [s for s in SIZES[size] if len(s) == 2] if name == "Muon" else SIZES[size]
            weights = [0.1 * rng.standard_normal(s).astype(np.float32) for s in shapes]
            gradients = [rng.standard_normal(s).astype(np.float32) for s in shapes]
            contestants = {"weft": ours(make, weights, gradients)}
            contestants |= {k: theirs(name, reference, k, weights, gradients) for k in ("default", *kinds)}
            best = alternate(contestants, rounds=5, seconds=0.2)
            rows.append((name, best["weft"], best["default"], 1 / 1.2))
            others[name] = min(best[kind] for kind in kinds) / best["weft"]
        table(f"one update of {sum(int(np.prod(s)) for s in SIZES[size]) / 1e6:.1f} million parameters", rows)
        print(f"median ratio {statistics.median(theirs / ours for _, ours, theirs, _ in rows):.2f}")
        print("to their fastest: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in others.items()))


if __name__ == "__main__":
    main(*([given] for given in sys.argv[1:3]))
