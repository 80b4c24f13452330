"""Progress: plain lines where there is no terminal, and silence where it is asked for."""

import sys
import types

import numpy as np

import weft as wf
from weft import nn
from weft.train import progress


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


def test_a_notebook_gets_one_output_that_is_replaced(monkeypatch):
    shown = []

    class Handle:
        def update(self, text):
            shown.append(repr(text))

    def display(text, display_id):
        shown.append(repr(text))
        return Handle()

    notebook = types.ModuleType("IPython.display")
    notebook.display = display
    shell = types.ModuleType("IPython")
    shell.get_ipython, shell.display = lambda: types.SimpleNamespace(kernel=True), notebook
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    wf.fit(nn.Sequential(nn.Linear(1, 1)), (x, 2 * x), "mse", validation=0.5, epochs=3)
    assert shown[0].startswith("compiling")
    assert shown[-1].startswith("epoch 3/3")
    assert len(shown) < 6


def test_the_time_left_leaves_out_what_was_spent_on_compiling(monkeypatch):
    clock = iter(np.arange(100.0))
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: next(clock)))
    compiling = iter([0.0, 5.0])
    monkeypatch.setattr(progress, "seconds_compiling", lambda: next(compiling))
    watch = progress.Progress(10, 0, verbose=False)
    lines = []
    watch.line.update = lines.append
    for _ in range(6):
        next(clock)
    watch.epoch(1, {"train_loss": 1.0})  # 3 seconds an epoch, without the 5 of compiling
    assert lines[0].endswith("about 27 s left")
