# Touchstone: every target is described in README.md.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
BIN := .venv/bin
export PORT

PAGES := tests/e2e
SITES := tests/client tests/soak tests/test_run.py tests/test_migrations.py tests/worker/serving tests/worker/upkeep \
	tests/worker/test_real_worker.py tests/worker/test_signals.py tests/worker/test_tuned_jobs.py \
	tests/worker/rm/test_resume.py tests/worker/rm/test_spread.py
.PHONY: setup setup-dev demo demo-reset run test test-pages test-sites test-parts lint bench

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
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive annotate worker inspector config
	$(BIN)/python -m tests.audit_packages

test: setup-dev lint
	@$(BIN)/python -m tests.browser
	@$(MAKE) --no-print-directory -j3 --output-sync=line test-pages test-sites test-parts

# The three parts of `make test`, side by side: what drives a browser, what starts whole processes, and all else. The
# first two often wait; three of them keep two cores busy.
test-pages:
	$(BIN)/python -m pytest $(PAGES)

test-sites:
	$(BIN)/python -m pytest $(SITES)

test-parts:
	$(BIN)/python -m pytest $(patsubst %,--ignore=%,$(PAGES) $(SITES))

bench: setup-dev
	$(BIN)/python -m tests.benchmarks
