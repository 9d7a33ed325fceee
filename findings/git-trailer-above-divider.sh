#!/usr/bin/env bash
# A trailer that `git commit --trailer` adds is not found by `git log` where the message has a line `---`.
#
# git 2.39.5 (Debian 12).
#
# Guess: what one command of git adds as a trailer another reads as one; it is put at the end of the message.
# What happens: for adding, a line `---` ends the message, as it does in a mail with a patch. The trailer is put above
# it, in the middle. `git log --format=%(trailers)` takes the whole message, whose last paragraph is another, and finds
# none. `git interpret-trailers --parse` stops at the line and does find it.
#
# Output seen:
#   message: Subject | Body | Ticket: 7 | --- | More of the body
#   git log, %(trailers): (none)
#   git interpret-trailers --parse: Ticket: 7
#   git log, %(trailers), of the same without the line: Ticket: 7
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
git --version
export HOME=$tmp GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.invalid GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.invalid
git init -q -b main .
commit() { printf "$1" | git commit -q --allow-empty --trailer 'Ticket: 7' -F -; }
trailers() { git log -1 --format='%(trailers)' | grep . || true; }
commit 'Subject\n\nBody\n\n---\n\nMore of the body\n'
message=$(git log -1 --format=%B | grep . | paste -sd'|' | sed 's/|/ | /g')
log=$(trailers)
parsed=$(git log -1 --format=%B | git interpret-trailers --parse)
commit 'Subject\n\nBody\n\nMore of the body\n'
without=$(trailers)
echo "message: $message"
echo "git log, %(trailers): ${log:-(none)}"
echo "git interpret-trailers --parse: $parsed"
echo "git log, %(trailers), of the same without the line: $without"
changed() { echo "CHANGED: $*" >&2; exit 1; }
[ "$message" = 'Subject | Body | Ticket: 7 | --- | More of the body' ] || changed 'the trailer stands elsewhere'
[ -z "$log" ] || changed 'git log finds it'
[ "$parsed" = 'Ticket: 7' ] || changed 'interpret-trailers does not find it'
[ "$without" = 'Ticket: 7' ] || changed 'git log does not find it where there is no such line'
echo 'as described'
