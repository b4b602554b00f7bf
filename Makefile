# Two commands matter: `make run` and `make test`. Everything else they need is in scripts/setup.

CARGO ?= cargo
# mail-parser declares a newer Rust than it needs; only this flag lets older toolchains build it.
FLAGS := --ignore-rust-version

.PHONY: run test check fmt

run:
	@scripts/setup
	$(CARGO) run --release $(FLAGS) -- serve

test:
	@scripts/setup tests
	$(CARGO) test $(FLAGS)

check:
	$(CARGO) fmt --check
	$(CARGO) clippy $(FLAGS) --all-targets -- -D warnings

fmt:
	$(CARGO) fmt
