"""Modules: what they find, names, modes, sizes, copies, and what is recorded where."""

import copy

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError
from weft.graph.recording import context


class Block(nn.Module):
    def __init__(self, size):
        self.fc = nn.Linear(size, size)
        self.act = nn.Tanh()

    def forward(self, x):
        return self.act(self.fc(x))


class Net(nn.Module):
    def __init__(self, size=4):
        self.blocks = nn.ModuleList([Block(size), Block(size)])
        self.scale = nn.Parameter(np.ones(size, np.float32))
        self.seen = nn.Buffer(np.zeros((), np.int64))
        self.heads = nn.ModuleDict({"a": nn.Linear(3)})

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["a"](x * self.scale)


X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def test_attributes_are_found_by_themselves_and_named_by_their_path():
    net = Net().build((1, 4))
    assert [name for name, _ in net.named_parameters()] == [
        "scale",
        "blocks.0.fc.weight",
        "blocks.0.fc.bias",
        "blocks.1.fc.weight",
        "blocks.1.fc.bias",
        "heads.a.weight",
        "heads.a.bias",
    ]
    assert [name for name, _ in net.named_buffers()] == ["seen"]
    assert [name for name, _ in net.named_modules()][:3] == ["", "blocks", "blocks.0"]
    assert net.blocks[1].fc.path == "model.blocks.1.fc"
    assert net.blocks[1].fc.weight.path == "model.blocks.1.fc.weight"
    assert list(net.state_dict()) == ["scale", "seen", *[n for n, _ in net.named_parameters()][1:]]


def test_a_shared_layer_is_one_layer_with_its_first_name():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]  # as in PyTorch
    assert shared.path == "model.0"
    again = nn.construct(nn.describe(model))
    assert again[0] is again[2]


def test_tied_parameters_are_trained_once():
    class Tied(nn.Module):
        def __init__(self):
            self.table = nn.Embedding(5, 3)
            self.out = nn.Linear(3, 5, bias=False)
            self.out.weight = self.table.weight

        def forward(self, x):
            return self.out(self.table(x))

    model = Tied()
    assert [name for name, _ in model.named_parameters()] == ["table.weight"]
    model(wf.tensor([1, 2])).sum().backward()
    assert model.out.weight.grad is model.table.weight.grad


def test_the_layer_path_is_recorded_and_restored():
    paths = []

    class Spy(nn.Module):
        def forward(self, x):
            paths.append(context.path)
            return x

    model = nn.Sequential(nn.Sequential(Spy()), nn.Residual(Spy()))
    y = model(X)
    assert paths == ["model.0.0", "model.1.body"]
    assert y.node.path == "model.1"
    assert context.path == ""


def test_the_path_is_restored_after_an_error():
    with pytest.raises(wf.errors.ShapeError):
        nn.Linear(3, 2)(X)
    assert context.path == ""


class Branches(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(3, 1)

    def forward(self, features, *, scale):
        return self.fc(features[0] + features[1][:, :3]) * scale


def test_a_list_of_tensors_is_several_inputs_with_their_histories():
    encoder, head = nn.Linear(4, 3), Branches()
    head([encoder(X), X], scale=np.float64(2.0)).sum().backward()
    assert encoder.weight.grad.shape == (3, 4)


def test_inputs_by_name_are_inputs():
    layer = nn.Linear(2)
    assert layer(x=X).shape == (5, 2)
    y, _ = nn.LSTM(2)(x=X.astype(np.float64)[None])
    assert y.dtype is wf.float32
    with pytest.raises(ArgumentError, match="forward"):
        nn.Linear(2)(y=X)


def test_a_first_call_that_fails_leaves_the_sizes_open():
    model = nn.Sequential(nn.WeightNorm(nn.Linear(8)), nn.BatchNorm1d(), nn.Linear(3, 2))
    for _ in range(2):
        with pytest.raises(wf.errors.ShapeError):
            model(np.ones((5, 7), np.float32))
    model[2] = nn.Linear(8, 2)
    assert model(X).shape == (5, 2)


def test_what_is_compiled_follows_every_attribute():
    model = nn.Sequential(nn.ModuleList([nn.ELU()])[0], nn.Threshold(0.0, 0.0))
    f = wf.compile(model)
    x = wf.tensor([-1.0, 2.0])
    before = f(x).tolist()
    model[1].value = 7.0
    assert f(x).tolist() == [7.0, before[1]]
    model[1] = nn.Tanh()
    np.testing.assert_allclose(f(x).tolist(), np.tanh([np.expm1(-1.0), 2.0]), rtol=1e-5)


# ── first values ────────────────────────────────────────────────────────────────────────────────────────────


def test_first_values_depend_on_the_seed_and_the_name_alone():
    wf.random.seed(3)
    short = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    long = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(2))
    long(X)
    np.testing.assert_array_equal(short[0].weight.numpy(), long[0].weight.numpy())
    assert not np.allclose(long[0].weight.numpy()[:2, :4], long[2].weight.numpy()[:, :4])
    wf.random.seed(4)
    other = nn.Sequential(nn.Linear(4, 8))
    assert not np.allclose(short[0].weight.numpy(), other[0].weight.numpy())


