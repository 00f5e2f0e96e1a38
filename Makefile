# A Python of 3.11 or newer is all that is needed; everything else goes into .venv.
#
#   make run     start the engine on the simulated market (flags: make run ARGS="--speed max")
#   make test    everything that must pass: the checks below, then all tests
#   make check   lint, format, types, import contract
#   make docs    draw the generated parts of docs/ again from the code
#   make mutants the fault beside each invariant, put into a copy of the code: is each caught?
#   make cluster-test   the tests of desks that change owners, in full: an hour, needs nats-server
#   make bench   how fast it is here: each figure beside its yardstick, some five minutes
#                (flags: make bench ARGS="--against COMMIT" puts those of another commit beside them)
#   make audit   is there a known vulnerability in what requirements.txt pins? Needs the network
#   make requirements   pin the packages again, to the newest that pyproject.toml admits:
#                       requirements.txt (to run and to test), requirements-run.txt (what the image
#                       installs), requirements-calendar.txt (what TRADING_CALENDAR needs),
#                       requirements-cluster.txt (what REPLICATE_TO needs) and
#                       requirements-venues.txt (ccxt, and the clients that the tests compare with)

.DEFAULT_GOAL := test
.PHONY: run test check docs mutants cluster-test bench audit requirements

BIN := .venv/bin
INSTALLED := .venv/.installed
PYTHONS := python3.11 python3.14 python3.13 python3.12 python3

run: $(INSTALLED)
	$(BIN)/pointsman run $(ARGS)

test: check
	$(BIN)/pytest -n 5 --dist loadfile $(ARGS)

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py

mutants: $(INSTALLED)
	$(BIN)/python -m tests.mutants $(ARGS)

cluster-test: $(INSTALLED)
	LEASE_SEEDS=10000 CLUSTER_ROUNDS=100 $(BIN)/pytest -n 2 --timeout 7200 $(ARGS) \
	    tests/unit/test_cluster_lease.py tests/integration/test_standby.py \
	    tests/integration/test_nats_cluster.py

bench: $(INSTALLED)
	$(BIN)/python -m bench $(ARGS)

audit: $(INSTALLED)
	$(BIN)/python -m tests.lock_audit $(ARGS)

requirements: $(INSTALLED)
	$(BIN)/pip install --quiet uv
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --extra ccxt --extra stock-clients --no-annotate \
	    --output-file requirements-venues.txt pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --extra notify --extra dev --constraint requirements-venues.txt \
	    --output-file requirements.txt pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --extra notify --no-annotate --constraint requirements.txt \
	    --output-file requirements-run.txt pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --extra calendar --no-annotate --constraint requirements.txt \
	    --constraint requirements-venues.txt --output-file requirements-calendar.txt pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --extra cluster --no-annotate --constraint requirements.txt \
	    --constraint requirements-venues.txt --output-file requirements-cluster.txt pyproject.toml

# PYTHON=... on the command line chooses another one.
$(INSTALLED): requirements.txt requirements-calendar.txt requirements-cluster.txt requirements-venues.txt pyproject.toml
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
	    "$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    echo "making .venv with $$("$$python" --version)"; \
	    exec "$$python" -m venv .venv; \
	done; \
	echo "pointsman needs Python 3.11 or newer with its venv module; tried: $(or $(PYTHON),$(PYTHONS))" >&2; \
	exit 1
	@echo "installing what the files requirements*.txt pin: some two minutes, and some 500 MB in .venv"
	$(BIN)/python -m pip install --disable-pip-version-check \
	    --requirement requirements.txt --requirement requirements-calendar.txt \
	    --requirement requirements-cluster.txt --requirement requirements-venues.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
