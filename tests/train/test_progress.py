"""Progress: plain lines where there is no terminal, and silence where it is asked for."""

import numpy as np

import weft as wf
from weft import nn


def trained(capsys, **options):
    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    wf.fit(nn.Sequential(nn.Linear(1, 1)), (x, 2 * x), "mse", metrics=["mae"], validation=0.5, epochs=40, **options)
    return capsys.readouterr()


def test_plain_lines_get_rarer_and_end_with_the_last_epoch(capsys):
    lines = trained(capsys).err.splitlines()
    assert lines[0].startswith("epoch 1/40  loss ")
    assert lines[-1].startswith("epoch 40/40  loss ")
    assert "val " in lines[0]
    assert 5 <= len(lines) < 25
    assert max(map(len, lines)) <= 80


def test_silence(capsys):
    said = trained(capsys, verbose=False)
    assert said.err == said.out == ""
