# The two commands are `make run` and `make test`; the others are their kin. What each does is in ops/bin/.
.DEFAULT_GOAL := help
.PHONY: help run test test-fast coverage lint bench soak screenshots assets lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

run:  ## start the whole shop here (PORT, HOST, COURSEHUB_DATA, SEED=0)
	@ops/bin/run

test:  ## everything: linters, types, contracts, all tests (installs what they need)
	@ops/bin/test

test-fast:  ## the tests without browser, broker and S3 server
	@ops/bin/test --fast

coverage:  ## which lines the fast tests reach
	@ops/bin/setup --dev
	@.venv/bin/coverage run -m pytest -q -m "not e2e and not rabbitmq and not s3 and not slow and not soak"
	@.venv/bin/coverage combine -q && .venv/bin/coverage report

lint:  ## ruff, mypy, djlint, import-linter, htmx dialect
	@ops/bin/setup --dev && ops/bin/lint

bench:  ## timings, as ratios and medians
	@ops/bin/setup --dev && .venv/bin/python -m pytest benchmarks

soak:  ## the same tests as `make test` at full scale (hours)
	@COURSEHUB_TEST_SCALE=full ops/bin/test

screenshots:  ## pictures of the main pages
	@ops/bin/setup --dev && ops/bin/screenshots

assets:  ## browser files into static/vendor
	@ops/bin/setup

lock:  ## recompile requirements/*.txt and package-lock.json
	@ops/bin/lock

clean:  ## remove what set-up and tools made (never var/, the data)
	rm -rf .venv node_modules static/vendor build dist test-results htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
