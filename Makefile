# The commands of the project. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# Where cargo builds: the environment may name another folder.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PYTHON ?= python3
VENV := .venv
# The tests wait for servers much of the time: a process for each core and one more, each with files of its own.
TEST_PROCESSES ?= $(shell expr $$(nproc) + 1)
# cargo-deny is built once and kept here.
TOOLS := $(TARGET)/tools
DENY_VERSION := 0.20.2

.PHONY: help demo test bench bench-cost-explorer bench-serve check lint unit-test licences python-test focus-validator cost-tools needs-cargo needs-python

help:
	@echo 'make demo    price the bundled sample month into out/demo'
	@echo 'make test    everything that must hold: format, lints, tests, licences, tests against DuckDB'
	@echo 'make check   format and lints only'
	@echo 'make bench   reading and pricing 10 million lines, beside DuckDB'
	@echo 'make bench-serve   the server under load, at a desk of 100,000 things'
	@echo 'make bench-cost-explorer   questions about twelve months of 10 million lines'
	@echo 'PROFORMA_SEED=N make test    repeats the random cases of a run that printed this seed'
	@echo 'PROFORMA_FUZZ_SECONDS=N make test    mutated input for N seconds a target, 3 without it'

demo: needs-cargo
	cargo build --locked --workspace --bin proforma
	$(TARGET)/debug/proforma run --cost fixtures/demo/cost --book fixtures/demo/book.toml \
	    --period 2026-10 --out out/demo --force
	@echo
	@echo 'One level below: what Quill & Harbor, a customer of the demo, charges its own customer:'
	$(TARGET)/debug/proforma run --upstream out/demo --account 250000000001 --book fixtures/demo/quill.toml \
	    --period 2026-10 --out out/demo-quill --force
	@echo
	@echo 'At the billing desk: purchase orders of both directions, and the invoices that find them.'
	fixtures/demo/desk/demo.sh $(TARGET)/debug/proforma out/demo-desk
	@echo
	@echo 'The results are in out/demo:'
	@ls out/demo | sed 's/^/  out\/demo\//'
	@echo 'The cost files are fixtures/demo/cost, the rules fixtures/demo/book.toml: change one and run it again.'

test: lint unit-test licences python-test

check: lint

lint: needs-cargo
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

unit-test: needs-cargo
	cargo test --locked --workspace

licences: needs-cargo $(TOOLS)/cargo-deny-$(DENY_VERSION)
	$(TOOLS)/cargo-deny-$(DENY_VERSION) --locked check --hide-inclusion-graph licenses bans sources

# Without its default features it needs no Git library, and a debug build is quick enough for a second's work.
$(TOOLS)/cargo-deny-$(DENY_VERSION): | needs-cargo
	@echo 'building cargo-deny $(DENY_VERSION), once: two to three minutes of CPU'
	CARGO_TARGET_DIR=$(TOOLS)/build CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 cargo install --quiet \
	    cargo-deny --locked --version $(DENY_VERSION) --no-default-features --debug --root $(TOOLS) --no-track --force
	mv $(TOOLS)/bin/cargo-deny $@
	rm -rf $(TOOLS)/build $(TOOLS)/bin

python-test: needs-cargo $(VENV)/installed focus-validator cost-tools
	cargo build --locked --workspace --bin proforma --bin proforma-adopt --bin proforma-aws-month --bin proforma-organization
	PROFORMA_BIN=$(TARGET)/debug/proforma PROFORMA_FOCUS_VENV=$(TOOLS)/focus-validator PROFORMA_COST_TOOLS_VENV=$(TOOLS)/cost-tools \
	    $(VENV)/bin/python -m pytest tests -q -n $(TEST_PROCESSES) --dist loadfile --timeout 900

$(VENV)/installed: tests/requirements.txt | needs-python
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r tests/requirements.txt
	touch $@

# The FinOps Foundation's validator, in an environment of its own where there is a Python for it; else its tests skip.
focus-validator: | needs-python
	$(PYTHON) tests/focus_validator.py $(TOOLS)/focus-validator

# Published tools that ask Cost Explorer, in an environment of their own; it is made again where the list of their versions is another one.
cost-tools: | needs-python
	@cmp -s tests/cost_tools_requirements.txt $(TOOLS)/cost-tools/installed || { \
	    $(PYTHON) -m venv --clear $(TOOLS)/cost-tools && \
	    $(TOOLS)/cost-tools/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary awscost \
	        -r tests/cost_tools_requirements.txt && \
	    cp tests/cost_tools_requirements.txt $(TOOLS)/cost-tools/installed; }

bench: needs-cargo $(VENV)/installed
	cargo build --locked --release -p proforma -p xtask
	$(VENV)/bin/python bench/bench.py $(BENCH)

bench-serve: needs-cargo $(VENV)/installed
	cargo build --locked --release -p proforma -p xtask
	CARGO_TARGET_DIR=$(TARGET) $(VENV)/bin/python bench/serve.py $(BENCH)

bench-cost-explorer: needs-cargo $(VENV)/installed
	cargo build --locked --release -p proforma
	CARGO_TARGET_DIR=$(TARGET) $(VENV)/bin/python bench/cost_explorer.py $(BENCH)

needs-cargo:
	@command -v cargo >/dev/null || { \
	    echo 'cargo is missing. Install Rust 1.95 or later (https://rustup.rs), then try again.' >&2; exit 1; }
	@command -v cc >/dev/null || { \
	    echo 'cc is missing. Install a C compiler (Debian: apt-get install gcc libc6-dev), then try again.' >&2; exit 1; }

needs-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo 'Python 3.11 or later is missing (Debian: apt-get install python3). PYTHON=... names another one.' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo 'The venv module of Python is missing (Debian: apt-get install python3-venv).' >&2; exit 1; }
