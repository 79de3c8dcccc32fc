#!/usr/bin/env python3
"""Checks bouncestat against the truth of generated logs, measures it beside other programs, and writes a Markdown table.

Called by benches/run.sh. The programs take turns, so that a slow moment of the machine hits all of them; what is written are
medians. CPU is user and system time of the whole process. Peak memory comes from GNU time where that is installed; where it
is not, no program seems to need less than Python.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def commands(program, log, work):
    """What is measured: name, command, whether it is there."""
    parquet = os.path.join(work, "attempts.parquet")
    all_ = [
        ("bouncestat, 1 thread", [program, "--no-progress", "--threads", "1", "--format", "json", log]),
        ("bouncestat, 2 threads", [program, "--no-progress", "--threads", "2", "--format", "json", log]),
        ("bouncestat attempts to Parquet, 2 threads", [program, "--no-progress", "--threads", "2", "attempts", log, "-o", parquet]),
        ("rg -c status=", ["rg", "-c", "status=", log]),
        ("grep -c status=", ["grep", "-c", "status=", log]),
        ("pflogsumm", ["pflogsumm", log]),
    ]
    return [(name, command) for name, command in all_ if shutil.which(command[0])]


def run_once(command, gnu_time, sink):
    """Runs a command; gives wall and CPU seconds and peak MB. Its output goes to a file: grep stops early on /dev/null."""
    with tempfile.NamedTemporaryFile("r", suffix=".rss") as rss, open(sink, "wb") as out:
        if gnu_time:
            command = [gnu_time, "-f", "%M", "-o", rss.name, *command]
        begin = time.perf_counter()
        # Not Popen: only wait4 gives the times of this very child.
        pid = os.posix_spawnp(command[0], command, os.environ | {"LC_ALL": "C"}, file_actions=[
            (os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - begin
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{' '.join(command)}: exit code {os.waitstatus_to_exitcode(status)}")
        kilobytes = int(rss.read().split()[-1]) if gnu_time else usage.ru_maxrss
    return wall, usage.ru_utime + usage.ru_stime, kilobytes / 1000


def check(program, log, threads):
    """Stops where the report is not what is true of the log."""
    with open(log + ".json") as file:
        truth = json.load(file)
    command = [program, "--no-progress", "--threads", str(threads), "--format", "json", log]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    wrong = [f"{key}: {report['totals'][key]}, true is {value}" for key, value in truth["totals"].items() if report["totals"][key] != value]
    rows = {row["domain"]: row for row in report["domains"]}
    for domain, expected in truth["domains"].items():
        got = rows.pop(domain, {})
        wrong += [f"{domain} {key}: {got.get(key)}, true is {value}" for key, value in expected.items() if got.get(key) != value]
    wrong += [f"{domain}: not in the log" for domain in rows]
    for name, got, value in [("lines", report["coverage"]["lines"], truth["lines"]), ("notifications", report["excluded"]["notifications"], truth["notifications"]),
                             ("unrecognised", report["coverage"]["unrecognised"], 0)]:
        if got != value:
            wrong.append(f"{name}: {got}, true is {value}")
    if wrong:
        sys.exit("the report is wrong:\n  " + "\n  ".join(wrong[:20]))
    print(f"{log}: totals and {len(truth['domains'])} domains are true ({threads} threads)", file=sys.stderr)
    return truth


def measure(log, args, gnu_time):
    """Medians by name: wall, CPU, peak MB."""
    todo = commands(args.program, log, args.work)
    sink = os.path.join(args.work, "output")
    results = {name: [] for name, _ in todo}
    for name, command in todo:
        if name != "pflogsumm":
            run_once(command, gnu_time, sink)  # warms the page cache
    for number in range(args.runs):
        for name, command in todo:
            results[name].append(run_once(command, gnu_time, sink))
            print(f"  {number + 1}/{args.runs} {name}: {results[name][-1][0]:.3f} s", file=sys.stderr)
    return {name: tuple(statistics.median(column) for column in zip(*runs)) for name, runs in results.items()}


def significant(value):
    """Three digits that say something."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def table(log, truth, results):
    size = os.path.getsize(log) / 1e6
    base, two = results.get("rg -c status="), results["bouncestat, 2 threads"]
    yield f"## {truth['lines']:,} lines, {size:,.0f} MB\n"
    yield (f"{truth['totals']['deliveries']:,} deliveries to {len(truth['domains']):,} domains, {truth['totals']['attempts']:,} attempts, "
           f"{truth['wordings']:,} wordings of refusals. Load of the machine afterwards: {os.getloadavg()[0]:.2f}.\n")
    yield "| | wall s | CPU s | peak MB | MB/s (wall) | CPU, times `rg` | wall, times bouncestat with 2 threads |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, (wall, cpu, peak) in results.items():
        times_rg = significant(cpu / base[1]) if base else "–"
        yield f"| {name} | {wall:.3f} | {cpu:.3f} | {peak:,.0f} | {size / wall:,.0f} | {times_rg} | {significant(wall / two[0])} |"
    yield ""
    ratios = [("2 threads, wall, against 1", "at least 1.7 ×", results["bouncestat, 1 thread"][0] / two[0])]
    if "pflogsumm" in results:
        ratios.append(("report with 2 threads, wall, against pflogsumm", "at least 100 ×", results["pflogsumm"][0] / two[0]))
    if base:
        ratios.append(("report with 1 thread, CPU, against `rg -c`", "at most 6 ×", results["bouncestat, 1 thread"][1] / base[1]))
    ratios.append(("attempts to Parquet, wall, against the report", "at most 2 ×", results["bouncestat attempts to Parquet, 2 threads"][0] / two[0]))
    yield "| ratio | wanted | measured |\n|---|--:|--:|"
    for what, wanted, value in ratios:
        yield f"| {what} | {wanted} | {significant(value)} × |"
    yield ""


def first_match(path, pattern):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return "unknown"
    return found.group(1) if found else "unknown"


def version(*command):
    try:
        text = subprocess.run(command, capture_output=True, text=True).stdout
    except OSError:
        return None
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return f"{command[0]} {found.group(0)}" if found else None


def machine(load):
    memory = int(first_match("/proc/meminfo", r"MemTotal:\s+(\d+)")) / 1e6
    tools = ", ".join(filter(None, [version("rg", "--version"), version("grep", "--version"), version("pflogsumm", "--version")]))
    return (f"Machine: {os.cpu_count()} cores, {first_match('/proc/cpuinfo', r'model name[^:]*: (.*)')}, {memory:.1f} GB of memory, "
            f"{first_match('/etc/os-release', 'PRETTY_NAME=.(.*).$')}; load before the runs {load:.2f}. Beside: {tools}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("lines", nargs="+")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    gnu_time = shutil.which("time")
    if load > 0.5:
        print(f"the machine is busy (load {load:.2f}): the numbers will be noisy", file=sys.stderr)
    sections = []
    for lines in args.lines:
        log = os.path.join(args.work, f"postfix-{lines}.log")
        truth = check(args.program, log, 1)
        check(args.program, log, 2)
        sections += table(log, truth, measure(log, args, gnu_time))
    with open(args.out, "w") as out:
        out.write("# What a report costs\n\n")
        out.write(f"Made by `benches/run.sh {' '.join(args.lines)}`: medians of {args.runs} runs, programs taking turns, files in the page cache. "
                  "The log is generated (`benches/generate.py`); before measuring, the report's totals and all rows of domains were found equal to what is true of it.\n\n")
        out.write(machine(load) + "\n\n")
        out.write("\n".join(sections).rstrip() + "\n")
    print(f"wrote {args.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
