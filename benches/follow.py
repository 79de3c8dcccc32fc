#!/usr/bin/env python3
"""Feeds a log to `bouncestat follow` at a given rate, with rotations of every kind, and compares what came out with one batch run.

    benches/follow.py WORK [--log LOG] [--rate 10000] [--seconds 600] [--rotations 20] [--bouncestat target/release/bouncestat]

Without LOG, one is made by generate.py with --stamps 3339. One after the other, a third each:

- rename: mail.log becomes mail.log.1, the writer goes on in it for a moment, as until its SIGHUP; .1 becomes .2 and is packed;
- copytruncate: postfix.log is copied to postfix.log.1 and emptied; nothing is written between the two;
- datestamped: mail-20260101.log stays as it is, and mail-20260102.log begins.

Blocks of 8 KiB are written, so that most writes end in the middle of a line; rotations come at line ends. At the end follow gets SIGTERM.
Then the dataset must hold as many lines as were fed, its report must be that of a batch run over LOG but for names of files, and the
failures that were printed must be the attempts of the batch run. Written as Markdown; the exit code is 1 where anything differs.
"""

import argparse
import collections
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

BLOCK = 8192
#: Share of a second for which a rename's old file is written to.
BEFORE_HUP = 0.2
FAILURE = re.compile(rb"^(\S+) \S+ postfix/\w+\[\d+\]: (\w+): to=<([^>]*)>.* status=(deferred|bounced) ")


class Folder:
    """The log folder, and what rotates in it."""

    def __init__(self, path):
        self.path, self.done = path, collections.Counter()
        os.makedirs(path)
        self.kind = self.out = None

    def name(self, name):
        return os.path.join(self.path, name)

    def open(self, kind):
        if self.out:
            self.out.close()
        self.kind, self.file = kind, {"rename": "mail.log", "copytruncate": "postfix.log", "datestamped": "mail-20260101.log"}[kind]
        # As a syslog daemon does: appending, and nothing kept back.
        self.out = open(self.name(self.file), "ab", buffering=0)

    def shift(self):
        """mail.log.1.gz becomes mail.log.2.gz and so on; what was .1 is packed as .2."""
        for n in range(200, 1, -1):
            if os.path.exists(old := self.name(f"{self.file}.{n}.gz")):
                os.rename(old, self.name(f"{self.file}.{n + 1}.gz"))
        if os.path.exists(first := self.name(self.file + ".1")):
            hidden = self.name(".packing")
            with open(first, "rb") as plain, gzip.open(hidden, "wb", compresslevel=1) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
            os.rename(hidden, self.name(self.file + ".2.gz"))
            os.remove(first)

    def rotate(self, late):
        """`late` is written by whoever was not told yet that the name has changed."""
        if self.kind == "rename":
            self.shift()
            os.rename(self.name(self.file), self.name(self.file + ".1"))
            self.out.write(late)
            self.out.close()
            self.out = open(self.name(self.file), "ab", buffering=0)
        elif self.kind == "copytruncate":
            self.shift()
            shutil.copyfile(self.name(self.file), self.name(self.file + ".1"))
            os.truncate(self.name(self.file), 0)
            self.out.write(late)
        else:
            self.out.close()
            day = int(self.file[5:13]) + 1
            self.file = f"mail-{day if day % 100 < 29 else day + 72}.log"
            self.out = open(self.name(self.file), "ab", buffering=0)
            self.out.write(late)
        self.done[self.kind] += 1


class Printed(threading.Thread):
    """Reads what follow prints, and when."""

    def __init__(self, out):
        super().__init__(daemon=True)
        self.out, self.rows = out, []

    def run(self):
        for line in self.out:
            self.rows.append((time.monotonic(), line))


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024


def generation(dataset):
    try:
        return json.load(open(os.path.join(dataset, "bouncestat-dataset.json")))["generation"], os.stat(os.path.join(dataset, "bouncestat-dataset.json")).st_mtime
    except (FileNotFoundError, json.JSONDecodeError):
        return 0, 0


