"""Bad input never yields a number: each mistake is answered with what, where and the cure."""

import numpy as np
import pytest

import weft as wf
from weft import errors, nn, optim
from weft.nn import functional as F


def says(error, *parts):
    """The message of the error that the block must raise contains all ``parts``."""

    class Says:
        def __enter__(self):
            self.context = pytest.raises(error)
            self.caught = self.context.__enter__()

        def __exit__(self, *failure):
            handled = self.context.__exit__(*failure)
            message = str(self.caught.value)
            for text in parts:
                assert text in message, f"{text!r} is missing from:\n{message}"
            return handled

    return Says()


def iris_model(*last):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), *last)


def data(n=60, features=4, classes=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, features)).astype(np.float32), rng.integers(0, classes, n)


def fit(model, xy, loss="cross_entropy", **options):
    return wf.fit(model, xy, loss, optim.Adam(1e-2), epochs=1, verbose=False, **options)


def test_shapes_that_do_not_fit_name_both_and_the_line():
    with says(errors.ShapeError, "(2, 3)", "(4, 5)", "test_bad_input.py", "try:"):
        wf.ones((2, 3)) @ wf.ones((4, 5))
    with says(errors.ShapeError, "(2, 3)", "(4,)", "axis -1"):
        wf.ones((2, 3)) + wf.ones(4)


def test_a_wrong_input_size_names_the_layer():
    model = iris_model()
    with says(errors.ShapeError, "model.0", "Linear", "5", "4"):
        model(wf.ones((8, 5)))


def test_wrong_types():
    with says(errors.DTypeError, "int64", "x.astype(wf.float32)"):
        wf.tensor([1, 2], requires_grad=True)
    with says(errors.DTypeError, "elements of type"):
        wf.tensor(["a", "b"])
    with says(errors.DTypeError, "float99"):
        wf.zeros(3, dtype="float99")


def test_unknown_names_are_answered_with_the_closest():
    with says(errors.ArgumentError, "cross_entrpy", "cross_entropy"):
        wf.Trainer(iris_model(), "cross_entrpy")
    with says(errors.ArgumentError, "acuracy", "accuracy"):
        wf.Trainer(iris_model(), "cross_entropy", metrics=["acuracy"])
    with says(errors.ArgumentError, "iirs", "iris"):
        wf.data.load("iirs")


def test_labels_out_of_range():
    x, y = data()
    y[17] = 3
    with says(errors.DataError, "3", "17", "last layer"):
        fit(iris_model(), (x, y))
    with says(errors.WeftError, "7", "0"):
        F.cross_entropy(wf.ones((2, 3)), wf.tensor([7, 0]))


def test_numbers_that_are_not_finite():
    x, y = data()
    x[5, 2] = np.nan
    with says(errors.DataError, "row 5", "2"):
        fit(iris_model(), (x, y))
    x[5, 2] = np.inf
    with says(errors.DataError, "row 5"):
        fit(iris_model(), (x, y))


@pytest.mark.parametrize(
    ("given", "told", "cure"),
    [
        (None, "x is None", "an array, a tensor"),
        ("iris", "x is a str", "wf.data.load('iris')"),
        ("people.csv", "x is a str", "wf.data.read_csv(path, target)"),
        ({"x": 1, "y": 2}, "x is a dict", "(data['x'], data['y'])"),
        (zip([1], [2], strict=True), "x is a zip", "wf.data.Stream(lambda: …)"),
        ([(np.ones(4), 0), (np.ones(4), 1)], "x is not an array", "wf.data.Stream(…)"),
    ],
)
def test_what_holds_no_rows(given, told, cure):
    with says(errors.WeftError, told, cure):
        fit(iris_model(), given)


