import subprocess
import sys

import weft.data


def test_importing_data_needs_numpy_only():
    code = (
        "import sys; import weft.errors; before = set(sys.modules); import weft.data;"
        "new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(new & {'jax', 'pandas', 'sklearn', 'scipy', 'matplotlib', 'rich'}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_every_public_name_exists_and_is_documented():
    for name in weft.data.__all__:
        value = getattr(weft.data, name)
        assert value.__doc__, name
