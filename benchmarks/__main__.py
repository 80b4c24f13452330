"""``make bench``: everything, side by side with PyTorch in one run. Ratios above 1 mean that Weft is faster."""

import platform

import jax
import torch

from benchmarks import fitting, operations, starting, stepping

versions = f"Python {platform.python_version()}, jax {jax.__version__}, torch {torch.__version__}"
print(f"{platform.processor() or platform.machine()}, {versions}")
stepping.main()
operations.main()
fitting.main()
starting.main()
