# What one does here. `make run` needs nothing but Rust and a C compiler; `make test` also PostgreSQL and Redis, which
# it installs on Debian when they are missing.

.PHONY: build run test bench fmt lint schema

build:
	cargo build --locked

# A shop with demo data on this machine; more arguments with ARGS='...'. Built without debug information and without
# what only a second build would use: the first build is what a newcomer waits for.
run:
	CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 cargo run --locked -- serve --demo $(ARGS)

# Every test, on both databases; a part of them with FILTER='...'.
test:
	tests/with-servers tests/run $(FILTER)

# Measures the release build and compares it with the goals (docs/PERFORMANCE.md); more arguments with ARGS='...'.
bench:
	cargo build --release --locked
	cargo run --release --locked --package bench -- --binary "$${CARGO_TARGET_DIR:-target}/release/emporion" $(ARGS)

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Prints the schema beside the old one first, so that a failure leaves the old one as it was.
schema:
	cargo run --locked -- schema print > schema.graphql.new || { rm -f schema.graphql.new; exit 1; }
	mv schema.graphql.new schema.graphql
