#!/bin/sh
# circles.sh NM LIST: names each object file that calls one which, by whatever way, calls it back. LIST has a line for each
# archive or object file. What is in a circle is what stays when, again and again, each file goes that calls none or that
# none calls.
nm=$1
list=$2
found=$(xargs "$nm" -A -P <"$list" 2>/dev/null | awk '
	{
		file = $1
		sub(/:$/, "", file)
		gsub(/\]$/, "", file)
		sub(/^.*\//, "", file)
		sub(/\[/, "/", file)
		sub(/^lib(enrg_)?/, "", file)
		sub(/\.a\//, "/", file)
		if ($3 ~ /^[TDBRC]$/)
			home[$2] = file
		else if ($3 == "U")
			wants[file, $2] = 1
	}
	END {
		for (key in wants) {
			split(key, part, SUBSEP)
			if (part[2] in home && home[part[2]] != part[1])
				calls[part[1], home[part[2]]] = part[2]
		}
		do {
			gone = 0
			split("", out)
			split("", into)
			for (key in calls) {
				split(key, part, SUBSEP)
				out[part[1]] = into[part[2]] = 1
			}
			for (key in calls) {
				split(key, part, SUBSEP)
				if (!(part[2] in out) || !(part[1] in into)) {
					delete calls[key]
					gone++
				}
			}
		} while (gone)
		for (key in calls) {
			split(key, part, SUBSEP)
			print part[1] " calls " part[2] ": " calls[key]
		}
		count = 0
		for (name in home)
			count++
		if (!count)
			print "no symbol was found"
	}' | sort)
if [ -n "$found" ]; then
	echo "files of a circle, or between two circles:"
	echo "$found"
	exit 1
fi
