#!/bin/sh
# Run a command again and again until the time is over; it has to succeed and to
# print the same every time.  Prints that once, and ends with status 23.
#
#	repeat.sh DIRECTORY COMMAND [ARG…] SECONDS
directory=$1
shift
for seconds in "$@"; do :; done
end=$(($(date +%s) + ${seconds%.*}))
rm -f "$directory/first"
n=$#
while :; do
	(
		i=1
		for word in "$@"; do
			[ $i -eq 1 ] && set --
			[ $i -lt "$n" ] && set -- "$@" "$word"
			i=$((i + 1))
		done
		exec "$@"
	) >"$directory/this" 2>&1 || {
		echo "status $? of:" "$@"
		cat "$directory/this"
		exit 99
	}
	[ -e "$directory/first" ] || cp "$directory/this" "$directory/first"
	cmp -s "$directory/first" "$directory/this" || {
		diff "$directory/first" "$directory/this"
		exit 98
	}
	[ "$(date +%s)" -lt "$end" ] || break
done
cat "$directory/first"
exit 23
