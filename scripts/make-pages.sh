#!/bin/bash
# Manual pages and shell completion, from what the program itself says: `help`, `COMMAND --help`, `jobs` and `describe` print
# their tables, and nothing is written by hand a second time.
# usage: make-pages.sh FOLDER PROGRAM…   (FOLDER/man, FOLDER/bash, FOLDER/zsh, FOLDER/fish; before PROGRAM what runs it)
set -eu
folder=$1
shift
program=("$@")
version=$("${program[@]}" --version | cut -d' ' -f2)
mkdir -p "$folder/man" "$folder/bash" "$folder/zsh" "$folder/fish"

# "name summary" a line.
commands=$("${program[@]}" --help | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1 \2/p')
[ -n "$commands" ] || { echo "make-pages: ${program[*]} --help names no command" >&2; exit 1; }

# Text as it stands: for roff, a backslash is said twice and a line may not begin with a dot or a quote; a hyphen is one that
# can be copied.
as_it_is() { sed -e 's/\\/\\e/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/-/\\-/g'; }

head_of() { # NAME SECTION SUMMARY
	printf '.TH %s %s "" "enrgdaq %s" "ENRGDAQ"\n.SH NAME\n%s \\- %s\n' \
		"$(echo "$1" | tr '[:lower:]' '[:upper:]' | as_it_is)" "$2" "$version" "$(echo "$1" | as_it_is)" "$3"
}

example_block() { printf '.nf\n'; as_it_is; printf '.fi\n'; }

options_of() { # COMMAND [WORD]: its options, a line each
	"${program[@]}" "$@" --help 2>/dev/null | grep -o -E -e '(^|[[ |])--[a-z][a-z-]*' | grep -o -e '--[a-z-]*' | sort -u
}

words_of() { # COMMAND: words that follow it, as its usage lines have them
	"${program[@]}" "$1" --help 2>/dev/null | sed -n "1,/^\$/s/^\\(usage:\\)\\{0,1\\} *enrgdaq $1 \\([a-z][a-z]*\\)\\( .*\\)\\{0,1\\}\$/\\2/p" | sort -u
}

{
	head_of enrgdaq 1 "data acquisition for physics laboratories"
	printf '.SH DESCRIPTION\n'
	"${program[@]}" --help | tail -n +3 | example_block
	printf '.SH "SEE ALSO"\n'
	echo "$commands" | while read -r name _; do
		[ "$name" = help ] || printf '.BR enrgdaq\\-%s (1),\n' "$name"
	done
	printf '.BR enrgdaq.toml (5)\n'
} >"$folder/man/enrgdaq.1"

echo "$commands" | while read -r name summary; do
	[ "$name" != help ] || continue
	{
		head_of "enrgdaq-$name" 1 "$summary"
		printf '.SH DESCRIPTION\n'
		"${program[@]}" "$name" --help | example_block
		for word in $(words_of "$name"); do
			# Where the command answers for its word, the section would say the same again.
			[ "$("${program[@]}" "$name" --help)" != "$("${program[@]}" "$name" "$word" --help)" ] || continue
			printf '.SH "%s"\n' "$(echo "$name $word" | tr '[:lower:]' '[:upper:]')"
			"${program[@]}" "$name" "$word" --help | example_block
		done
		printf '.SH "SEE ALSO"\n.BR enrgdaq (1),\n.BR enrgdaq.toml (5)\n'
	} >"$folder/man/enrgdaq-$name.1"
done

types=$("${program[@]}" jobs | sed -n 's/^  \(DAQJob[A-Za-z0-9]*\).*/\1/p')
{
	head_of enrgdaq.toml 5 "files of a configuration folder"
	printf '.SH DESCRIPTION\nA folder holds supervisor.toml, which may be missing, and a file for each job.\n'
	printf 'A system that runs takes changes of its folder by enrgdaq\\-reload (1), one job by enrgdaq\\-job (1), and\n'
	printf 'commands to its jobs by enrgdaq\\-send (1).\n'
	printf '.SH SUPERVISOR.TOML\n'
	"${program[@]}" describe supervisor | tail -n +3 | example_block
	printf '.SH "EVERY JOB"\n'
	"${program[@]}" describe common | tail -n +3 | example_block
	for type in $types; do
		printf '.SH %s\n' "$type"
		"${program[@]}" describe "$type" | sed '/^Keys of every job:/,$d' | example_block
	done
	printf '.SH "SEE ALSO"\n.BR enrgdaq (1),\n.BR enrgdaq\\-describe (1),\n.BR enrgdaq\\-job (1),\n.BR enrgdaq\\-reload (1),\n.BR enrgdaq\\-send (1)\n'
} >"$folder/man/enrgdaq.toml.5"

names=$(echo "$commands" | cut -d' ' -f1 | tr '\n' ' ')
{
	cat <<-END
		# bash completion of enrgdaq $version
		_enrgdaq() {
		    local word=\${COMP_WORDS[COMP_CWORD]} words=
		    COMPREPLY=()
		    if [ "\$COMP_CWORD" = 1 ]; then
		        COMPREPLY=(\$(compgen -W "$names--help --version" -- "\$word"))
		        return
		    fi
		    case \${COMP_WORDS[1]} in
		    help) words="$names" ;;
	END
	echo "$commands" | while read -r name _; do
		[ "$name" != help ] || continue
		all=$({ words_of "$name"; options_of "$name"; for word in $(words_of "$name"); do options_of "$name" "$word"; done; echo --help; } |
			sort -u | tr '\n' ' ')
		# shellcheck disable=SC2016
		[ "$name" != describe ] || all='supervisor common $(enrgdaq jobs 2>/dev/null | grep -o "^  DAQJob[A-Za-z0-9]*") '$all
		printf '    %s) words="%s" ;;\n' "$name" "$all"
	done
	cat <<-'END'
		    esac
		    COMPREPLY=($(compgen -W "$words" -- "$word"))
		}
		complete -o default -F _enrgdaq enrgdaq
	END
} >"$folder/bash/enrgdaq"

{
	printf '#compdef enrgdaq\n# zsh uses the completion of bash.\nautoload -U +X bashcompinit && bashcompinit\n'
	tail -n +2 "$folder/bash/enrgdaq"
} >"$folder/zsh/_enrgdaq"

{
	echo "# fish completion of enrgdaq $version"
	echo "$commands" | while read -r name summary; do
		printf "complete -c enrgdaq -n __fish_use_subcommand -f -a %s -d '%s'\n" "$name" "$(echo "$summary" | tr -d "'")"
		for option in $(options_of "$name"); do
			printf "complete -c enrgdaq -n '__fish_seen_subcommand_from %s' -l %s\n" "$name" "${option#--}"
		done
	done
} >"$folder/fish/enrgdaq.fish"
