#!/bin/sh
# install.sh FOLDER: installs the readers of package-lock.json below FOLDER, once. Runs no script of any package.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: install.sh FOLDER}

for program in node npm; do
	if ! command -v "$program" >/dev/null; then
		echo "install.sh: $program is missing: the tests that read files with apache-arrow need it (Debian: nodejs npm)" >&2
		exit 1
	fi
done
mkdir -p "$folder"
if cmp -s "$here/package-lock.json" "$folder/installed-lock.json"; then
	exit 0
fi
cp "$here/package.json" "$here/package-lock.json" "$folder/"
cd "$folder"
npm ci --ignore-scripts --no-audit --no-fund
cp package-lock.json installed-lock.json
