#!/bin/sh
# Debian packages of this tree, in build/deb: enrgdaq, enrgdaq-dev, and one for each store with heavy libraries. What git knows
# or would take is packaged; the date is that of the last commit.
set -eu
cd "$(dirname "$0")/.."
scripts/install-packages.sh deb
version=$(sed -n 's/^project(enrgdaq VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
out=$PWD/build/deb
tree=$out/enrgdaq-$version

rm -rf "$out"
mkdir -p "$tree"
git ls-files -co --exclude-standard -z | tar --null --ignore-failed-read -T - -c | tar -x -C "$tree"
cp -r "$tree/packaging/debian" "$tree/debian"
{
	printf 'enrgdaq (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
	printf ' -- ENRGDAQ maintainers <maintainers@enrgdaq.invalid>  %s\n' "$(git log -1 --format=%cD)"
} >"$tree/debian/changelog"
if ! (cd "$tree" && dpkg-buildpackage -b -us -uc) >"$out/build.log" 2>&1; then
	tail -n 40 "$out/build.log" >&2
	echo "deb: the build failed; all of it is in $out/build.log" >&2
	exit 1
fi
# errors and warnings end it, as a look at the packages by a user of Debian would
lintian --fail-on error,warning "$out"/enrgdaq_"$version"_*.changes
rm -rf "$tree"
ls -l "$out"/*.deb
