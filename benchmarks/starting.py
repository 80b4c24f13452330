"""How long it takes to start: whole processes, the least of several."""

import subprocess
import sys
import time


def main():
    """Print the times of ``weft --help`` and ``import weft``, beside ``import torch``."""
    print("\nstarting, whole process, least of 7")
    for what, code, wanted in (
        ("weft --help", "import sys; from weft.cli import main; main(['--help'])", 0.3),
        ("import weft", "import weft", 0.8),
        ("import torch", "import torch", None),
    ):
        seconds = min(process(code) for _ in range(7))
        print(f"{what:<44}{seconds:>8.2f} s" + (f"   wanted < {wanted} s" if wanted else ""), flush=True)


def process(code):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
