# What one does here. `make run` needs nothing but Rust and a C compiler; `make test` also PostgreSQL and Redis, which
# it installs on Debian when they are missing.

.PHONY: build run test soak bench check-release release fmt lint schema

build:
	cargo build --locked

# A shop with demo data on this machine; more arguments with ARGS='...'. Built without debug information and without
# what only a second build would use: the first build is what a newcomer waits for.
run:
	CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 cargo run --locked -- serve --demo $(ARGS)

# Every test, on both databases; a part of them with FILTER='...'.
test:
	tests/with-servers tests/run $(FILTER)

# The long forms of the tests that lose machines, race and flood, on both databases: an hour or two. The figures that
# they print stand in docs/RELIABILITY.md.
soak:
	EMPORION_TEST_LOSSES=200 EMPORION_TEST_ROUNDS=20 tests/with-servers tests/run --nocapture race:: gift_card_race:: promotion_race:: payment_crash:: payment_hook:: crash:: outage:: storm::

# Measures the release build and compares it with the goals (docs/PERFORMANCE.md); WHAT='live' measures sockets instead
# of requests; more arguments with ARGS='...'.
WHAT ?= requests
bench: release
	command -v wrk >/dev/null || tests/install-servers wrk
	tests/with-servers --stock "$${CARGO_TARGET_DIR:-target}/release/bench" $(WHAT) --binary "$${CARGO_TARGET_DIR:-target}/release/emporion" $(ARGS)

# What must hold of every release build: start-up, memory, statements, import.
check-release: release
	"$${CARGO_TARGET_DIR:-target}/release/bench" check --binary "$${CARGO_TARGET_DIR:-target}/release/emporion"

release:
	cargo build --release --locked --package emporion --package bench

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Prints the schema beside the old one first, so that a failure leaves the old one as it was.
schema:
	cargo run --locked -- schema print > schema.graphql.new || { rm -f schema.graphql.new; exit 1; }
	mv schema.graphql.new schema.graphql
