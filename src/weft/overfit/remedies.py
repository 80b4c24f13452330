"""What to try for each verdict: cheapest and likeliest first, in Weft's own names, with the run's numbers.

The order is always: leakage and labels, more data, early stopping, weight decay and dropout, a smaller model,
ensembling. No effect is promised: it is known when it was measured, over several seeds.
"""

from __future__ import annotations

_LABELS = "labels: look at the validation examples with the largest losses; some may be labelled wrongly"
_DATA = "more data: {n_train} training examples now; or augmentation"
_STOP = "early stopping: already done, the weights of epoch {best} are kept; trainer.fit(…, patience=10) ends sooner"
# After a second descent the stop was early, not optimal.
_LONGER = (
    "train longer as well: the loss fell again after a rise, so where to stop is open; trainer.fit(…, epochs={twice})"
)
_DECAY = "weight decay: optim.AdamW(1e-3, weight_decay=1e-2)"
_DROPOUT = "dropout: nn.Dropout(0.2) after each hidden layer"
_SMALLER = "a smaller model: half the width of each hidden layer"
_ENSEMBLE = "an ensemble: average the predictions of five seeds, Trainer(…, seed=0) to seed=4, or average the weights"

REMEDIES: dict[str, tuple[str, ...]] = {
    "diverged": (
        "data: look for NaN, infinities and unscaled columns in the inputs and targets",
        "a smaller learning rate: optim.Adam(1e-4), a tenth of the usual 1e-3",
        "clip the norm of the gradients",
        "normalisation: nn.LayerNorm between the layers",
    ),
    "leakage": (
        "remove the copies from one side, or split before copying and augmenting",
        "keep every group (person, patient, document) on one side of the split",
        "train again, and believe only the new validation loss",
    ),
    "cannot tell": (
        "more validation data: trainer.fit(…, validation=0.3), at least 30 examples and better 300",
        "other splits: Trainer(…, seed=1) to seed=4 show how far the number moves",
        "more epochs: trainer.fit(…, epochs=30)",
    ),
    "not learning": (
        "data: are the inputs scaled, and do the targets belong to their inputs?",
        "can it learn at all? trainer.fit on 20 examples should reach a training loss near zero",
        "another learning rate: optim.Adam(1e-2), then optim.Adam(1e-4)",
        "the loss: cross-entropy takes logits, so no nn.Softmax before it",
        "a larger model: twice the width, or one more nn.Linear and nn.ReLU",
    ),
    "over-confident": (
        _LABELS,
        _DATA,
        _STOP,
        _DECAY,
        _DROPOUT,
        'if only the decisions count, the last weights serve as well as the best: trainer.fit(…, keep="last")',
        _ENSEMBLE,
    ),
    "overfitting": (_LABELS, _DATA, _STOP, _DECAY, _DROPOUT, _SMALLER, _ENSEMBLE),
    "still improving": (
        "more epochs: call trainer.fit(…, epochs={twice}) again, it continues",
        "then let validation decide: trainer.fit(…, epochs={many}, patience=10)",
        "a larger learning rate, if the curve falls slowly: optim.Adam(3e-3)",
    ),
    "large gap": (_LABELS, _DATA, _DECAY, _DROPOUT, _SMALLER, _ENSEMBLE),
    "underfitting": (
        "a larger model: twice the width of each hidden layer",
        "less regularisation: nn.Dropout(0.0), weight_decay=0.0",
        "better inputs: columns that the target depends on",
    ),
    "validation easier": (
        "the split: shuffle before splitting, and stratify by class",
        "one filter for both: is augmentation, or a selection of hard rows, applied to the training part only?",
        "groups: keep every person, patient or document on one side of the split",
        "several splits: Trainer(…, seed=1) to seed=4 show whether it was this one",
    ),
    "good fit": (
        "nothing needs mending: measure once on data that was never used, trainer.evaluate(test)",
        "is the task easier than the model? half the width may do as well",
    ),
}


def remedies(verdict: str, *, best_epoch: int, epochs: int, n_train: int, second_descent: bool) -> tuple[str, ...]:
    """What to try, in order; epochs count from 1.

    >>> remedies("overfitting", best_epoch=14, epochs=40, n_train=100, second_descent=False)[2]
    'early stopping: already done, the weights of epoch 14 are kept; trainer.fit(…, patience=10) ends sooner'
    """
    words = {"best": best_epoch, "twice": 2 * epochs, "many": 10 * epochs, "n_train": n_train}
    chosen = [_LONGER if second_descent and text is _STOP else text for text in REMEDIES[verdict]]
    return tuple(text.format(**words) for text in chosen)
