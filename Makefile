# ENRGDAQ: `make demo` to see it work, `make test` to prove it. CMake does the building; this file only names the ways.

PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
BIN     = build/release/enrgdaq

.PHONY: help build demo test lint coverage bench goals torture fuzz sanitize interop systems compilers arm64 deb install clean

help:
	@echo "make demo      install what is missing, build, read out a simulated detector, prove its data, measure, draw"
	@echo "make test      install what is missing, build, run every test"
	@echo "make lint      formatter, shellcheck, clang-tidy, gcc -fanalyzer and messages of commits, over all files (minutes)"
	@echo "make coverage  which lines of src/ and plugins/ the tests run"
	@echo "make build     build $(BIN)"
	@echo "make bench     the benchmark suite of the founding document: results/ (about two minutes)"
	@echo "make goals     every goal of docs/benchmark.md, measured here (about five minutes)"
	@echo "make install   install below PREFIX=$(PREFIX)"
	@echo "make deb       Debian packages of this tree in build/deb"
	@echo "make systems   demo, tests and packages on fresh Debian 12 and 13 (root; hours)"
	@echo "make compilers every C file through each clang that the registry serves (minutes)"
	@echo "make arm64     build for 64-bit ARM, and its unit tests under qemu-user (minutes)"
	@echo "make torture   thousands of kills (an hour)"
	@echo "make fuzz      every decoder under libFuzzer, MINUTES=10 each"
	@echo "make interop   read every file format with pyarrow, h5py, uproot and ROOT from PyPI (minutes)"
	@echo "make sanitize  every test under the sanitizers"

build:
	@scripts/install-packages.sh build
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target product pages

demo: build
	@scripts/demo.sh $(BIN)

test:
	@scripts/test.sh

lint:
	@scripts/install-packages.sh test
	@scripts/lint.sh format shell commits tidy analyzer

coverage:
	@scripts/install-packages.sh test
	@scripts/coverage.sh

bench: build
	@$(BIN) bench suite --all

goals:
	@scripts/install-packages.sh test
	@scripts/goals.sh

torture: build
	@scripts/install-packages.sh test
	@cmake --build --preset release -j $(JOBS) --target test_kills test_kills_processor test_proof_protocol \
		test_proof_laps test_proof_crowd test_proof_members test_interop_root test_interop_root_kills
	@for name in protocol laps crowd members; do ENRGDAQ_PROOF=whole build/release/tests/test_proof_$$name || exit 1; done
	@tests/kills/whole.sh build/release
	@for name in root root_kills; do ENRGDAQ_PROOF=whole build/release/tests/test_interop_$$name || exit 1; done
	@tests/system/torture.sh --kills 10000
	@ENRGDAQ_BIN=$(BIN) PROCESSOR_KILLS=1000 tests/system/processors.sh graph
	@ENRGDAQ_BIN=$(BIN) PROCESSOR_KILLS=3000 tests/system/processors.sh kills
	@ENRGDAQ_BIN=$(BIN) REPLAY_KILLS=300 CC=cc INCLUDE=$(CURDIR)/include tests/system/replay.sh kills
	@ENRGDAQ_BIN=$(BIN) ARCHIVE_KILLS=300 tests/system/archive.sh kills
	@ENRGDAQ_BIN=$(BIN) ENRGDAQ_MODULE_PATH=build/release/modules KILLS=400 tests/system/run_kills.sh storm
	@ENRGDAQ_BIN=$(BIN) SEQUENCE_KILLS=500 SEQUENCE_STEPS=300 CC=cc INCLUDE=$(CURDIR)/include tests/system/run_plans.sh sequence_killed
	@ENRGDAQ_BIN=$(BIN) ENRGDAQ_MODULE_PATH=build/release/modules tests/system/changing.sh --storm 1000
	@cmake --build --preset release -j $(JOBS) --target get_storm
	@ENRGDAQ_BIN=$(BIN) GET_STORM=$(CURDIR)/build/release/tests/get_storm STORM_SECONDS=60 GETS_A_SECOND=200 tests/system/web_storm.sh gets
	@ENRGDAQ_BIN=$(BIN) WEB_KILLS=100 WEB_HANGS=3 tests/system/web_storm.sh killed
	@ENRGDAQ_BIN=$(BIN) ENRGDAQ_MODULE_PATH=build/release/modules KILLS=60 tests/system/changing_faults.sh killed_in_each_change
	@ENRGDAQ_BIN=$(BIN) ENRGDAQ_MODULE_PATH=$(CURDIR)/build/release/modules tests/web/web.sh --long

fuzz:
	@scripts/install-packages.sh test
	@scripts/fuzz.sh $(or $(MINUTES),10)

sanitize:
	@scripts/install-packages.sh test
	@scripts/sanitize.sh full

interop:
	@scripts/interop.sh

deb:
	@scripts/deb.sh

systems:
	@scripts/systems.sh

compilers:
	@scripts/compilers.sh

arm64:
	@scripts/arm64.sh

install: build
	@cmake --install build/release --prefix $(PREFIX)
	@if [ -z "$$DESTDIR" ] && [ "$$(id -u)" = 0 ]; then PATH=$$PATH:/sbin ldconfig; fi # libenrgdaq.so.0 is found by programs

clean:
	@rm -rf build