def test_names_of_the_same_letters_begin_differently():
    pair = nn.ModuleDict(
        {"1": nn.ModuleDict({"block": nn.ModuleDict()}), "2": nn.ModuleDict({"block": nn.ModuleDict()})}
    )
    pair["1"]["block"]["2"] = nn.Linear(4, 4)
    pair["2"]["block"]["1"] = nn.Linear(4, 4)
    first, second = (p.numpy() for name, p in pair.named_parameters() if name.endswith("weight"))
    assert not np.allclose(first, second)


def test_the_seed_of_the_declaration_counts_not_that_of_the_first_use():
    wf.random.seed(1)
    a = nn.Linear(4, 2)
    wf.random.seed(2)
    b = nn.Linear(4, 2)
    wf.random.seed(1)
    c = nn.Linear(4, 2)
    np.testing.assert_array_equal(a.weight.numpy(), c.weight.numpy())
    assert not np.allclose(a.weight.numpy(), b.weight.numpy())


def test_adding_a_layer_does_not_change_the_others():
    wf.random.seed(5)
    small = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    wf.random.seed(5)
    large = nn.ModuleDict(
        {"new": nn.Linear(9, 9), "a": nn.Linear(4, 4), "more": nn.Conv1d(1, 2, 3), "b": nn.Linear(4, 4)}
    )
    for name in ("a", "b"):
        np.testing.assert_array_equal(small[name].weight.numpy(), large[name].weight.numpy())


def test_another_initialisation_draws_anew_by_name_and_seed():
    layer = nn.Linear(4, 4)
    layer.weight.initialize("orthogonal", gain=2.0)
    first = layer.weight.numpy()
    np.testing.assert_allclose(first @ first.T, 4 * np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(layer.weight.initialize("orthogonal", gain=2.0).numpy(), first)
    assert not np.allclose(layer.weight.initialize("orthogonal", seed=9).numpy(), first / 2)
    assert nn.Parameter([[1.0, 2.0]]).initialize("zeros").tolist() == [[0.0, 0.0]]


def test_initialize_starts_anew_also_what_is_running():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).initialize(seed=7)
    first = model.state_dict()
    model(X)
    model[0].weight.assign_add(1.0)
    model.initialize(seed=7)
    for path, value in model.state_dict().items():
        np.testing.assert_array_equal(value, first[path], err_msg=path)
    assert not np.allclose(model.initialize(seed=8)[0].weight.numpy(), first["0.weight"])


def test_drawing_a_first_value_compiles_nothing():
    before = wf.explain().count
    nn.Linear(300, 200).weight.numpy()
    assert wf.explain().count == before


def test_parameters_made_while_a_function_is_recorded_are_leaves_with_values():
    model = nn.Sequential(nn.Linear(6), nn.BatchNorm1d(), nn.Linear(2))
    f = wf.compile(lambda x: model(x))
    first = f(X).numpy()
    assert all(p.node.data is not None for p in (*model.parameters(), *model.buffers()))
    np.testing.assert_allclose(model(X).numpy(), first, rtol=1e-5, atol=1e-6)


def test_build_leaves_buffers_and_random_numbers_alone():
    model = nn.Sequential(nn.Linear(4), nn.BatchNorm1d(), nn.Dropout(0.5))
    counter = wf.random.generator().counter
    model.build((1, 4))
    assert float(model[1].running_mean.sum()) == 0.0
    assert int(model[1].num_batches_tracked) == 0
    assert wf.random.generator().counter == counter
    assert model.training


def test_a_size_that_is_not_known_yet_is_an_error_with_the_cure():
    model = nn.Sequential(nn.Linear(3))
    assert model[0].weight.known_shape is None
    assert "Parameter(not drawn yet" in repr(model[0].weight)
    with pytest.raises(ArgumentError, match=r"(?s)shape of model\.0\.weight is not known.*model\.build"):
        model.state_dict()


# ── modes and changes ───────────────────────────────────────────────────────────────────────────────────────


def test_a_compiled_function_notices_a_changed_mode():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.9))
    f = wf.compile(lambda x: model(x))
    assert (f(X).numpy() == 0).any()
    model.eval()
    assert not (f(X).numpy() == 0).any()
    model.train()
    assert (f(X).numpy() == 0).any()
    model[1].p = 0.0
    assert not (f(X).numpy() == 0).any()


