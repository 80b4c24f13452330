"""A look at what an augmentation does, before a model is trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from weft.augment.augmentation import Augmentation, check_pictures
from weft.augment.combining import as_augmentation
from weft.augment.draws import example_keys
from weft.errors import ArgumentError, is_whole
from weft.runtime.compiled import compile
from weft.tensor import as_tensor
from weft.view.style import look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]


def preview(augmentation: Any, x: Any, y: Any = None, seed: int = 0, epochs: int = 4) -> Array:
    """The same examples in several epochs: (epochs, B, …), of NumPy.

    Example i is given the number i, so these are the very pictures that training on x alone with this seed sees.
    ``augmentation`` may be a list; targets are given to those that mix them.

    >>> import numpy as np
    >>> from weft.augment import HorizontalFlip, preview
    >>> preview(HorizontalFlip(), np.zeros((2, 1, 4, 4), np.float32), epochs=3).shape
    (3, 2, 1, 4, 4)
    """
    return _epochs(augmentation, x, y, seed, epochs)[0]


def _epochs(augmentation: Any, x: Any, y: Any, seed: int, epochs: int) -> tuple[Array, list[Array] | None]:
    """The examples of each epoch, and their targets if there are any."""
    if not is_whole(epochs, 1):
        raise ArgumentError(f"preview: epochs={epochs!r}", expected="a whole number ≥ 1")
    x, y = as_tensor(x), None if y is None else as_tensor(y)
    chosen = _knowing(as_augmentation(augmentation), y)
    chosen.check_examples(x)
    chosen.check(x.numpy())
    numbers = as_tensor(np.arange(x.shape[0]))
    one = compile(lambda epoch: chosen(x, y, example_keys(seed, epoch, numbers)))
    made = [one(as_tensor(np.int64(epoch))) for epoch in range(epochs)]
    return np.stack([pair[0].numpy() for pair in made]), None if y is None else [pair[1].numpy() for pair in made]


def _knowing(augmentation: Augmentation, y: Any) -> Augmentation:
    """With as many classes as the labels show, where there are labels and it has not been told."""
    if y is None or y.dtype.is_floating or y.ndim != 1 or y.shape[0] == 0:
        return augmentation
    try:
        return augmentation.with_classes(max(2, int(y.numpy().max()) + 1))
    except ArgumentError:  # it knows of more classes than these few examples have
        return augmentation


def plot(augmentation: Any, x: Any, y: Any = None, seed: int = 0, epochs: int = 6) -> Figure:
    """A figure of pictures (B, C, H, W): a row for each, first as it is, then as each epoch shows it.

    A handful of pictures will do. With targets, what they become stands below each picture.

    >>> import numpy as np
    >>> from weft.augment import HorizontalFlip, plot
    >>> figure = plot(HorizontalFlip(), np.random.default_rng(0).uniform(size=(2, 3, 8, 8)).astype(np.float32))
    >>> len(figure.axes), figure.axes[1].get_title()
    (14, 'epoch 0')
    """
    x = as_tensor(x)
    check_pictures("plot", x)
    made, targets = _epochs(augmentation, x, y, seed, epochs)
    before = x.numpy()
    n, low, high = len(before), float(before.min()), float(before.max())
    first = None if y is None else np.asarray(as_tensor(y).numpy())
    with look():
        figure = new_figure(1.15 * (epochs + 1) + 0.4, (1.15 + 0.2 * (y is not None)) * n + 0.6)
        grid = figure.subplots(n, epochs + 1, squeeze=False)
        for i in range(n):
            for k in range(epochs + 1):
                picture = before[i] if k == 0 else made[k - 1, i]
                _show(grid[i, k], picture, low, high)
                values = first if k == 0 else targets[k - 1] if targets is not None else None
                if values is not None:
                    grid[i, k].set_xlabel(_words(values[i]), fontsize=8)
                if i == 0:
                    grid[i, k].set_title("original" if k == 0 else f"epoch {k - 1}", fontsize=9, loc="center")
        title = plain(_title(as_augmentation(augmentation)))
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _title(augmentation: Augmentation) -> str:
    parts = getattr(augmentation, "augmentations", (augmentation,))
    return ", ".join(part.name for part in parts) or "No augmentation"


def _show(axes: Any, picture: Array, low: float, high: float) -> None:
    """One picture (C, H, W): in colours where it has three channels, else the mean of its channels."""
    scaled = np.clip((picture.astype(np.float64) - low) / max(high - low, 1e-12), 0, 1)
    shown = scaled.transpose(1, 2, 0) if len(scaled) == 3 else scaled.mean(axis=0)
    axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _words(target: Any) -> str:
    """A label, a number, or the most likely classes with their probabilities."""
    target = np.asarray(target)
    if target.ndim == 0:
        return f"{target.item():.3g}" if target.dtype.kind == "f" else str(target.item())
    if target.ndim > 1 or target.dtype.kind != "f" or target.size < 2:
        return ""
    best = [int(k) for k in np.argsort(-target, kind="stable")[:2] if target[k] > 0]
    return ", ".join(f"{k}: {100 * target[k]:.0f} %" for k in best)
