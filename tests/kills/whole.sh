#!/bin/sh
# Every kill of tests/kills, of the stores of all modules that are built, and thousands within checkpoints of a processor.
# Some thirty minutes.
#   whole.sh BUILD_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1")
sh "$here/../interop/install.sh" "$build/tests/interop" >/dev/null
bad=0
for module in "$build"/modules/*.so; do
	"$build/tests/test_kills" "$(basename "$module" .so)" --whole || bad=1
done
KILLS_WHOLE=1 "$build/tests/test_kills_processor" || bad=1
exit $bad
