"""Data that is read while it trains gives what the same data in memory gives; augmentation is in the program."""

import numpy as np
import pytest

import weft as wf
from weft import augment, nn, optim
from weft.errors import ArgumentError, DataError
from weft.train import sources, supply

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")  # one line trains for all

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1000, 6)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)
HELD = (X[:200], Y[:200])


def trainer(**options):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 2))
    return wf.Trainer(model, "cross_entropy", optim.Adam(3e-3), ["accuracy", "f1_macro"], **options)


def fit(data, made=None, **options):
    how = {"validation": HELD, "epochs": 3, "batch_size": 48, "verbose": False, **options}
    return (made or trainer()).fit(data, **how)


@pytest.mark.parametrize("augmented", [None, [augment.GaussianNoise(0.1)]])
def test_a_mapped_array_gives_the_bits_of_the_array(augmented):
    in_memory = fit((X, Y), augment=augmented)
    read = fit(wf.data.mapped(X, Y), augment=augmented)
    assert read.history.rows == in_memory.history.rows
    assert "read while training" in read.settings["launches"]


def test_blocks_of_other_sizes_change_nothing(monkeypatch):
    whole = fit(wf.data.mapped(X, Y))
    monkeypatch.setattr(supply, "BLOCK_BATCHES", 3)
    assert fit(wf.data.mapped(X, Y)).history.rows == whole.history.rows


def test_a_fraction_for_validation_is_split_as_in_memory():
    in_memory, read = fit((X, Y), validation=0.25), fit(wf.data.mapped(X, Y), validation=0.25)
    assert read.history.rows == in_memory.history.rows


def test_validation_data_too_large_to_hold_is_read_for_each_epoch(monkeypatch):
    held = fit(wf.data.mapped(X, Y), validation=wf.data.mapped(*HELD))
    monkeypatch.setattr(sources, "HELD_BYTES", 100)
    read = fit(wf.data.mapped(X, Y), validation=wf.data.mapped(*HELD))
    np.testing.assert_allclose(read.history.rows, held.history.rows, rtol=1e-5)
    assert read.evidence is not None


def test_streams_train_in_their_order_and_are_scaled_by_their_own_rows():
    stream = wf.data.Stream(lambda: zip(X, Y, strict=True), length=len(X))
    in_order = fit((X, Y), shuffle=False, scale="standard")
    read = fit(stream, shuffle=False, scale="standard")
    # The sample of training rows is the first ones of a stream, and its scaling is found block by block.
    columns = [in_order.history.columns.index(c) for c in ("loss", "accuracy", "val_loss")]
    got, wanted = (np.array(r.history.rows)[:, columns] for r in (read, in_order))
    np.testing.assert_allclose(got, wanted, rtol=2e-5)


def test_a_loader_of_batches_is_a_source():
    class Loader:
        """What a loader of PyTorch looks like."""

        batch_size, dataset, sampler, batch_sampler = 50, [0] * len(X), None, range(0, len(X), 50)

        def __len__(self):
            return len(X) // 50

        def __iter__(self):
            for k in range(0, len(X), 50):
                yield X[k : k + 50], Y[k : k + 50]

    made = trainer()
    run = fit(Loader(), made)
    assert run.history["val_accuracy"][-1] > 0.5
    measured = made.evaluate(Loader())
    assert measured["loss"] == pytest.approx(made.evaluate((X, Y))["loss"], rel=1e-5)
    np.testing.assert_array_equal(made.predict(wf.data.mapped(X)), made.predict(X))


def test_labels_out_of_range_in_a_later_block_are_named():
    wrong = Y.copy()
    wrong[900] = 7
    with pytest.raises(DataError, match="label 7"):
        fit(wf.data.Stream(lambda: zip(X, wrong, strict=True)), shuffle=False)


@pytest.mark.parametrize(
    ("data", "options", "match"),
    [
        (wf.data.mapped(X), {}, "targets"),
        (wf.data.mapped(X, Y), {"scale_target": True}, "scale_target"),
        (wf.data.Stream(lambda: zip(X, Y, strict=True)), {"validation": 0.2, "policy": "tail"}, "hash"),
    ],
)
def test_what_cannot_be_done_while_reading_is_said(data, options, match):
    with pytest.raises((ArgumentError, DataError), match=match):
        fit(data, **options)


# ── augmentation ────────────────────────────────────────────────────────────────────────────────────────────


