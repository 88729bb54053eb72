# A fresh machine needs Python 3.11 or later and make, nothing else: both targets make the environment they need.
#
#   make demo       planners drive generated roads; a report to open (installs the core package only)
#   make test       the tests that run in minutes
#   make test-slow  the rest: long runs, recorded drives, the report in a browser
#   make lint       formatting, lint, types
#   make train-shipped  the planner that comes with the package, from nothing: hours, in pieces of MINUTES=110
#   make clean      remove the environment and everything made here

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Kernels are compiled at first import and kept beside their source.
COMPILE = echo "Compiling the simulator's kernels (once, a minute or two) ..." && \
  $(BIN)/python -c "import waytrace.evaluate.worker, waytrace.formats"

.PHONY: demo test test-slow lint train-shipped clean

demo: $(VENV)/.core
	@$(BIN)/waytrace demo --out out/demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks examples recipes
	$(BIN)/ruff check --output-format concise src tests benchmarks examples recipes
	$(BIN)/mypy

train-shipped: $(VENV)/.dev
	$(BIN)/python recipes/shipped.py --minutes $(or $(MINUTES),0)

clean:
	rm -rf $(VENV) out

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No python3.11 found. Install Python 3.11, or: make PYTHON=/path/to/python"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' \
	  || { echo "$(PYTHON) is older than Python 3.11. Say which: make PYTHON=/path/to/python3.11"; exit 2; }
	@"$(PYTHON)" -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Could not make $(VENV). On Debian or Ubuntu: apt-get install python3-venv"; exit 2; }

# A stamp stands for "installed from this pyproject.toml", so a second call costs nothing.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the core package into $(VENV) (once) ..."
	@$(PIP) install --constraint constraints.txt --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the package with its test tools into $(VENV) (once) ..."
	@$(PIP) install --constraint constraints.txt --editable ".[dev]"
	@$(COMPILE)
	@touch $@
