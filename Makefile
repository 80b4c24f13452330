# Each target creates the environment that it needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-external check format bench clean

demo: $(VENV)/installed
	$(BIN)/weft train digits --examples 100 --hidden 512,512 --epochs 60 --folder runs/demo-digits
	$(BIN)/weft train diabetes --hidden 512,512 --folder runs/demo-diabetes
	$(BIN)/weft train iris --folder runs/demo-iris

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2

test-external: $(VENV)/bench
	$(BIN)/python -m pytest -n 2 tests/external

check: $(VENV)/dev
	$(BIN)/ruff format --check . && $(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . && touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]" && touch $@ $(VENV)/installed

$(VENV)/bench: $(VENV)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]" && touch $@
