"""``make bench``: everything, side by side with its peers in one run. Ratios above 1 mean that Weft is faster."""

import platform

import jax
import torch

from benchmarks import (
    fitting,
    frameworks,
    layers,
    operations,
    optimizers,
    populations,
    sequences,
    starting,
    stepping,
    streaming,
)

versions = f"Python {platform.python_version()}, jax {jax.__version__}, torch {torch.__version__}"
print(f"{platform.processor() or platform.machine()}, {versions}")
stepping.main()
operations.main()
layers.main()
sequences.main()
optimizers.main()
fitting.main()
frameworks.main()
streaming.main()
populations.main()
starting.main()
