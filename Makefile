# Two commands for a newcomer: `make demo` and `make test`. Each sets up .venv first, from a fresh clone and nothing else.
VENV := .venv
PYTHON ?= python3
# the tests start hundreds of processes: each would compile the package anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types suite studies sample clean

demo: $(VENV)/.ready
	$(VENV)/bin/audit run

test: lint types suite

lint: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-cache

types: $(VENV)/.ready
	$(VENV)/bin/mypy

# a thread for each of the two workers: with more they wait for one another
suite: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

# what takes too long for every change: the full-coverage twin, trainings that are killed, the longest notebook
studies: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder -m study

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

sample: $(VENV)/.ready
	$(VENV)/bin/python scripts/sample_report.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