def test_augmentation_is_new_in_each_epoch_and_the_same_for_the_same_seed():
    class Seen(nn.Module):
        def __init__(self):
            self.fc, self.sums = nn.Linear(6, 2), nn.Buffer(np.zeros(1, np.float32))

        def forward(self, x):
            if self.training:
                self.sums.assign(self.sums + x.sum().reshape(1))
            return self.fc(x)

    def sums(epochs, seed=0, batch_size=1000):
        wf.random.seed(0)
        made = wf.Trainer(Seen(), "cross_entropy", optim.SGD(0.0), seed=seed)
        how = {"epochs": epochs, "batch_size": batch_size, "verbose": False, "keep": "last"}
        made.fit((X, Y), augment=augment.GaussianNoise(1.0), **how)
        return float(made.model.sums[0])

    first, both = sums(1), sums(2)
    assert first == sums(1)
    assert abs((both - first) - first) > 1.0
    assert sums(1, seed=1) != first
    assert sums(1, batch_size=100) == pytest.approx(first, abs=0.05)  # by example, however they are batched


def test_mixed_labels_train_and_metrics_see_the_labels_themselves():
    run = fit((X, Y), augment=[augment.MixUp(0.2), augment.LabelSmoothing(0.1)], epochs=8)
    assert run.history["accuracy"][-1] > 0.6
    assert run.history["val_accuracy"][-1] > 0.6


def test_integer_pictures_are_refused_with_the_cure():
    pictures = RNG.integers(0, 255, (40, 1, 8, 8)).astype(np.uint8)
    model = nn.Sequential(nn.Flatten(), nn.Linear(2))
    with pytest.raises(wf.WeftError, match="255"):
        wf.Trainer(model, "cross_entropy").fit(
            (pictures, Y[:40]), epochs=1, augment=augment.HorizontalFlip(), verbose=False
        )


def test_an_order_and_a_scale_that_make_no_sense_are_refused():
    with pytest.raises(ArgumentError, match="order of one's own"):
        fit(wf.data.mapped(X, Y), shuffle=lambda epoch: np.arange(len(X)))
    with pytest.raises(ArgumentError, match="scale=True"):
        fit(wf.data.Stream(lambda: zip(X, Y, strict=True)), scale=True)


def texts(y, names=("u", "v", "w")):
    return np.array(names)[y]


def a_stream_of_texts(n=300):
    labels = texts((X[:n, 0] > 0).astype(int) + (X[:n, 1] > 0))
    return wf.data.Stream(lambda: zip(X[:n], labels, strict=True), classes=["u", "v", "w"]), labels


def three_classes():
    wf.random.seed(0)
    return wf.Trainer(nn.Linear(6, 3), "cross_entropy", optim.Adam(1e-2), ["accuracy"])


def test_labels_of_validation_data_of_its_own_are_counted_in_the_classes_of_the_stream():
    stream, labels = a_stream_of_texts()
    some = np.flatnonzero(labels != "u")  # a set that lacks a class would count the others from 0
    made = three_classes()
    run = fit(stream, made, validation=(X[some], labels[some]), epochs=1)
    assert run.history["val_loss"][0] == pytest.approx(made.evaluate((X[some], labels[some]))["loss"], rel=1e-6)
    read = fit(stream, three_classes(), validation=wf.data.mapped(X[some], labels[some]), epochs=1)
    assert read.history["val_loss"] == run.history["val_loss"]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ((X[:9], ["u", "v", "x"] * 3), "not known: 'x'"),
        ((X[:9, :3], ["u", "v", "w"] * 3), r"training rows of shape \(6,\), validation rows of shape \(3,\)"),
        (X[:9], "only one of the two sets has targets"),
    ],
)
def test_validation_data_that_does_not_fit_a_stream_is_refused(held, told):
    with pytest.raises(DataError, match=told):
        fit(a_stream_of_texts()[0], three_classes(), validation=held)


def test_a_loader_that_shuffles_is_told_of_and_not_predicted():
    torch = pytest.importorskip("torch")
    rows = torch.utils.data.TensorDataset(torch.tensor(X[:100]), torch.tensor(Y[:100]))
    loader = torch.utils.data.DataLoader(rows, batch_size=16, shuffle=True)
    made = trainer()
    assert any("shuffles by itself" in note for note in fit(loader, made, epochs=1).notes)
    with pytest.raises(ArgumentError, match="nobody knows to which example"):
        made.predict(loader)
    in_order = torch.utils.data.DataLoader(rows, batch_size=16)
    np.testing.assert_array_equal(made.predict(in_order), made.predict(X[:100]))