@pytest.mark.parametrize(
    "asked",
    [
        {"shuffle": "yes"}, {"shuffle": None}, {"scale": True}, {"scale": "robust"}, {"scale_target": "standard"},
        {"folder": 3}, {"folder": ""}, {"resume": "no", "folder": "runs"},
    ],
)  # fmt: skip
def test_arguments_of_another_type(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an empty path is this folder
    name, value = next(iter(asked.items()))
    with says(errors.ArgumentError, f"{name}={value!r}"):
        fit(iris_model(), data(), **asked)


@pytest.mark.parametrize("order", [lambda n: None, lambda n: np.arange(n - 1), lambda n: np.arange(float(n))])
def test_orders_that_are_none(order):
    with says(errors.ArgumentError, "shuffle(0) gave no order of 60 examples"):
        fit(iris_model(), data(), shuffle=lambda epoch: order(60))


def test_names_that_are_no_texts():
    with says(errors.ArgumentError, "no precision None", "bf16"):
        wf.Trainer(iris_model(), "mse", precision=None)
    for stream in (wf.data.csv_stream, wf.data.parquet):
        with says(errors.ArgumentError, "None as the files of a table"):
            stream(None, "price")
    import pandas as pd

    with says(errors.ArgumentError, "no target None", "'a'"):
        wf.data.open_table(pd.DataFrame({"a": [1.0], "b": [2.0]}), None)


def test_empty_or_unequal_data():
    with says(errors.DataError, "(0, 4)", "no data"):
        fit(iris_model(), (np.zeros((0, 4), np.float32), np.zeros(0, int)))
    x, y = data()
    with says(errors.DataError, "60", "59"):
        fit(iris_model(), (x, y[:-1]))
    with says(errors.DataError, "targets"):
        fit(iris_model(), x)


def test_a_class_too_small_for_both_sides():
    x, y = data()
    y[y == 2] = 1
    y[0] = 2
    with says(errors.DataError, "2", "stratify=False"):
        fit(iris_model(), (x, y), validation=0.2)


def test_a_class_missing_from_a_side_is_said():
    x, y = data()
    y = np.sort(y)
    with pytest.warns(wf.data.DataWarning, match="missing from the validation part|missing from the training part"):
        fit(iris_model(), (x, y), validation=0.2, policy="tail")


def test_how_to_split_without_a_split():
    with says(errors.ArgumentError, "policy= and groups= without validation data", "validation=0.2"):
        fit(iris_model(), data(), policy="group", groups=np.arange(60) // 6)
    with says(errors.ArgumentError, "stratify= with a validation set of its own"):
        fit(iris_model(), data(), validation=data(), stratify=True)


def test_one_row_and_columns_in_another_order_are_not_predicted():
    import pandas as pd

    x, y = data()
    frame = pd.DataFrame(x, columns=list("abcd"))
    trainer = wf.Trainer(iris_model(), "cross_entropy")
    trainer.fit((frame, y), epochs=1, verbose=False)
    for asked in (trainer.predict, trainer.outputs, lambda x: trainer.evaluate((x, y))):
        with says(errors.DataError, "'d', 'c', 'b', 'a'", "frame[['a', 'b', 'c', 'd']]"):
            asked(frame[list("dcba")])
    with says(errors.ShapeError, "(4,)", "2 axes", "x[None]"):
        trainer.predict(x[0])
    assert trainer.predict(x[:1]).shape == (1,)


def test_one_feature_without_an_axis_of_its_own():
    x, y = data()
    with says(errors.DataError, "(3,) of 2 examples of shape ()", "x.reshape(-1, 1)"):
        fit(nn.Sequential(nn.Linear(3)), (x[:, 0], y))


def test_a_column_against_a_vector():
    with says(errors.ShapeError, "(8, 1)", "(8,)"):
        F.mse_loss(wf.ones((8, 1)), wf.ones(8))
    x, y = data()
    with says(errors.ShapeError, "(60,)", "losses do not broadcast"):
        fit(nn.Sequential(nn.Linear(4, 3)), (x, y.astype(np.float32)), "mse")


def test_softmax_before_cross_entropy():
    x, y = data()
    with says(errors.WeftError, "softmax"):
        fit(iris_model(nn.Softmax()), (x, y))
    with says(errors.WeftError, "softmax"):
        F.cross_entropy(F.softmax(wf.ones((2, 3)), axis=-1), wf.tensor([0, 1]))


def test_files_that_are_missing_cut_short_or_not_ours(tmp_path):
    with says(errors.FileError, "does not exist", "wf.save"):
        wf.load(tmp_path / "nothing.weft")
    path = wf.save(iris_model(), tmp_path / "model.weft")
    whole = path.read_bytes()
    for name, content in (
        ("cut", whole[:-10]),
        ("text", b"hello"),
        ("empty", b""),
        ("flipped", b"\xff" * 8 + whole[8:]),
    ):
        (tmp_path / name).write_bytes(content)
        with says(errors.FileError, name, "no model of Weft"):
            wf.load(tmp_path / name)
    from safetensors.numpy import save_file

    save_file({"w": np.ones(3)}, tmp_path / "other.safetensors")
    with says(errors.FileError, "no model of Weft"):
        wf.load(tmp_path / "other.safetensors")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with says(errors.FileError, "cannot be written"):
        wf.save(iris_model(), tmp_path / "file" / "model.weft")
    path = wf.save(iris_model(), tmp_path / "model.weft")
    before = path.read_bytes()
    (tmp_path / "model.weft").chmod(0o644)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "model.weft"]
    assert path.read_bytes() == before


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = wf.save(iris_model(), tmp_path / "model.weft")
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with says(errors.FileError, "model.weft", "No space left", "nothing was left behind"):
        wf.save(iris_model(), path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.weft"]
    assert path.read_bytes() == before


def test_a_model_with_a_layer_that_is_not_registered_cannot_be_saved_by_surprise(tmp_path):
    class Mine(nn.Module):
        def forward(self, x):
            return x

    with says(errors.WeftError, "Mine", "register"):
        wf.save(nn.Sequential(Mine()), tmp_path / "mine.weft")
    assert list(tmp_path.iterdir()) == []


def test_tables(tmp_path):
    path = tmp_path / "t.csv"
    rows = "\n".join(f"{k},{k % 2}" for k in range(30))
    path.write_text(f"size,kind\n{rows}\n")
    with says(errors.ArgumentError, "price", "size", "kind"):
        wf.data.read_csv(path, target="price")
    path.write_text(f"size,kind\n{rows}\noops,1\n")
    with says(errors.DataError, "size", "oops", "32"):
        wf.data.read_csv(path, target="kind")
    path.write_text(f"size,kind\n{rows}\n,1\n")
    with says(errors.DataError, "size", "32", "impute"):
        wf.data.read_csv(path, target="kind")
    with says(errors.FileError, "no.csv"):
        wf.data.read_csv(tmp_path / "no.csv", target="kind")


def test_gradients_of_what_is_not_tracked():
    x = wf.tensor([1.0, 2.0])
    with says(errors.GradientError, "requires_grad=True", "test_bad_input.py"):
        wf.gradients((x * x).sum(), x)
    w = wf.tensor([1.0], requires_grad=True)
    with says(errors.GradientError, "does not depend"):
        wf.gradients((wf.tensor([2.0], requires_grad=True) * 2).sum(), w)
    with says(errors.GradientError, "one element"):
        (wf.tensor([1.0, 2.0], requires_grad=True) * 2).backward()
    with says(errors.GradientError, "no parameter has a gradient"):
        optim.SGD(0.1).step(iris_model())


def test_a_tracked_tensor_is_not_changed_in_place():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    with says(errors.GradientError, "w.assign_sub", "test_bad_input.py"):
        w -= 0.1
    with says(errors.GradientError, "assign"):
        w[0] = 3.0
    with says(errors.GradientError, "try:      w.assign(w * value)"):
        w *= 2
    assert w.tolist() == [1.0, 2.0]


def test_an_old_loss_after_a_step_says_when_its_history_ended():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    w.assign_sub(0.1)
    with says(errors.GradientError, "assigned", "w.assign_sub(0.1)"):
        loss.backward()


def test_numbers_out_of_range():
    for make in (lambda: optim.Adam(-1), lambda: optim.Adam(float("nan")), lambda: nn.Dropout(1.5)):
        with says(errors.ArgumentError, "expected:"):
            make()
    x, y = data()
    with says(errors.ArgumentError, "epochs=-1"):
        wf.fit(iris_model(), (x, y), "cross_entropy", epochs=-1)
    with says(errors.ArgumentError, "validation=1.5"):
        fit(iris_model(), (x, y), validation=1.5)
    with says(errors.ArgumentError, "worst"):
        fit(iris_model(), (x, y), keep="worst")


def test_truth_and_numbers_of_many_elements():
    with says(errors.ShapeError, ".any() or .all()"):
        bool(wf.ones(3) > 0)
    with says(errors.ShapeError, "exactly one element"):
        float(wf.ones(3))
    with pytest.raises(IndexError, match="out of range"):
        wf.ones(3)[3]


def test_an_error_names_the_class_or_the_op_that_the_line_called():
    with pytest.raises(wf.errors.ArgumentError) as caught:
        nn.SpectralNorm(nn.ReLU())
    assert "SpectralNorm(…), test_bad_input.py" in str(caught.value)
    with pytest.raises(wf.errors.ShapeError) as caught:
        wf.add(wf.ones(2), wf.ones(3))
    assert "test_bad_input.py" in str(caught.value)
