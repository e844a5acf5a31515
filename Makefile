# Everything sets itself up: `make demo` and `make test` need Python 3.11 or later, make and a network, nothing else.
# The environment is made anew when pyproject.toml or constraints.txt change, so a second run starts in seconds.
#   PYTHON=python3.12    another interpreter
#   PIP_FLAGS=…          further arguments of every `pip install`, for instance another index
#   JOBS=4               processes of `make test`

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP_FLAGS ?=
JOBS ?= 2

BIN := .venv/bin
READY := .venv/.ready
# older pips know no dependency groups
PIP := pip==25.3
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint format docs bench picture clean

help:
	@echo "make demo       learn a real table, write synthetic rows and a report into demo-output/"
	@echo "make test       the tests that take minutes"
	@echo "make test-slow  the tests that take longer"
	@echo "make lint       ruff, pyright and import-linter"
	@echo "make format     let ruff format and mend"
	@echo "make docs       the documentation site, into build/site"
	@echo "make bench      the table benchmark beside its peers (hours)"
	@echo "make picture    draw the picture of README.md again (minutes)"
	@echo "make clean      remove the environment, caches and what was built"

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python found: install Python 3.11 or later, or say PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11: say PYTHON=python3.11" >&2; exit 2; }
	@echo "setting up .venv (once, a few minutes)"
	$(PYTHON) -m venv --clear .venv
	$(INSTALL) $(PIP) hatchling editables
	$(INSTALL) --no-build-isolation -e '.[all]' --group dev
	@touch $(READY)

demo: $(READY)
	$(BIN)/intarsia demo

# one thread a process: two processes on two cores would otherwise fight for them
test: export OMP_NUM_THREADS = 1
test: $(READY)
	$(BIN)/pytest -n $(JOBS) --dist worksteal

test-slow: export OMP_NUM_THREADS = 1
test-slow: $(READY)
	$(BIN)/pytest -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# the strict build is a test as well; this also renews the page that is made of the code
docs: $(READY)
	$(BIN)/python docs/make_signatures.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(READY)
	$(BIN)/python benchmarks/tabular.py

picture: $(READY)
	$(BIN)/python docs/make_picture.py

clean:
	rm -rf .venv dist build demo-output .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find platform domains datasets tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
