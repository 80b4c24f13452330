"""The rules of the house, held by tests: imports run one way, the public surface is listed and documented."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import weft as wf
from weft.graph.op import Op

SOURCE = Path(wf.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
# From the ground up; a part imports only from itself and from parts before it.
ORDER = [
    "errors",
    "storage",
    "graph",
    "ops",
    "runtime",
    "operators",
    "methods",
    "tensor",
    "creation",
    "inspection",
    "linalg",
    "fft",
    "special",
    "random",
    "transforms",
    "control",
    "nn",
    "optim",
    "data",
    "overfit",
    "view",
    "augment",
    "train",
    "studies",
    "interop",
    "cli",
]
# The one knot: a tensor can say ``loss.backward()``, and gradients are made of tensors.
DECLARED = {("tensor", "transforms")}


def part(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path):
    """The modules that a file imports: (name, whether at module level)."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node in tree.body


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_run_towards_the_graph(path):
    here = part(path)
    if here in ("__init__", "__main__"):
        return
    for name, _ in imported(path):
        pieces = name.split(".")
        if pieces[0] == "weft" and len(pieces) > 1 and pieces[1] in ORDER:
            allowed = ORDER.index(pieces[1]) <= ORDER.index(here) or (here, pieces[1]) in DECLARED
            assert allowed, f"{path.relative_to(SOURCE)} imports {name}, which lies above it"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_ops_and_runtime_know_the_engine_and_only_its_public_part(path):
    for name, _ in imported(path):
        if name.split(".")[0] in ("jax", "jaxlib"):
            assert part(path) in ("ops", "runtime"), f"{path.relative_to(SOURCE)} imports {name}"
            assert "_src" not in name
            assert not name.startswith(("jax.core", "jax.interpreters", "jaxlib"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_file_holds_two_ideas(path):
    assert len(path.read_text().splitlines()) <= 500


def test_no_pickle_and_no_code_from_files():
    for path in FILES:
        names = {name.split(".")[0] for name, _ in imported(path)}
        assert not names & {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}, path
        calls = {
            n.func.id
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert not calls & {"eval", "exec", "__import__"}, path


def test_public_names_exist_and_are_listed():
    assert len(set(wf.__all__)) == len(wf.__all__)
    for name in wf.__all__:
        assert hasattr(wf, name), name


def test_public_names_are_documented():
    for space in (wf, wf.linalg, wf.fft, wf.special, wf.nn, wf.optim, wf.data, wf.overfit, wf.random):
        for name in getattr(space, "__all__", None) or vars(space):
            value = getattr(space, name)
            known = inspect.isclass(value) or inspect.isfunction(value) or isinstance(value, Op)
            if name.startswith("_") or not known or not value.__module__.startswith("weft"):
                continue
            assert value.__doc__, f"{space.__name__}.{name} has no docstring"


def test_importing_weft_imports_no_engine():
    code = (
        "import sys, weft; print(*(m for m in ('jax', 'pandas', 'sklearn', 'matplotlib', 'torch') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
