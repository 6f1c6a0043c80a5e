# Touchstone: every target is described in README.md.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
BIN := .venv/bin
export PORT

PAGES := tests/e2e tests/soak tests/test_run.py tests/worker/serving
.PHONY: setup setup-dev demo demo-reset run test test-pages test-parts lint bench

setup: .venv/installed
setup-dev: .venv/installed-dev

.venv/installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: requirements.txt requirements-dev.txt .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: setup
	@$(BIN)/python -m config.run --demo

demo-reset: setup
	@$(BIN)/python -m config.run --demo --reset

run: setup
	@$(BIN)/python -m config.run

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run -v0

test: setup-dev lint
	@$(BIN)/python -m tests.browser
	@$(MAKE) --no-print-directory -j2 --output-sync=line test-pages test-parts

# The two halves of `make test`, side by side: what drives a browser or whole processes, and all else.
test-pages:
	$(BIN)/python -m pytest $(PAGES)

test-parts:
	$(BIN)/python -m pytest $(PAGES:%=--ignore=%)

bench: setup-dev
	$(BIN)/python -m tests.benchmarks
