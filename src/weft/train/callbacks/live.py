"""LiveDiagnosis: a line when a run begins to overfit, while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weft.overfit.live import notice
from weft.train.callback import Callback

if TYPE_CHECKING:
    from weft.train.loop import Loop


class LiveDiagnosis(Callback):
    """Says a line when something has become significant: overfitting, not learning, a second descent.

    Each is said once, and only beyond the noise of the validation examples and the wobble of the curve, with
    thresholds for being asked again and again (see `weft.overfit.live`). It looks at the end of each launch, which
    costs no speed: what the epochs of a launch show is said when it is over, with the epoch at which the curves first
    showed it. What was said is the state of the run: ``said`` is the last verdict, ``epoch`` its epoch; a fit that
    goes on does not say it again.

    Without validation data, or where the loss of single examples is not known, it is silent.

    >>> import weft as wf
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", wf.optim.Adam(0.1), callbacks=[LiveDiagnosis()])
    >>> run = trainer.fit(wf.data.iris(), validation=0.5, epochs=50, verbose=False)
    >>> run.callbacks[0].said
    ''
    """

    def __init__(self) -> None:
        # The state of a run.
        self.said = ""
        self.epoch = 0

    def before_fit(self, loop: Loop) -> None:
        self.__looked = loop.history.epochs
        self.__curves: tuple[list[float], list[float]] = ([], [])

    def after_launch(self, loop: Loop) -> None:
        course, history = loop.course, loop.history
        if history.epochs == self.__looked or not course.n_val or not course.measure.by_example:
            return
        self.__looked = history.epochs
        train, val = self.__curves
        columns = [history.columns.index(name) for name in ("train_loss", "val_loss")]
        for curve, column in zip((train, val), columns, strict=True):
            curve += [row[column] for row in history.rows[len(curve) :]]
        sight = notice(
            np.array(train),
            np.array(val),
            course.best_examples.numpy()[0, : course.n_val],
            course.last_examples.numpy()[0, : course.n_val],
            baseline=loop.baseline,
            said=self.said,
            since=self.epoch,
        )
        if sight is not None:
            self.said, self.epoch = sight.verdict, sight.epoch
            loop.progress.say(sight.text)