def feed(args, folder, log):
    """Writes the log; gives how many lines there were, when each failure was written, and the time of the last write."""
    total = sum(chunk.count(b"\n") for chunk in iter(lambda: log.read(1 << 20), b""))
    log.seek(0)
    kinds = ["rename", "copytruncate", "datestamped"]
    # After each of these lines something rotates; a third of the lines ends with the name that rotated last.
    third = total // 3
    points = {k * third + (n + 1) * third // (args.rotations + 1): kinds[k] for k in range(3) for n in range(args.rotations)}
    opens = {k * third: kinds[k] for k in range(3)}
    written, block, at, late = [], bytearray(), time.monotonic(), None
    begun = time.monotonic()

    def put(everything):
        nonlocal block, at
        size = len(block) if everything else len(block) // BLOCK * BLOCK
        for start in range(0, size, BLOCK):
            folder.out.write(block[start : min(start + BLOCK, size)])
        del block[:size]
        at = time.monotonic()

    for number, line in enumerate(log):
        if number in opens:
            put(True)
            folder.open(opens[number])
        if number in points or (late is not None and len(late) > args.rate * BEFORE_HUP * 100):
            if late is None:
                put(True)
                late = bytearray()
        if late is not None:
            late += line
            if len(late) > args.rate * BEFORE_HUP * 100:
                folder.rotate(late)
                late, at = None, time.monotonic()
        else:
            block += line
            if len(block) >= 4 * BLOCK:
                put(False)
        if found := FAILURE.match(line):
            written.append((found.groups(), at))
        if number % 100 == 0:
            ahead = begun + number / args.rate - time.monotonic()
            if ahead > 0.005:
                time.sleep(ahead)
    if late is not None:
        folder.rotate(late)
    put(True)
    return total, written, time.monotonic() - begun, time.time()


def report(program, *paths):
    found = json.loads(subprocess.check_output([program, "report", *paths, "--tz", "UTC", "--format", "json", "--no-progress", "--quiet"]))
    lines = found["coverage"]["lines"]
    # Names of files are other ones, and so are the places in them.
    found["coverage"] = {key: value for key, value in found["coverage"].items() if key in ("lines", "used", "irrelevant", "unrecognised")}
    hook = lambda o: {k: v for k, v in o.items() if k not in ("source_file", "source_offset")}
    return lines, json.loads(json.dumps(found), object_hook=hook)


def key(row):
    return row["event_time"], row["queue_id"], row["recipient"], row["outcome"]


def failures(program, log):
    out = subprocess.check_output([program, "attempts", log, "--tz", "UTC", "--format", "jsonl", "--no-progress", "--quiet"])
    rows = (json.loads(line) for line in out.splitlines())
    return collections.Counter(key(row) for row in rows if row["outcome"] in ("deferred", "bounced"))


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def main():
    parser = argparse.ArgumentParser(description="Feeds a log to follow, with rotations.")
    parser.add_argument("work")
    parser.add_argument("--log")
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rotations", type=int, default=20, help="of each kind")
    parser.add_argument("--every", default="10s")
    parser.add_argument("--bouncestat", default="target/release/bouncestat")
    args = parser.parse_args()
    program = os.path.abspath(args.bouncestat)
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    if not args.log:
        args.log = os.path.join(args.work, "log")
        generate = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generate.py")
        lines = str(args.rate * args.seconds)
        subprocess.run([sys.executable, generate, args.log, args.log + ".json", "--stamps", "3339", "--lines", lines], check=True, stdout=subprocess.DEVNULL)
    folder, dataset = Folder(os.path.join(args.work, "logs")), os.path.join(args.work, "dataset")
    command = [program, "follow", folder.path, "--into", dataset, "--every", args.every, "--format", "jsonl", "--since", "2000-01-01", "--tz", "UTC"]
    said = open(os.path.join(args.work, "said"), "wb")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
    printed = Printed(process.stdout)
    printed.start()
    with open(args.log, "rb") as log:
        fed, written, seconds, last = feed(args, folder, log)
    # The last commit: nothing new for longer than commits are apart.
    now, changed = generation(dataset), time.time()
    while time.time() - changed < 15:
        time.sleep(0.1)
        if (new := generation(dataset)) != now:
            now, changed = new, time.time()
    busy = cpu(process.pid)
    time.sleep(30)
    idle, memory = cpu(process.pid) - busy, peak(process.pid)
    process.send_signal(signal.SIGTERM)
    code = process.wait()
    printed.join()
    said.close()
    told = open(said.name).read()
    wrong = [f"follow: exit {code}"] if code else []
    lines, mine = report(program, dataset)
    batch_lines, batch = report(program, args.log)
    for name in batch:
        if mine.get(name) != batch[name]:
            wrong.append(f"the reports differ: {name}")
    if not fed == lines == batch_lines:
        wrong.append(f"lines: {fed} fed, {lines} in the dataset, {batch_lines} in the batch run")
    rows = [(at, json.loads(line)) for at, line in printed.rows]
    seen = collections.Counter(key(row) for _, row in rows if row["outcome"] in ("deferred", "bounced"))
    expected = failures(program, args.log)
    if seen != expected:
        few, many = expected - seen, seen - expected
        wrong.append(f"failures: {few.total()} not printed {list(few)[:3]}, {many.total()} printed too often {list(many)[:3]}")
    # In the order of the log, equal failures are told one after the other.
    when = collections.defaultdict(list)
    for (_, queue, recipient, outcome), at in written:
        when[queue.decode(), recipient.decode(), outcome.decode()].append(at)
    lags = []
    for at, row in rows:
        if queue := when.get((row["queue_id"], row["recipient"], row["outcome"])):
            lags.append(at - queue.pop(0))
    commits = re.search(r"([\d,]+) commits?", told)
    print("| follow | |\n|---|--:|")
    print(f"| fed | {fed:,} lines in {seconds:.0f} s: {fed / seconds:,.0f} a second |")
    print("| rotations | " + ", ".join(f"{n} × {kind}" for kind, n in folder.done.items()) + " |")
    print(f"| lines in the dataset | {lines:,} |")
    print(f"| failures printed, in the batch run | {seen.total():,}, {expected.total():,} |")
    print(f"| report of the dataset = batch report | {'yes' if mine == batch else 'NO'} |")
    print(f"| CPU | {busy:.1f} s: {100 * busy / seconds:.1f} % of a core |")
    print(f"| idle, 30 s | {idle:.2f} s of CPU |")
    print(f"| peak memory | {memory:.0f} MB |")
    print(f"| from written to printed: median, 99 %, longest | {quantile(lags, 0.5):.2f} s, {quantile(lags, 0.99):.2f} s, {max(lags, default=0):.2f} s |")
    print(f"| from the last line to its commit | {now[1] - last:.1f} s |")
    print(f"| commits (--every {args.every}) | {commits[1] if commits else '?'} |")
    for sentence in wrong:
        print(f"\nWRONG: {sentence}")
    if wrong:
        print(told[-2000:], file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
