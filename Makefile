# Every verb sets up what it needs. A bare machine has git, make and Python 3.11 or newer with its venv module.

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto
UV := $(BIN)/uv --quiet
LOCK := $(UV) pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links
SOURCES := $(shell find src -name '*.py' -o -name py.typed)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: attack bench check clean demo docs help interop lock test

help: ## List these verbs.
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .venv/ready ## Play a repository, a client and a few attacks in build/demo.
	@$(BIN)/python examples/demo.py --work build/demo

test: .venv/ready ## Run every test that is not marked nightly.
	@$(PYTEST)

check: .venv/ready ## Judge format, lint, types and import contracts; demand full branch coverage of metadata and trust.
	@$(BIN)/ruff format --check --quiet || { echo 'run: $(BIN)/ruff format'; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto tests/metadata tests/trust
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=100 --include='src/tuffet/metadata/*,src/tuffet/trust/*'

attack: .venv/ready ## Run only the attacks: each must be refused by name, with nothing kept.
	@$(PYTEST) tests/attack

interop: .venv/ready ## Run the tests against other TUF implementations (tuf-js too where npm exists).
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory build/interop/ready; \
	else echo 'interop: npm is not installed, so the tests against tuf-js will be SKIPPED'; fi
	@$(PYTEST) tests/interop

bench: .venv-bench/ready ## Measure speed and memory beside other implementations.
	@.venv-bench/bin/python -m bench

docs: .venv/ready ## Build the documentation.
	@$(BIN)/python docs/build.py

lock: .venv/ready ## Renew the pinned versions and hashes in requirements/.
	@$(LOCK) pyproject.toml --group dev --output-file requirements/dev.txt >/dev/null
	@$(LOCK) pyproject.toml --group bench --output-file requirements/bench.txt >/dev/null
	@$(LOCK) --group uv --output-file requirements/uv.txt >/dev/null

clean: ## Remove everything that these verbs made.
	@rm -rf .venv .venv-bench build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: pyproject.toml requirements/uv.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@echo 'setting up .venv'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The wheel itself is measured, beside nothing but its dependencies and what it is compared with.
.venv-bench/ready: .venv/ready requirements/bench.txt $(SOURCES)
	@echo 'setting up .venv-bench'
	@$(PYTHON) -m venv --without-pip .venv-bench
	@rm -rf build/wheel
	@$(BIN)/python -m build --quiet --wheel --no-isolation --outdir build/wheel .
	@$(UV) pip sync --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	@$(UV) pip install --python .venv-bench/bin/python --no-deps --no-index --reinstall build/wheel/*.whl
	@touch $@

build/interop/ready: requirements/interop/package.json requirements/interop/package-lock.json
	@mkdir -p build/interop
	@cp requirements/interop/package.json requirements/interop/package-lock.json build/interop/
	@npm ci --prefix build/interop --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
