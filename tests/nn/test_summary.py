"""The table of a model."""

import numpy as np

import weft as wf
from weft import nn


def test_totals_frozen_parameters_and_layers_that_are_not_called():
    model = nn.Sequential(nn.Conv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(10))
    model.extra = nn.ModuleList([nn.Linear(2, 2)])
    model._order = model._order[:-1]
    model.build((2, 1, 6, 6))[0].freeze()
    table = nn.summary(model, np.zeros((2, 1, 6, 6)))
    assert (table.parameters, table.trainable) == (80 + 1290 + 6, 1290 + 6)
    assert table.parameter_bytes == 4 * table.parameters
    assert [row.output for row in table.rows] == [(2, 10), (2, 8, 4, 4), (2, 8, 4, 4), (2, 128), (2, 10), None, None]
    text = str(table)
    assert "1,376 parameters (1,296 trainable, 80 frozen)" in text
    assert "not called" in text
    assert "forward" not in vars(model[0])


def test_two_inputs():
    class Both(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(2), nn.Linear(2)

        def forward(self, x, y):
            return self.a(x) + self.b(y)

    table = nn.summary(Both(), (3, 4), (3, 5))
    assert [row.parameters for row in table.rows] == [0, 10, 12]


def test_the_work_of_any_layer_is_found_in_what_it_records():
    class Attention(nn.Module):
        def forward(self, x):
            return wf.matmul(x @ x.mT, x)

    class Repeated(nn.Module):
        def __init__(self):
            self.step = nn.Linear(4, 4)

        def forward(self, x):
            return wf.scan(lambda h, _: (self.step(h), h), x, length=3)[0]

    assert nn.summary(Attention(), (2, 5, 4)).multiply_adds == 2 * (2 * 5 * 5 * 4)
    heads = nn.MultiheadAttention(8, 2, batch_first=True)
    assert nn.summary(heads, (1, 3, 8), (1, 5, 8), (1, 5, 8)).multiply_adds == (3 + 5 + 5 + 3) * 8 * 8 + 2 * 3 * 5 * 8
    assert nn.summary(nn.Linear(4, 3), (2, 5, 4)).multiply_adds == 2 * 5 * 4 * 3
    assert nn.summary(nn.Conv2d(4, 6, 3, groups=2), (1, 4, 5, 5)).multiply_adds == 6 * 9 * 2 * 9
    assert nn.summary(nn.ConvTranspose2d(4, 6, 3), (1, 4, 5, 5)).multiply_adds == 4 * 6 * 9 * 25
    assert nn.summary(Repeated(), (2, 4)).flops == 2 * 3 * 2 * 16


def test_nothing_is_drawn_or_computed():
    model = nn.Sequential(nn.Linear(10_000, 20_000), nn.WeightNorm(nn.Linear(10_000)), nn.SpectralNorm(nn.Linear(7)))
    table = nn.summary(model, (1, 10_000))
    assert not any(p.settled for p in model.parameters())
    assert table.parameter_bytes > 1_600_000_000
