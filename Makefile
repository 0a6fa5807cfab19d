# Thin over Meson: each target asks tools/setup for what it needs, then hands over to a script in tools/.

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS

.DELETE_ON_ERROR:
.PHONY: all demo test test-unit test-integration lint lint-full fmt bench fuzz matrix install clean

all:
	@tools/setup build
	@tools/build release

demo:
	@tools/setup demo
	@tools/build --programs release
	@tools/demo

test:
	@tools/setup test
	@tools/build release
	@tools/test release unit integration

test-unit:
	@tools/setup build
	@tools/build release
	@tools/test release unit

test-integration:
	@tools/setup test
	@tools/build release
	@tools/test release integration

lint:
	@tools/setup lint
	@tools/lint

lint-full:
	@tools/setup lint-full
	@tools/lint
	@tools/lint-full

fmt:
	@tools/setup lint
	@tools/format

bench:
	@tools/setup test
	@tools/build release
	@bench/run

fuzz:
	@tools/setup lint
	@tools/build fuzz
	@tools/fuzz

matrix:
	@tools/setup lint-full
	@tools/matrix

install:
	@tools/setup build
	@tools/build --configure release
	@meson configure build/release -Dprefix='$(abspath $(PREFIX))'
	@tools/build --programs release
	@meson install -C build/release --no-rebuild $(if $(DESTDIR),--destdir '$(DESTDIR)')

# Compiled things go; the test clients under build/venv and build/node stay: they came over the network.
clean:
	@tools/build --clean
