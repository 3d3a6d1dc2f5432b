#!/bin/bash
# lint.sh CHECK…: refuses what a reader would have to find. Each check takes all files; `--changed` before the names takes
# those that changed since the last tag. --folder FOLDER: the C files and scripts of that folder instead (tests/lint).
#   format    clang-format, pinned (scripts/format.sh)
#   shell     shellcheck on every shell script
#   commits   messages since the last tag: `area: subject`, lines of at most 76 columns
#   tidy      clang-tidy by .clang-tidy, on src/ and plugins/ without their tests (which need not heed a malloc that fails)
#   analyzer  gcc -fanalyzer, on the same files
# Exit code: 0 nothing was found, 1 something was.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=${JOBS:-$(nproc)}
limit=60 # files of --changed for the slow checks
only_changed=
folder=
failed=0

say() { echo "lint: $*"; }

is_history_here() { git rev-parse --verify -q HEAD >/dev/null 2>&1; }

# What changed is counted from here. Without a tag (none yet, or a shallow clone): the last 20 commits, as far as they are here.
base() {
	git describe --tags --abbrev=0 2>/dev/null && return
	git rev-list --first-parent --max-count=21 HEAD | tail -n 1
}

# c_files: what the slow checks take, a name a line
c_files() {
	if [ -n "$folder" ]; then
		find "$folder" -name '*.c'
	elif [ -n "$only_changed" ]; then
		# those of the newest commits first, each once
		git log --format= --name-only --diff-filter=d "$(base)..HEAD" -- 'src/*.c' 'plugins/*.c' | awk 'NF && !seen[$0]++' | while read -r file; do
			[ -f "$file" ] && echo "$file"
		done
		git diff --name-only --diff-filter=d HEAD -- 'src/*.c' 'plugins/*.c'
	else
		git ls-files 'src/*.c' 'plugins/*.c'
	fi
}

# is_built BUILD: of the names on standard input those that the build compiles (a plugin whose library is missing is left out)
is_built() {
	if [ -n "$folder" ]; then cat; else grep -Fx -f <(sed -n "s|^ *\"file\": \"$PWD/\(.*\)\",*\$|\1|p" "$1/compile_commands.json"); fi
}

# taken CHECK BUILD: the files of c_files that the build knows, at most $limit of them with --changed; says what it leaves out
taken() {
	local files count
	files=$(c_files | grep -v '_test\.c$' | awk '!seen[$0]++' | is_built "$2")
	if [ -n "$only_changed" ]; then
		count=$(printf '%s' "$files" | grep -c .)
		if ! git describe --tags --abbrev=0 >/dev/null 2>&1; then
			limit=24 # every time the whole of the sample, as nothing says what was looked at before
			say "$1: no tag is here (none was made, or the clone is shallow): what the last 20 commits changed" >&2
		fi
		if [ "$count" -gt $limit ]; then
			say "$1: $count files changed, the $limit changed last are taken; \`make lint\` takes all" >&2
			files=$(printf '%s\n' "$files" | head -n $limit)
		fi
	fi
	printf '%s\n' "$files" | grep .
}

check_format() {
	if [ -n "$folder" ]; then
		# shellcheck disable=SC2046 # names of our own, without spaces
		scripts/format.sh --check $(find "$folder" -name '*.[ch]')
	else
		scripts/format.sh --check
	fi
}

scripts() {
	if [ -n "$folder" ]; then
		find "$folder" -name '*.sh'
	else
		git ls-files | while read -r file; do
			case $file in
			*.sh) echo "$file" ;;
			*.*) ;;
			*) head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*[/ ](ba)?sh\b' && echo "$file" ;;
			esac
		done
	fi
}

check_shell() {
	command -v shellcheck >/dev/null || { say "shell: no shellcheck here (Debian: shellcheck)"; return 1; }
	scripts | tr '\n' '\0' | xargs -0 -n 4 -P "$jobs" shellcheck -x -P SCRIPTDIR -S warning -f gcc
}

check_commits() {
	is_history_here || { say "commits: no history here, nothing was checked"; return 0; }
	local since
	since=$(git describe --tags --abbrev=0 2>/dev/null ||
		git log --diff-filter=A --format=%H -- scripts/check-commits.sh | tail -n 1)
	scripts/check-commits.sh "$since..HEAD"
}

check_tidy() {
	local tidy=clang-tidy-14
	command -v $tidy >/dev/null || tidy=clang-tidy
	if ! $tidy --version 2>/dev/null | grep -q 'version 14\.'; then
		say "tidy: no clang-tidy 14 here (Debian 12: clang-tidy), nothing was checked"
		! grep -qs '^VERSION_ID="12"' /etc/os-release
		return
	fi
	# warnings of clang's own, no options that only gcc knows
	[ -f build/clang-asan/compile_commands.json ] || cmake --preset clang-asan >/dev/null || return 1
	local bound=0 found # no bound
	[ -n "$only_changed" ] && bound=45
	found=$(taken tidy build/clang-asan | timeout $bound xargs -r -n 1 -P "$jobs" $tidy --quiet -p build/clang-asan 2>/dev/null)
	[ $? = 124 ] && say "tidy: $bound s are over, some files were not reached; \`make lint\` takes all"
	[ -z "$found" ] || { printf '%s\n' "$found" && return 1; }
}

check_analyzer() {
	if [ "$(gcc -dumpversion | cut -d. -f1)" != 12 ]; then
		say "analyzer: other versions than gcc 12 find other things, nothing was checked"
		return 0
	fi
	[ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null || return 1
	taken analyzer build/release | JOBS=$jobs xargs -r scripts/analyze.py build/release
}

while [ $# -gt 0 ]; do
	case $1 in
	--changed) only_changed=yes ;;
	--folder) folder=$2 && shift ;;
	format | shell | commits | tidy | analyzer)
		start=$SECONDS
		"check_$1" || { say "$1: refused" && failed=1; }
		say "$1: $((SECONDS - start)) s"
		;;
	*) sed -n '2,10s/^# //p' "$0" >&2 && exit 2 ;;
	esac
	shift
done
exit $failed
