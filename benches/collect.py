#!/usr/bin/env python3
"""Collects a long log day by day, as a nightly run does, and asks the dataset and the logs the same question.

    benches/collect.py LOG WORK [--bouncestat target/release/bouncestat] [--runs 3]

LOG is one of generate.py with --stamps 3339. It is cut into a file a day, and each night sees one file more: yesterday's, rotated, is
packed on the next night. Written as Markdown: time and memory of a night, the size of the dataset, and the time of a report of 30 days from
the dataset beside that from the logs. The two answers must be equal; where they are not, nothing is written and the exit code is 1.
"""

import argparse
import gzip
import json
import os
import resource
import shutil
import statistics
import subprocess
import time


def run(*command, out=subprocess.DEVNULL):
    """Wall seconds, CPU seconds, and peak memory in MB of a command."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit {status}\n{said.decode()}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def days(log, work):
    """Cuts the log into files of a day; gives their names, oldest first."""
    folder = os.path.join(work, "days")
    os.makedirs(folder, exist_ok=True)
    names, day, out = [], None, None
    with open(log, "rb") as lines:
        for line in lines:
            if line[:10] != day:
                day = line[:10]
                names.append(os.path.join(folder, f"mail.log-{day.decode().replace('-', '')}"))
                out = open(names[-1], "wb", buffering=1 << 20)
            out.write(line)
    return names


def median(runs, index):
    return statistics.median(run[index] for run in runs)


def main():
    parser = argparse.ArgumentParser(description="Measures collect, night by night, and reports of the dataset.")
    parser.add_argument("log")
    parser.add_argument("work")
    parser.add_argument("--bouncestat", default="target/release/bouncestat")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    program = os.path.abspath(args.bouncestat)
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(os.path.join(args.work, "logs"))
    logs, dataset = os.path.join(args.work, "logs"), os.path.join(args.work, "dataset")
    nights, raw, before = [], 0, None
    for name in days(args.log, args.work):
        raw += os.path.getsize(name)
        new = os.path.join(logs, os.path.basename(name))
        os.rename(name, new)
        if before:
            # What was yesterday's is packed tonight, as logrotate's delaycompress does.
            with open(before, "rb") as plain, gzip.open(before + ".gz", "wb", compresslevel=1) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
            os.remove(before)
        nights.append(run(program, "collect", logs, "--into", dataset, "--tz", "UTC", "--quiet", "--no-progress"))
        before = new
    full = nights[1:-1] or nights
    print("| collect, night by night | |\n|---|--:|")
    print(f"| nights, log lines in all | {len(nights)}, {sum(1 for _ in open(args.log, 'rb')):,} |")
    print(f"| a night: wall, CPU (median) | {median(full, 0):.2f} s, {median(full, 1):.2f} s |")
    print(f"| the slowest night: wall | {max(n[0] for n in full):.2f} s |")
    print(f"| peak memory (highest) | {max(n[2] for n in nights):.0f} MB |")
    print(f"| logs, unpacked | {raw / 1e6:,.0f} MB |")
    for part in ("attempts", "messages", "state"):
        print(f"| dataset: {part} | {size(os.path.join(dataset, part)) / 1e6:,.1f} MB |")
    print("\n| report | from the logs: wall, CPU | from the dataset: wall, CPU | times faster |\n|---|--:|--:|--:|")
    for title, options in (
        ("everything", []),
        ("--since 30d --as-of last", ["--since", "30d", "--as-of", "last"]),
        ("--since 7d --as-of last", ["--since", "7d", "--as-of", "last"]),
        ("--since 24h --as-of last", ["--since", "24h", "--as-of", "last"]),
        ("suspects --since 7d --as-of last", ["suspects", "--since", "7d", "--as-of", "last"]),
    ):
        command = [options[0]] if options and not options[0].startswith("-") else ["report"]
        options = options[1:] if command[0] != "report" else options
        times = {}
        answers = {}
        for _ in range(args.runs):
            for source in (logs, dataset):
                answer = os.path.join(args.work, "answer.json")
                with open(answer, "wb") as out:
                    times.setdefault(source, []).append(
                        run(program, *command, source, *options, "--tz", "UTC", "--format", "json", "--quiet", "--no-progress", out=out)
                    )
                answers[source] = json.load(open(answer))
        for answer in answers.values():
            answer.pop("coverage")
        # Logs are named otherwise when they are packed.
        plain = lambda found: json.loads(json.dumps(found), object_hook=lambda o: {k: v for k, v in o.items() if k != "source_file"})
        if plain(answers[logs]) != plain(answers[dataset]):
            raise SystemExit(f"{title}: the dataset answers otherwise than the logs")
        a, b = (median(times[s], 0) for s in (logs, dataset))
        c, d = (median(times[s], 1) for s in (logs, dataset))
        print(f"| {title} | {a:.2f} s, {c:.2f} s | {b:.2f} s, {d:.2f} s | {a / b:.1f} |")
    print(f"\nMachine: {os.cpu_count()} cores; peak memory of this script {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
