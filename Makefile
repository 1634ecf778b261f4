# Short names for what ./drachm and pytest do; nothing here is needed to run Drachm.

.PHONY: setup check test long demo

setup: ## the virtual environment with the test tools
	./drachm test --version

check: ## format, lint, types, imports, unit tests, small properties: under a minute
	./drachm check

test: ## everything CI runs
	./drachm test

long: ## the tests that take minutes, and properties with many more examples
	./drachm test -m "long or not long" --hypothesis-profile=long -n 2
	PYTHONPATH=src .venv/bin/python tests/reference/test_adjudicators_agree.py --seed 1 --lines 1000000 --workers 2

demo: ## one event from its arrival to its receipt
	./drachm demo
