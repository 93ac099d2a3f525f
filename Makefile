# Two commands for a newcomer: `make demo` and `make test`. Each sets up .venv first, from a fresh clone and nothing else.
VENV := .venv
PYTHON ?= python3
# the tests start hundreds of processes: each would compile the package anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types suite studies sample core lowest clean

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

# a core installation: measures, reports, compares and gates runs made elsewhere
core:
	$(PYTHON) -m venv .venv-core
	.venv-core/bin/pip install --quiet --no-compile --requirement requirements-core.txt --constraint constraints.txt
	.venv-core/bin/pip install --quiet --no-compile --no-deps .
	du -sm .venv-core
	.venv-core/bin/audit --version

TESTING := 'pytest>=8.3' 'hypothesis>=6.120' 'jsonschema>=4.23' 'psutil>=6.0' 'pyyaml>=6' 'xmlschema>=4.0'
# the test's own call of scipy needs 1.15
NEWER := --deselect tests/stats/test_stats_rates.py::test_a_mean_from_thirty_speakers_on_is_bootstrapped
LOWEST := tests/stats/test_stats_rates.py tests/stats/test_stats_groups.py tests/audits/test_measure.py tests/audits/test_tables.py tests/checks/test_evidence.py tests/checks/test_rendered_as_other.py \
	tests/cohorts/test_cohort.py tests/comparisons tests/core/test_plan.py tests/core/test_recording.py tests/instruments/test_instrument_reading.py \
	tests/models/test_speech2face.py tests/release/test_gating.py tests/reports/test_report_tables.py tests/runs/test_harness.py tests/training/test_training.py

# the tests that use the dependencies most, with the lowest versions that pyproject.toml allows (torch: that of constraints.txt)
lowest:
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) scripts/lowest_versions.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/pip install --quiet --constraint .venv-lowest/constraints.txt --editable . $(TESTING)
	OMP_NUM_THREADS=1 .venv-lowest/bin/pytest -W default::DeprecationWarning -W default::FutureWarning $(NEWER) $(LOWEST)

clean:
	rm -rf $(VENV) .venv-core .venv-lowest .pytest_cache .mypy_cache .ruff_cache .hypothesis
