import subprocess
import sys

import weft.data


def test_importing_data_needs_numpy_only():
    libraries = {"jax", "pandas", "sklearn", "scipy", "matplotlib", "rich", "pyarrow", "polars", "PIL", "torch"}
    code = "import sys, weft.data; print(*{name.split('.')[0] for name in sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(told.stdout.split())
    assert {"weft", "numpy"} <= modules
    assert not modules & libraries


def test_every_public_name_exists_and_is_documented():
    for name in weft.data.__all__:
        value = getattr(weft.data, name)
        assert value.__doc__, name
