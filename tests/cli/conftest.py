"""Small tables, and one run of each kind that the tests of a process share."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from weft.cli import main


@dataclass
class Said:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def error(self):
        """What was printed as an error, as one line."""
        return " ".join(self.err.split())


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def weft(capsys):
    """Run the command line in this process."""

    def run(*words):
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Said(status, *capsys.readouterr())

    return run


def homes(rows=60, seed=0):
    """Rooms, a city and an area, with a price that follows from them; and whether the home is dear."""
    rng = np.random.default_rng(seed)
    rooms, city = rng.integers(1, 7, rows), rng.choice(["Basel", "Bern", "Chur"], rows)
    area = rooms * 20 + 30 * rng.random(rows)
    price = 100 * rooms + 2 * area + 50 * (city == "Bern") + 5 * rng.standard_normal(rows)
    dear = np.where(price > np.median(price), "yes", "no")
    lines = [f"{r},{c},{a:.4f},{p:.2f},{d}" for r, c, a, p, d in zip(rooms, city, area, price, dear, strict=True)]
    return "\n".join(["rooms,city,area,price,dear", *lines]) + "\n"


QUICK = ("--epochs", "6", "--hidden", "8", "--batch-size", "16")


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with homes.csv and three runs: price (regression), dear (classification), iris (bundled)."""
    folder = tmp_path_factory.mktemp("shared")
    table = folder / "homes.csv"
    table.write_text(homes())
    commands = {
        "price": (table, "--target", "price", "--ignore", "dear"),
        "dear": (table, "--target", "dear", "--ignore", "price"),
        "iris": ("iris",),
    }
    for name, words in commands.items():
        out = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            patch.setenv("COLUMNS", "80")
            assert main(["train", *map(str, words), *QUICK, "--folder", str(folder / name)]) == 0
        (folder / f"{name}.txt").write_text(out.getvalue())
    return Path(folder)
