"""The table of a model."""

import numpy as np

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
