#!/bin/sh
# Every test: the product built with gcc (warnings are errors) and tested whole, the same sources compiled by clang, and
# the unit tests, conformance suite and fuzz corpora again under the sanitizers. Needs nothing but a Debian machine.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}

step() { printf '\n=== %s\n' "$*"; }

step "packages"
scripts/install-packages.sh test

step "build with gcc"
cmake --preset release >/dev/null
cmake --build --preset release -j "$jobs"

step "tests"
ctest --preset release -j "$jobs"

step "build with clang"
cmake --preset clang >/dev/null
cmake --build --preset clang -j "$jobs"

step "sanitizers, short form"
scripts/sanitize.sh short

step "all passed"
