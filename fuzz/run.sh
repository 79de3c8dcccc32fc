#!/bin/sh
# Runs one fuzz target with stable Rust: fuzz/run.sh TARGET [SECONDS]
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-60}
host=$(rustc -vV | sed -n 's/^host: //p')

coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
# The bootstrap switch lets stable Rust take the flag of the sanitizer; nothing that is shipped is built this way.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="$coverage --cfg fuzzing -Zsanitizer=address" cargo build --release --bin "$target" --target "$host"

mkdir -p "corpus/$target" "artifacts/$target"
samples=
case $target in
    postfix | exim | exchange) samples=../samples/$target ;;
    framing | detect | decompression) samples=../samples ;;
    rules) samples=../crates/classification/rules ;;
esac
[ ! -d "seeds/$target" ] || samples="$samples seeds/$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" $samples \
    -max_total_time="$seconds" -timeout=10 -max_len=8192 -artifact_prefix="artifacts/$target/"
