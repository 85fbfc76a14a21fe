# `make` lists the targets. All files are inside the checkout: .venv (tools) and .demo (the demo's Airflow).

# The first working Python from 3.10 to 3.13; override with `make PYTHON=/path/to/python ...`.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3.10 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .tools/.ready

# Without bytecode, which many images forbid, Airflow starts twice as slowly.
unexport PYTHONDONTWRITEBYTECODE
# The user's own Airflow settings and packages are not used.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo env test survival matrix soak bench peers azurite docs check format lock dist version clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv, in the version of the lock, installs the lock; pip installs it if uv cannot reach the package index.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python from 3.10 to 3.13 found: install one, or say make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || { echo "Creating .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@echo "Installing the locked environment into .venv (once; about a minute)"
	@sed -n '/^uv==/,/^[^ ]*==/{/^uv==/p;/^    --hash/p;}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Run a demo: Airflow backs up a Canvas of 40 courses (ONCE=1: end after the run; FRESH=1: start a new one)
	@$(BIN)/python -m canvas_demo $(if $(ONCE),--once) $(if $(FRESH),--fresh)

env: ## Write .env with new secrets, for docker-compose.yaml
	@$(or $(PYTHON),python3) dev/canvas_demo/write_env.py

test: $(READY) ## Run every test, offline (ARGS="-k name" to choose)
	@$(BIN)/python -m pytest $(ARGS)

survival: $(READY) ## Test that runs survive: kill every part of a distributed Airflow at the worst moments; minutes (ARGS as above)
	@$(BIN)/python -m pytest -m survival tests/survival $(ARGS)

matrix: $(READY) ## Test with every Airflow from 3.1 to 3.4, in environments of their own below .matrix; an hour (ARGS as above)
	@$(BIN)/python -m pytest -m matrix tests/matrix $(ARGS)

soak: $(READY) ## Kill random parts of a distributed Airflow (MINUTES=30 SEED=1)
	@$(BIN)/python -m tests.survival.soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## Run the benchmarks (NAME="memory polling": only these; see benchmarks/README.md)
	@$(BIN)/python -m benchmarks $(NAME)

peers: $(READY) ## Install the AWS command line, for comparison in the benchmarks
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .bench/venv
	@$(BIN)/uv pip install --quiet --python .bench/venv/bin/python --require-hashes --requirement benchmarks/requirements.lock

azurite: ## Install Microsoft's emulator of Azure, for the tests of az:// archives (needs Node.js and npm)
	@cd tests/support/store_servers/azurite && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

docs: $(READY) ## Build the site of docs/ into .docs/site, and check every link of it
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .docs/venv
	@$(BIN)/uv pip install --quiet --python .docs/venv/bin/python --compile-bytecode --require-hashes --requirement docs/requirements.lock
	@command -v npm > /dev/null && (cd dev/docs_site && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) \
		|| echo "npm could not install Mermaid: diagrams are shown as text"
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=dev .docs/venv/bin/mkdocs build --quiet --strict
	@echo "Open .docs/site/index.html, or serve it: $(BIN)/python -m http.server --directory .docs/site"

# Tools of the project that are no part of its environment, by a lock of their own.
$(TOOLS): .github/tools/requirements.lock $(READY)
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .tools
	@$(BIN)/uv pip install --quiet --python .tools/bin/python --require-hashes --requirement .github/tools/requirements.lock
	@touch $@

check: $(READY) $(TOOLS) ## Lint, types, import rules, and the files below .github
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/problem.yml .github/ISSUE_TEMPLATE/wish.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	@.tools/bin/zizmor --quiet --no-progress --offline --pedantic .github

format: $(READY) ## Format the code and fix what ruff can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY) ## Resolve the newest versions that pyproject.toml allows into requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --group dev --extra s3 --extra sftp --extra celery --extra postgres --extra metrics \
		--generate-hashes --no-emit-index-url --no-header --output-file requirements.lock pyproject.toml
	@echo apache-airflow==3.1.8 | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --exclude-newer 2026-03-12T00:00:00Z \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --output-file tests/matrix/oldest.lock pyproject.toml -

dist: $(READY) $(TOOLS) ## Build the wheel, the sdist, and a bill of materials of what the wheel needs, into dist/
	@rm -rf dist .tools/product
	@$(BIN)/python -m hatchling build --directory dist
	@$(BIN)/uv pip compile --quiet --python $(BIN)/python --generate-hashes --no-emit-index-url --no-header \
		--constraint requirements.lock --output-file .tools/product.lock pyproject.toml
	@$(BIN)/uv venv --quiet --python $(BIN)/python .tools/product
	@$(BIN)/uv pip install --quiet --python .tools/product/bin/python --require-hashes --requirement .tools/product.lock
	@$(BIN)/uv pip install --quiet --python .tools/product/bin/python --no-deps dist/*.whl
	@sed "s/^dynamic = .*/version = \"$$($(BIN)/python -c 'import canvas_exports; print(canvas_exports.__version__)')\"/" pyproject.toml > .tools/product.toml
	@.tools/bin/cyclonedx-py environment --pyproject .tools/product.toml --mc-type library --output-reproducible \
		--output-file dist/sbom.cdx.json .tools/product/bin/python

version: $(READY) ## Check that a tag is the version of the code, and that the changelog has it (TAG=v1.2.3)
	@$(BIN)/python -c 'import canvas_exports as code, sys; sys.exit(sys.argv[1] != f"v{code.__version__}")' "$(TAG)" \
		|| { echo "TAG=$(TAG) is not the version in plugins/canvas_exports/__init__.py"; exit 1; }
	@grep -qE "^## $(patsubst v%,%,$(TAG)) - [0-9]{4}-[0-9]{2}-[0-9]{2}$$" CHANGELOG.md \
		|| { echo "CHANGELOG.md has no section of $(TAG) with a date"; exit 1; }

clean: ## Remove the files of the other targets
	rm -rf tests/support/store_servers/azurite/node_modules dev/docs_site/node_modules .docs .venv .tools .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* dist build .bench benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
