"""What to try for each verdict: cheapest and likeliest first, in Weft's own names, with the run's numbers.

The order is always: leakage and labels, more data, early stopping, weight decay and dropout, a smaller model,
ensembling. No effect is promised: it is known when it was measured, over several seeds.
"""

from __future__ import annotations

from weft.overfit.evidence import Kept

PATIENCE = 10
"""Epochs without a lower loss after which the advice is to stop."""

_LABELS = "labels: look at the validation examples with the largest losses; some may be labelled wrongly"
_DATA = "more data: {n_train} training examples now; or augmentation"
_STOP = "early stopping"  # said by what was done: `_stopping`
# After a second descent the stop was early, not optimal.
_LONGER = (
    "train longer as well: the loss fell again after a rise, so where to stop is open; trainer.fit(…, epochs={twice})"
)
_DECAY = "weight decay: optim.AdamW(1e-3, weight_decay=1e-2)"
_DROPOUT = "dropout: nn.Dropout(0.2) after each hidden layer"
_SMALLER = "a smaller model: half the width of each hidden layer"
_ENSEMBLE = "an ensemble: average the predictions of five seeds, Trainer(…, seed=0) to seed=4, or average the weights"

_MORE_ROWS = (
    "more validation data: {n_val} examples now; at least 30 and better 300, such as trainer.fit(…, validation=0.3)"
)
_SPLITS = "other splits: Trainer(…, seed=1) to seed=4 show how far the number moves"

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
    "cannot tell": (_MORE_ROWS, _SPLITS),
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
        "a larger learning rate, if the curve falls slowly: three times the present one",
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

# Not every reason why nothing can be told asks for more validation data; by the name of the rule.
_BY_RULE: dict[str, tuple[str, ...]] = {
    "few_epochs": ("more epochs: {epochs} now; call trainer.fit(…, epochs=30) again, it continues",),
    "useless": (
        "the data: do the targets belong to their inputs, and do the inputs say anything about them?",
        _LABELS,
        _DATA,
        _DECAY,
        _DROPOUT,
        _SMALLER,
    ),
    "unmeasured": ("the losses of single examples, at the best epoch and at the last: trainer.fit measures them",),
}


def remedies(
    verdict: str,
    *,
    best_epoch: int,
    epochs: int,
    n_train: int,
    second_descent: bool,
    n_val: int = 0,
    kept: Kept = "best",
    rule: str = "",
) -> tuple[str, ...]:
    """What to try, in order; epochs count from 1, ``rule`` is the name of the one that gave the verdict.

    >>> remedies("overfitting", best_epoch=14, epochs=40, n_train=100, second_descent=False)[2]
    'early stopping: already done, the weights of epoch 14 are kept; trainer.fit(…, patience=10) ends sooner'
    """
    stop = _LONGER if second_descent else _stopping(kept, best_epoch, epochs)
    words = {
        "best": best_epoch,
        "epochs": epochs,
        "twice": 2 * epochs,
        "many": 10 * epochs,
        "n_train": n_train,
        "n_val": n_val,
    }
    chosen = _BY_RULE.get(rule, REMEDIES[verdict])
    return tuple((stop if text is _STOP else text).format(**words) for text in chosen)


def _stopping(kept: Kept, best: int, epochs: int) -> str:
    if kept == "last":
        return 'early stopping: trainer.fit(…, keep="best") would have kept the weights of epoch {best}'
    done = {
        "best": "already done, the weights of epoch {best} are kept",
        "other": "already done, what a callback chose is kept instead of the weights of epoch {best}",
    }[kept]
    sooner = "; trainer.fit(…, patience=10) ends sooner" if epochs - best > PATIENCE else ""
    return f"early stopping: {done}{sooner}"
