#!/bin/sh
# Counts the instructions of a report, by function: the same on a busy machine as on a quiet one.
#
#   benches/instructions.sh [LINES] [ROWS]       100,000 lines, 25 functions (needs valgrind)
#
# BOUNCESTAT=./target/release/bouncestat. Left: with all that a function calls; right: by itself.
set -eu
cd "$(dirname "$0")/.."
lines=${1:-100000}
rows=${2:-25}
command -v valgrind >/dev/null || { echo "benches/instructions.sh: needs valgrind (Debian: apt-get install valgrind)" >&2; exit 2; }
if [ -z "${BOUNCESTAT:-}" ]; then
    cargo build --release
    BOUNCESTAT=target/release/bouncestat
fi
work=${WORK:-target/bench}
mkdir -p "$work"
log=$work/postfix-$lines.log
[ -s "$log.json" ] || python3 benches/generate.py "$log" "$log.json" --lines "$lines" >/dev/null

counts=$work/callgrind.out
valgrind --quiet --tool=callgrind --callgrind-out-file="$counts" "$BOUNCESTAT" --no-progress --threads 1 --format json "$log" >/dev/null 2>&1
total=$(callgrind_annotate "$counts" | sed -n 's/^ *\([0-9,]*\).*PROGRAM TOTALS.*/\1/p' | tr -d ,)
echo "$total instructions, $((total / lines)) a line"
names() { grep -E 'bouncestat|memchr|libc|hashbrown|core|alloc|polars|aho' | grep -vE 'rayon|PROGRAM|std::(sys|rt)|thread|shim|Profiled|below main|libc-start|FnOnce' | sed -E 's/ \[[^]]*\]$//; s/\?\?\?://' | head -n "$rows" | cut -c1-110; }
echo "--- with what they call"
callgrind_annotate --inclusive=yes "$counts" | names
echo "--- by themselves"
callgrind_annotate "$counts" | names
