# Everything happens in .venv, made with PYTHON. A mark in it (.venv/.test …) says that a set of packages is
# installed; only a change of pyproject.toml or constraints.txt installs it again.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo test lint bench clean
.DELETE_ON_ERROR:

demo: .venv/.attn  ## install attn into .venv and draw samples/sentence.txt
	$(if $(NO_COLOR),,FORCE_COLOR=1) $(BIN)/attn heatmap samples/sentence.txt

test: .venv/.test  ## install what the tests need and run them all
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

lint: .venv/.lint  ## ruff and mypy; for the page's scripts eslint and prettier, where there is Node.js 20
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@if node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null; \
		then $(MAKE) --no-print-directory node_modules/.lint && npm run --silent lint; \
		else echo "lint: no Node.js 20 here, so the page's scripts were not linted" >&2; fi

node_modules/.lint: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

bench: .venv/.attn  ## measure what DESIGN promises about speed, each beside its reference
	$(BIN)/python -m benchmarks

clean:  ## remove .venv and whatever the targets above have made
	rm -rf .venv node_modules build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache sentence.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.attn: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) .
	@touch $@

.venv/.%: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[$*]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "attn needs Python 3.11 or newer, and $(PYTHON) is not; name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) lacks venv; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "installing into .venv; torch is large, so the first time takes minutes"
