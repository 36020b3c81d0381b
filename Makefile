# The habits of this repository, one target each. `make help` lists them.

# What tools/fetch brought comes first.
export PATH := $(CURDIR)/.tools:$(PATH)

# More words for `koe up` or `koe bench all`, such as ARGS="--http 127.0.0.1:9000".
ARGS ?=

# What `make shots` takes a picture of.
URL ?= http://127.0.0.1:8080/sites/demo/threads/memorial-service

.DEFAULT_GOAL := help
.PHONY: help up build test bench bench-micro check lint fmt deny shots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

up: ## Build Koe and start it with its demonstration, data in ./data (more flags: ARGS="...")
	@tools/fetch nats-server
	cargo build --release --locked --bin koe
	@exec "$${CARGO_TARGET_DIR:-target}/release/koe" up --demo --data ./data $(ARGS)

build: ## Build everything for development
	cargo build --workspace --locked

test: ## Run every test and file check, fetching what they need
	@tools/fetch test
	@$(MAKE) --no-print-directory check
	cargo build --workspace --bins --locked
	cargo test --workspace --locked

bench: ## Measure Koe against the raw ceiling of the same run (more flags: ARGS="--write docs/performance.md")
	@tools/fetch nats-server
	cargo build --release --locked --bin koe
	@"$${CARGO_TARGET_DIR:-target}/release/koe" --log warn bench all $(ARGS)

bench-micro: ## Time single steps: rules, codec, fold and pages (only some: ARGS="page_of")
	cargo bench --locked -p koe-domain --bench rules -- $(ARGS)
	cargo bench --locked -p koe-wire --bench codec -- $(ARGS)
	cargo bench --locked -p koe-views --bench store -- $(ARGS)

check: ## Check the files of deploy/, docker-compose.yml and the documents' links
	@tools/fetch nats-server promtool
	tools/check-files
	promtool check config deploy/prometheus/prometheus.yml
	promtool test rules deploy/prometheus/alerts_test.yml
	tools/check-nats-conf

lint: ## Check format and lints of the Rust code and of proto/, and that the contract breaks nothing released
	@tools/fetch buf
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	buf lint proto
	buf breaking proto --against tests/golden/contract
	buf format proto --diff --exit-code

fmt: ## Format the Rust code and proto/
	@tools/fetch buf
	cargo fmt --all
	buf format proto --write

deny: ## Check licences and advisories of the dependencies (needs cargo-deny and its advisory database)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked check

shots: ## Take the pictures of docs/images, while `make up` runs in another terminal (another page: URL=...)
	@tools/fetch chromium
	tools/shots "$(URL)" docs/images/thread.png
	tools/shots "$(URL)?after=11" docs/images/quotes.png

clean: ## Remove what was built and fetched; ./data stays
	cargo clean
	rm -rf .tools
