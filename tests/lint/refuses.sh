#!/bin/bash
# Each check of scripts/lint.sh refuses a file with one fault of its kind, and takes the same file without it. A check that
# says that its tool is not here is left out.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
left_out=0

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# expect CHECK FILE: the text of standard input holds a line that ends in "FAULT"; without that line it is clean
expect() {
	local check=$1 file=$2 folder=$work/$1
	mkdir "$folder"
	cat >"$folder/all"
	grep -v 'FAULT' "$folder/all" >"$folder/$file"
	"$root/scripts/lint.sh" --folder "$folder" "$check" >"$folder/log" 2>&1 || fail "$check refuses a clean file: $(cat "$folder/log")"
	if grep -q "nothing was" "$folder/log"; then
		cat "$folder/log"
		left_out=$((left_out + 1))
		return
	fi
	sed 's, *\(//\|#\) FAULT$,,' "$folder/all" >"$folder/$file"
	"$root/scripts/lint.sh" --folder "$folder" "$check" >"$folder/log" 2>&1 && fail "$check takes a file with a fault"
	grep -q "$file" "$folder/log" || fail "$check does not name the file: $(cat "$folder/log")"
}

expect format fault.c <<'EOF'
int answer(void);
int  answer( void ); // FAULT
EOF

expect shell fault.sh <<'EOF'
#!/bin/sh
folder=/nowhere
rm -rf "$folder/"* # FAULT
echo "$folder"
EOF

expect tidy fault.c <<'EOF'
#include <string.h>

int answer(const char *text);
int answer(const char *text)
{
	if (strcmp(text, text)) return memcmp(text, text, sizeof(text)); // FAULT
	return text[0];
}
EOF

expect analyzer fault.c <<'EOF'
#include <stdlib.h>

void answer(void);
void answer(void)
{
	void *memory = malloc(8);

	free(memory);
	free(memory); // FAULT
}
EOF

# Messages of commits: the one that is as it should be, and the faults that a message can have.
git init -q "$work/git" && cd "$work/git" || fail "git init"
commit() { git -c user.name=a -c user.email=a@b.invalid commit -q --allow-empty -m "$1" || fail "git commit"; }
commit "area: begin"
commit $'area: say what it does\n\nWhy, in lines that are not too long.\nhttps://an.address.invalid/that/is/longer/than/a/line/of/text/would/be/allowed/to/be'
"$root/scripts/check-commits.sh" HEAD~1..HEAD || fail "a right message is refused"
long=$(printf 'word %.0s' $(seq 15))xx # 77 columns
for message in "no area" "area:no space" $'area: subject\nand no empty line' $'area: subject\n\n'"$long"; do
	commit "$message"
	"$root/scripts/check-commits.sh" HEAD~1..HEAD >log && fail "this message is taken: $message"
done
[ "$left_out" -lt 4 ] || exit 77
