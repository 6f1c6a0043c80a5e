# Touchstone: every target is described in README.md.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
BIN := .venv/bin
export PORT

.PHONY: setup setup-dev demo demo-reset run test lint bench

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
	$(BIN)/python -m pytest

bench: setup-dev
	$(BIN)/python -m tests.benchmarks
