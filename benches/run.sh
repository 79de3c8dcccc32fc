#!/bin/sh
# Compares bouncestat with other programs on a generated log, and writes benches/RESULTS.md.
#
#   benches/run.sh [--install] [LINES...]        1,000,000 lines if none are given; several give a table each
#
# --install gets what is missing with apt-get (Debian, Ubuntu). Without it, what is missing is named and left out.
# RUNS=5 runs of each program; BOUNCESTAT=./target/release/bouncestat; OUT=benches/RESULTS.md; WORK=target/bench keeps the logs.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin

install=no
if [ "${1:-}" = --install ]; then
    install=yes
    shift
fi
[ $# -gt 0 ] || set -- 1000000

command -v python3 >/dev/null || { echo "benches/run.sh: needs python3" >&2; exit 2; }
missing=
for pair in rg:ripgrep pflogsumm:pflogsumm time:time; do
    command -v "${pair%%:*}" >/dev/null || [ -x "/usr/bin/${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ] && [ "$install" = yes ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get install -y $missing
elif [ -n "$missing" ]; then
    echo "benches/run.sh: not installed, left out:$missing (Debian: apt-get install$missing, or --install)" >&2
fi

work=${WORK:-target/bench}
mkdir -p "$work"
if [ -z "${BOUNCESTAT:-}" ]; then
    cargo build --release
    BOUNCESTAT=target/release/bouncestat
fi
# A copy, so that a build in the meantime changes nothing.
cp "$BOUNCESTAT" "$work/bouncestat"

for lines in "$@"; do
    log=$work/postfix-$lines.log
    if [ ! -s "$log.json" ] || [ benches/generate.py -nt "$log.json" ]; then
        python3 benches/generate.py "$log" "$log.tmp" --lines "$lines"
        mv "$log.tmp" "$log.json"
    fi
done
python3 benches/measure.py --runs "${RUNS:-5}" --program "$work/bouncestat" --work "$work" --out "${OUT:-benches/RESULTS.md}" "$@"
