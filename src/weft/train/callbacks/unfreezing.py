"""Unfreeze: parameters that are trained from an epoch on, as in fine-tuning layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from weft.errors import ArgumentError, is_whole
from weft.nn.state import matching
from weft.train.callback import Callback
from weft.train.options import several

if TYPE_CHECKING:
    from weft.train.loop import Loop


class Unfreeze(Callback):
    """Frees parameters at the beginning of epochs: ``Unfreeze({3: "body.*", 6: ["stem", "norm.*"]}, freeze="body")``.

    ``patterns``  for the number of an epoch, from 1, patterns of paths as `Module.unfreeze` takes them
    ``freeze``    patterns of what is frozen before the first epoch; without it what you have frozen yourself stays so

    Parameters that are freed begin with a fresh state of the optimizer. A fit that goes on from a checkpoint has
    everything free that was free there. A pattern that matches nothing is refused before the first step.

    >>> import weft as wf
    >>> model = wf.nn.Sequential(wf.nn.Linear(4, 8), wf.nn.ReLU(), wf.nn.Linear(8, 3))
    >>> trainer = wf.Trainer(model, "cross_entropy", callbacks=[Unfreeze({2: "0"}, freeze="0")])
    >>> first = model[0].weight.tolist()
    >>> run = trainer.fit(wf.data.iris(), epochs=1, verbose=False)
    >>> model[0].weight.tolist() == first
    True
    >>> run = trainer.fit(wf.data.iris(), epochs=1, verbose=False)
    >>> model[0].weight.tolist() == first
    False
    """

    def __init__(self, patterns: Mapping[int, str | Sequence[str]], *, freeze: str | Sequence[str] = ()) -> None:
        if not isinstance(patterns, Mapping) or not patterns:
            raise ArgumentError(f"Unfreeze({patterns!r})", expected="patterns by epoch", cure='Unfreeze({3: "body.*"})')
        for epoch in patterns:
            if not is_whole(epoch, 1):
                raise ArgumentError(f"Unfreeze({{{epoch!r}: …}})", expected="numbers of epochs, from 1")
        self.patterns = {int(epoch): patterns_of(patterns[epoch]) for epoch in sorted(patterns)}
        self.freeze = patterns_of(freeze)

    def before_fit(self, loop: Loop) -> None:
        model = loop.model
        for wanted in (self.freeze, *self.patterns.values()):
            if wanted:
                matching(model, wanted)
        if self.freeze:
            model.freeze(*self.freeze)
        self.free(loop)
        if not any(p.requires_grad for p in model.parameters()):
            raise ArgumentError(
                f"{self!r}: nothing is left to train in epoch {loop.standing.done + 1}",
                expected="parameters that are free from the first epoch on",
                cure=f"Unfreeze({{1: …, {', '.join(f'{k}: …' for k in self.patterns)}}})",
            )
        loop.refresh()

    def before_epoch(self, loop: Loop) -> None:
        if loop.standing.done + 1 in self.patterns:
            self.free(loop)

    def free(self, loop: Loop) -> None:
        """Free what is due up to the epoch that begins."""
        due = [p for epoch, patterns in self.patterns.items() if epoch <= loop.standing.done + 1 for p in patterns]
        if due:
            loop.model.unfreeze(*due)


def patterns_of(patterns: str | Sequence[str]) -> tuple[str, ...]:
    """One pattern or many, as a tuple."""
    found = several(patterns)
    for pattern in found:
        if not isinstance(pattern, str) or not pattern:
            raise ArgumentError(f"{pattern!r} as a pattern", expected='a text such as "encoder.*"')
    return found
