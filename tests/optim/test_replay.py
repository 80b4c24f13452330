"""scikit-learn's MLPClassifier trained again: the same loss curve from the same weights and batches."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler

import weft as wf
from weft import optim

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
EPOCHS, BATCH = 12, 64
HOW: dict[str, tuple[dict[str, Any], Any]] = {
    "SGD": (
        {"solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.0, "nesterovs_momentum": False},
        lambda: optim.SGD(0.2),
    ),
    "momentum": (
        {"solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.9, "nesterovs_momentum": False},
        lambda: optim.SGD(0.2, momentum=0.9),
    ),
    "Nesterov": (
        {"solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.9, "nesterovs_momentum": True},
        lambda: optim.SGD(0.2, momentum=0.9, nesterov=True),
    ),
    # scikit-learn adds ε to √v before the correction of the bias, which is Adam's with ε/√(1 − β₂ᵗ)
    "Adam": (
        {"solver": "adam", "learning_rate_init": 0.01},
        lambda: optim.Adam(0.01, epsilon=optim.Function(lambda t: 1e-8 / (1 - 0.999 ** (t + 1)) ** 0.5)),
    ),
}


def curve(x: Any, y: Any, weights: list[Any], opt: Any) -> list[float]:
    """The mean loss of each epoch, batches in the order of the data."""
    hidden, output, a, b = weights

    @wf.compile
    def step(rows: Any, labels: Any) -> Any:
        logits = wf.relu(rows @ hidden + a) @ output + b
        loss = wf.nn.functional.cross_entropy(logits, labels)
        opt.update(weights, wf.gradients(loss, weights))
        return loss.detach() * rows.shape[0]

    def epoch() -> float:
        parts = [(x[k : k + BATCH], y[k : k + BATCH]) for k in range(0, len(x), BATCH)]
        return sum(float(step(wf.tensor(rows), wf.tensor(labels))) for rows, labels in parts) / len(x)

    return [epoch() for _ in range(EPOCHS)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)], ids=["float64", "float32"])
@pytest.mark.parametrize("name", HOW)
def test_the_loss_curve_is_scikit_learns(name: str, dtype: Any, tolerance: float) -> None:
    x, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0).permutation(len(x))
    x, y = MinMaxScaler().fit_transform(x)[rng], y[rng]
    settings, make = HOW[name]
    fixed = {
        "hidden_layer_sizes": (20,),
        "shuffle": False,
        "batch_size": BATCH,
        "alpha": 0,
        "tol": 0,
        "random_state": 0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twin = MLPClassifier(**{**fixed, **settings, "learning_rate_init": 1e-14, "max_iter": 1}).fit(x, y)
        theirs = MLPClassifier(**fixed, **settings, max_iter=EPOCHS).fit(x, y)
    start = [wf.tensor(w.astype(dtype), requires_grad=True) for w in (*twin.coefs_, *twin.intercepts_)]
    found = curve(x.astype(dtype), y, start, make())
    np.testing.assert_allclose(found, theirs.loss_curve_, rtol=tolerance)
