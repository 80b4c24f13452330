"""``make bench``: everything, side by side with PyTorch in one run. Ratios above 1 mean that Weft is faster."""

import platform

import jax
import torch

from benchmarks import fitting, layers, operations, optimizers, sequences, starting, stepping

versions = f"Python {platform.python_version()}, jax {jax.__version__}, torch {torch.__version__}"
print(f"{platform.processor() or platform.machine()}, {versions}")
stepping.main()
operations.main()
layers.main()
sequences.main()
optimizers.main()
fitting.main()
starting.main()
