# Everything a newcomer needs: `make run` and `make test`. Both set up what they need, on a machine that has
# only python3, pip, make and git.
PY ?= python3
PORT ?= $(or $(PUMPLINE_PORT),8000)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_CONFIG := 1
BIN := .venv/bin

.PHONY: run test setup check check-content model model-check evaluate lint types imports docs-check audit sbom bench chaos lock screenshots clean

run: setup ## Start everything on http://127.0.0.1:$(PORT), with a demo clinic when the database is empty
	@PUMPLINE_PORT=$(PORT) $(BIN)/pumpline run

test: setup ## Run the whole suite; no network, no other service
	@$(BIN)/python -m pytest -n auto

setup: .venv/.stamp

.tools/bin/uv:
	@echo "Setting up (once): the installer"
	@$(PY) -m venv --without-pip .tools
	@$(PY) -m pip --python .tools/bin/python install --quiet --disable-pip-version-check "uv==0.13.9"

.venv/.stamp: .tools/bin/uv pyproject.toml requirements.lock
	@echo "Setting up (once): the environment in .venv"
	@.tools/bin/uv venv --quiet --allow-existing --python $(PY) .venv
	@.tools/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python .venv requirements.lock
	@.tools/bin/uv pip install --quiet --no-deps --no-build-isolation --python .venv -e .
	@touch $@

lock: .tools/bin/uv ## Resolve the newest releases into requirements.lock, with hashes and no addresses
	.tools/bin/uv pip compile --quiet --universal --generate-hashes --no-header --group dev --extra postgres --upgrade pyproject.toml -o requirements.lock

check: lint types imports check-content docs-check ## All checks that are not tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

check-content: setup ## Every answer: complete, sourced, short, readable, GSM-7, no dose
	$(BIN)/pumpline check-content

model: setup ## Train the understanding from faq/examples: the same file, byte for byte, on any machine
	$(BIN)/python -m tools.train_model

model-check: setup ## The model that is shipped is what the examples give
	$(BIN)/python -m tools.train_model --check

evaluate: setup ## How well texts are understood: the seen set, the held-back one, and one scored once
	@echo "== seen while building"; $(BIN)/pumpline evaluate tests/data/understanding/seen-*.jsonl
	@echo; echo "== held back: never read, only reported"; $(BIN)/pumpline evaluate --labels tests/data/understanding/held-back-*.jsonl
	@echo; echo "== scored once: written and scored after everything was fixed"; $(BIN)/pumpline evaluate tests/data/understanding/scored-once-*.jsonl

docs-check: setup ## Every setting and command documented; every link in docs leads somewhere
	$(BIN)/python -m tools.check_docs

chaos: setup ## Faults, tried: kills, dead databases, a foul carrier, ten thousand messages a run; about an hour
	$(BIN)/python -m tests.chaos

audit: setup ## Known vulnerabilities of what is locked; says so where nobody can be asked
	@$(BIN)/python -m tools.audit

sbom: setup ## A bill of materials, CycloneDX, in build/sbom.cdx.json
	@$(BIN)/python -m tools.sbom

bench: setup ## Ratios against what one would write first; see docs/performance.md
	$(BIN)/python -m bench

screenshots: setup ## Retake the pictures in docs/ (needs Debian's chromium)
	$(BIN)/python -m tools.screenshots

clean:
	rm -rf .venv .tools