def test_dropout_draws_anew_at_every_call_of_a_compiled_function():
    f = wf.compile(lambda x: nn.functional.dropout(x, 0.5))
    ones = np.ones(64, np.float32)
    assert not np.array_equal(f(ones).numpy(), f(ones).numpy())


def test_frozen_parameters_get_no_gradient_and_thaw():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    model[0].freeze()
    model(X).sum().backward()
    assert model[0].weight.grad is None
    assert model[1].weight.grad is not None
    model[0].unfreeze()
    model(X).sum().backward()
    assert model[0].weight.grad is not None


def test_a_parameter_is_frozen_by_assignment_as_in_pytorch():
    layer = nn.Linear(3, 2)
    for p in layer.parameters():
        p.requires_grad = False
    layer.weight.requires_grad = True
    layer(wf.ones((1, 3))).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert layer.bias.grad is None


def test_patterns_freeze_by_the_path_of_a_parameter_or_of_a_module_around_it():
    net = Net().build((1, 4)).freeze("blocks.0", "*.bias")
    trained = [name for name, p in net.named_parameters() if p.requires_grad]
    assert trained == ["scale", "blocks.1.fc.weight", "heads.a.weight"]
    assert not any(p.settled for name, p in net.named_parameters() if name != "scale")
    net.unfreeze("blocks.*")
    assert net.blocks[0].fc.bias.requires_grad
    assert not net.heads["a"].bias.requires_grad
    net.requires_grad_(False)
    with pytest.raises(wf.errors.GradientError):
        net(X).sum().backward()
    with pytest.raises(ArgumentError, match=r"(?s)no parameter matches 'block'.*blocks"):
        net.freeze("block")


@pytest.mark.parametrize("name", ["half", "bfloat16", "double", "float"])
def test_the_type_of_all_numbers_changes(name):
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(3))
    f = wf.compile(lambda x: model(x))
    f(X)
    to = {"half": wf.float16, "double": wf.float64, "float": wf.float32}.get(name, wf.bfloat16)
    assert getattr(model, name)() is model
    assert {p.dtype for p in model.parameters()} == {model[1].running_mean.dtype} == {to}
    assert model[1].num_batches_tracked.dtype is wf.int64
    assert f(wf.tensor(X).astype(to)).dtype is to
    again = nn.construct(nn.describe(model))
    again.load_state_dict(model.state_dict())
    assert {p.dtype for p in again.parameters()} == {again[1].running_mean.dtype} == {to}
    with pytest.raises(wf.errors.DTypeError, match="floating-point"):
        model.to(wf.int64)


def test_a_compiled_function_notices_another_type():
    model = nn.Linear(4, 2)
    f = wf.compile(lambda: model.weight.sum() + model(wf.ones((1, 4))).sum().astype(wf.float32) * 0)
    first = float(f())
    model.double()
    assert f().dtype is wf.float64
    assert float(f()) == pytest.approx(first, rel=1e-5)


def test_apply_visits_children_first():
    seen = []
    nn.Sequential(nn.ReLU(), nn.Tanh()).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["ReLU", "Tanh", "Sequential"]


def test_replacing_a_layer_is_noticed_by_parameters():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    assert len(list(model.parameters())) == 4
    model[1] = nn.Linear(4, 2, bias=False)
    assert len(list(model.parameters())) == 3
    del model[0].bias
    assert len(list(model.parameters())) == 2


def test_a_copy_computes_the_same_and_trains_apart():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    model(X)
    other = copy.deepcopy(model)
    np.testing.assert_array_equal(other.eval()(X).numpy(), model.eval()(X).numpy())
    other[0].weight.assign_add(1.0)
    assert not np.allclose(other[0].weight.numpy(), model[0].weight.numpy())
    assert other[1].path == "model.1"


class Pair(nn.Module):
    def __init__(self):
        self.online = nn.Sequential(nn.Linear(4, 3))
        self.target = copy.deepcopy(self.online)


def test_a_copy_begins_as_what_it_is_a_copy_of_whatever_their_names():
    model = nn.Sequential(Pair())
    np.testing.assert_array_equal(model[0].target[0].weight.numpy(), model[0].online[0].weight.numpy())
    before = model[0].target[0].weight.numpy().copy()
    inner = copy.deepcopy(model[0].online[0])
    np.testing.assert_array_equal(inner.weight.numpy(), before)
    model.initialize(1)  # by the names
    assert not np.array_equal(model[0].target[0].weight.numpy(), model[0].online[0].weight.numpy())


