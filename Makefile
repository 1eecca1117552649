# Two commands set everything up: `make nightly` (a night on the demo league) and `make test`.
# A machine with an NVIDIA GPU: EDGE_TORCH=cuda make nightly
.PHONY: help setup build nightly test check bench fuzz dist hooks clean-cache
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Fetch libtorch once (about 540 MB) and point cargo at it
	@env/setup.sh

build: setup ## Build the release binary
	cargo build --release --locked --package cli

nightly: build ## Run one night on the demo league and write its report
	"$$(env/target.sh)/release/edge" nightly

test: setup ## Run every test
	env/test.sh

check: setup ## Run what CI lints
	env/check.sh

bench: setup ## Run the benchmarks of docs/benchmarks.md
	cargo bench --locked --workspace

fuzz: ## Fuzz every parser, two minutes each (wants a nightly compiler and cargo-fuzz)
	@for target in fuzz/fuzz_targets/*.rs; do \
	  cargo +nightly fuzz run --sanitizer none "$$(basename "$$target" .rs)" -- -max_total_time=120 || exit 1; \
	done

dist: build ## Gather binary and libraries in dist/ (what the Dockerfile copies)
	@env/dist.sh

hooks: ## Use the repository's pre-commit hook
	git config core.hooksPath env/hooks

clean-cache: ## Remove libtorch and other downloads from the cache
	rm -rf "$${EDGE_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/edge}"
