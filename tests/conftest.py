"""Several virtual devices for the whole suite, and compiled programs kept between runs."""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores

import pytest

import weft as wf


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random numbers."""
    wf.random.seed(0)