def test_the_copies_in_a_stack_begin_differently():
    layer = nn.TransformerEncoderLayer(4, 1, 4)
    layer(wf.ones((2, 1, 4)))
    first, second = nn.TransformerEncoder(layer, 2).layers
    assert not np.array_equal(first.linear1.weight.numpy(), second.linear1.weight.numpy())


def test_a_model_on_another_device_stays_there():
    if len(wf.devices("cpu")) < 2:
        pytest.skip("one device")
    model = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)).to("cpu:1")
    other = copy.deepcopy(model)
    model.load_state_dict(model.state_dict())
    model[0].initialize(1)
    model.double()
    for made in (model, other):
        assert {str(t.device) for t in (*made.parameters(), *made.buffers())} == {"cpu:1"}
    unsized = nn.Sequential(nn.Linear(4, 2), nn.Linear(3))
    with pytest.raises(ArgumentError, match="not known"):
        unsized.to("cpu:1")
    assert str(unsized[0].weight.device) == "cpu:0"


def test_numpy_inputs_become_float32_at_the_door():
    assert nn.Linear(4, 2)(X.astype(np.float64)).dtype is wf.float32
    assert nn.Linear(4, 2, dtype=wf.float64)(X.astype(np.float64)).dtype is wf.float64
    assert nn.Linear(2, 1)([[1.0, 2.0]]).shape == (1, 1)


def test_to_moves_to_a_device():
    model = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)).to("cpu:0")
    assert {str(t.device) for t in (*model.parameters(), *model.buffers())} == {"cpu:0"}


# ── containers ──────────────────────────────────────────────────────────────────────────────────────────────


def test_sequential_from_a_list_one_by_one_or_by_names():
    a = nn.Sequential([nn.Linear(4, 3), nn.ReLU()]).append(nn.Linear(3, 2)).extend([nn.Tanh()])
    assert len(a) == 4
    assert isinstance(a[-1], nn.Tanh)
    assert [type(m).__name__ for m in a[1:3]] == ["ReLU", "Linear"]
    assert a[1:3][1] is a[2]
    named = nn.Sequential({"fc": nn.Linear(4, 3), "act": nn.ReLU()})
    assert named["fc"] is named.fc is named[0]
    assert repr(named) == ("Sequential(\n  (fc): Linear(in_features=4, out_features=3, bias=True)\n  (act): ReLU()\n)")
    named.act = nn.Tanh()
    assert isinstance(named[1], nn.Tanh)


def test_containers_hold_modules_only():
    with pytest.raises(ArgumentError, match=r"nn\.ReLU\(\), with parentheses"):
        nn.Sequential(nn.Linear(4, 3), nn.ReLU)
    with pytest.raises(ArgumentError, match=r"for block in self\.blocks"):
        nn.ModuleList([nn.ReLU()])(X)
    heads = nn.ModuleDict({"a": nn.ReLU()})
    assert "a" in heads
    assert list(heads) == ["a"]
    assert [n for n, _ in heads.items()] == ["a"]
    with pytest.raises(ArgumentError, match="not taken"):
        heads["forward"] = nn.ReLU()


def test_what_the_module_could_not_see_is_refused():
    class Bad(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(4, 4)]

    with pytest.raises(ArgumentError, match=r"self\.layers = nn\.ModuleList"):
        Bad()
    holder = Block(2)
    for value in ([nn.ReLU()], [[nn.ReLU()]], {nn.ReLU()}):
        with pytest.raises(ArgumentError, match=r"self\._inner = nn\.ModuleList"):
            holder._inner = value
    holder._later = []
    holder._later.append(nn.Linear(2, 2))
    with pytest.raises(ArgumentError, match="_later"):
        list(Block.parameters(nn.Sequential(holder)))
    layer = nn.Linear(4, 4)
    with pytest.raises(ArgumentError, match=r"self\.weight\.assign"):
        layer.weight = wf.zeros((4, 4))
    for value in (np.ones((4, 4), np.float32), 1.0, [[1.0]]):
        with pytest.raises(ArgumentError, match=r"in the place of the parameter 'weight'"):
            layer.weight = value
    with pytest.raises(ArgumentError, match="_later"):
        holder.state_dict()
    layer.weight.data = np.zeros((4, 4), np.float32)
    assert float(layer.weight.sum()) == 0.0


def test_a_tensor_remembered_of_a_call_makes_no_new_program():
    class Remembering(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            self.last = self.fc(x)
            return self.last

    model, x = Remembering(), wf.ones((1, 2))
    f = wf.compile(lambda x: model(x))
    for _ in range(2):
        before = wf.explain().count
        wf.realize(f(x))
        wf.realize(model(x))
    assert wf.explain().count == before
