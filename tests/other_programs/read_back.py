"""Reads what bouncestat exports with DuckDB and pyarrow, and runs the queries and programs of docs/bi.md.

    read_back.py BOUNCESTAT ROOT     ROOT: the project, for samples/ and docs/; the working folder is filled

Types, counts, sums, nulls, encodings, metadata; the same attempts in every format; every code block of the guide.
"""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

program, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
ARROW = {"Utf8": pa.string(), "Int64": pa.int64(), "Float64": pa.float64(), "Boolean": pa.bool_(), "Date": pa.date32(),
         "Timestamp": pa.timestamp("us", tz="UTC"), "Utf8List": pa.string()}
DUCK = {"Utf8": "VARCHAR", "Int64": "BIGINT", "Float64": "DOUBLE", "Boolean": "BOOLEAN", "Date": "DATE",
        "Timestamp": "TIMESTAMP WITH TIME ZONE", "Utf8List": "VARCHAR"}


def logs(sample):
    """The folders of a sample: itself, and all below it but what it must yield."""
    return [sample, *sorted(p for p in sample.iterdir() if p.is_dir() and p.name != "expected")]


def run(*args):
    """The program's output; its notes on stderr are not wanted."""
    return subprocess.run([program, "--tz", "UTC", *map(str, args)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def one(query):
    return duckdb.sql(query).fetchall()[0]


def check_table(folder, entry):
    """A file of the manifest has the columns, types and rows that the manifest says."""
    path = folder / entry["file"]
    if entry["format"] == "parquet":
        file = pq.ParquetFile(path)
        assert file.metadata.num_rows == entry["rows"], path
        assert file.metadata.metadata[b"bouncestat.schema_version"] == b"1", path
        for column, field in zip(entry["columns"], file.schema_arrow, strict=True):
            assert (field.name, field.type, field.nullable) == (column["name"], ARROW[column["type"]], column["nullable"]), (path, field)
        described = duckdb.sql(f"describe select * from read_parquet('{path}', hive_partitioning = false)").fetchall()
        assert [(d[0], d[1]) for d in described] == [(c["name"], DUCK[c["type"]]) for c in entry["columns"]], (path, described)
        file.read().validate(full=True)
        used = {e for g in range(file.num_row_groups) for c in range(file.metadata.num_columns) for e in file.metadata.row_group(g).column(c).encodings}
        assert used <= {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"}, (path, used)
        for group in range(file.num_row_groups):
            assert file.metadata.row_group(group).column(0).compression == "SNAPPY", path
    else:
        rows = duckdb.sql(f"select * from read_csv('{path}', header=true, all_varchar=true, strict_mode=true)")
        assert rows.columns == [c["name"] for c in entry["columns"]] and len(rows.fetchall()) == entry["rows"], path


def check_folder(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        check_table(folder, entry)
    return manifest["files"]


def check_sample(sample, out):
    """Every table of one sample, and its attempts in every format."""
    tables = check_folder_of(sample, out / "tables")
    t = {entry["table"]: out / "tables" / entry["file"] for entry in tables if entry["format"] == "parquet"}
    assert one(f"select coalesce(sum(deliveries), 0), coalesce(sum(hard), 0), coalesce(sum(soft), 0) from '{t['domains']}'") == one(f"select deliveries, hard, soft from '{t['totals']}'")
    report = json.loads(run("--format", "json", *logs(sample)))
    assert one(f"select deliveries, attempts, hard_rate from '{t['totals']}'") == tuple(report["totals"][c] for c in ("deliveries", "attempts", "hard_rate"))

    run("attempts", *logs(sample), "--export", out / "attempts")
    run("attempts", *logs(sample), "--export", out / "days", "--partition-by", "date")
    for form in ("json", "jsonl"):
        (out / f"attempts.{form}").write_bytes(run("attempts", *logs(sample), "--format", form))
    parquet = out / "attempts/attempts.parquet"
    assert one(f"select count(*) from '{parquet}'")[0] == report["totals"]["attempts"]
    assert one(f"select count(*) from '{parquet}' where outcome = 'delivered' and class is not null")[0] == 0
    days = check_folder(out / "days")
    assert sum(entry["rows"] for entry in days) == report["totals"]["attempts"]
    # The dataset that logs are collected into holds the same attempts: of what is whole, and of what is still open.
    # A clone's files are new, and what ends in the middle might go on: copies are old.
    old = out / "old" / sample.name
    shutil.copytree(sample, old)
    for path in old.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    run("collect", *logs(old), "--into", out / "dataset")
    columns = "delivery_id, event_date::date, event_time::timestamptz, outcome, reason, smtp_code::bigint, reply_text, source_offset::bigint"
    readers = [
        f"read_csv('{out}/attempts/attempts.csv', strict_mode=true, types={{'smtp_code': 'BIGINT', 'reply_text': 'VARCHAR', 'delivery_id': 'VARCHAR'}})",
        f"read_json('{out}/attempts.json', columns={JSON_COLUMNS})",
        f"read_json('{out}/attempts.jsonl', columns={JSON_COLUMNS})",
    ]
    if days:
        readers.append(f"read_parquet('{out}/days/*/*.parquet', hive_partitioning=true)")
        readers.append(f"read_parquet('{out}/dataset/attempts/*/*.parquet', hive_partitioning=true)")
    for read in readers:
        for left, right in ((f"'{parquet}'", read), (read, f"'{parquet}'")):
            differ = f"select count(*) from (select {columns} from {left} except all select {columns} from {right})"
            assert one(differ)[0] == 0, (sample, left, right)
    return len(tables) + len(days) + 4, report["totals"]["attempts"]


JSON_COLUMNS = ("{delivery_id: 'VARCHAR', event_date: 'DATE', event_time: 'TIMESTAMPTZ', outcome: 'VARCHAR', reason: 'VARCHAR', "
                "smtp_code: 'BIGINT', reply_text: 'VARCHAR', source_offset: 'BIGINT'}")


def check_folder_of(sample, folder):
    run("--export", folder, *logs(sample))
    return check_folder(folder)


def check_spreadsheet():
    """Byte-order mark, and no cell that begins a formula."""
    run("--export", "excel", "--csv-excel", root / "samples/postfix/lab-long")
    for path in pathlib.Path("excel").glob("*.csv"):
        text = path.read_bytes()
        assert text.startswith(b"\xef\xbb\xbf"), path
        assert not re.search(rb"(?m)(?:^|,)\"?[=+@]", text[3:]), path


def check_guide():
    """Every SQL and Python block of the guide runs on the folders that it speaks of, and finds something."""
    sample = root / "samples/mixed/all-three"
    run("--export", "bi", *logs(sample))
    run("attempts", *logs(sample), "--export", "bi/attempts", "--partition-by", "date")
    guide = (root / "docs/bi.md").read_text()
    sql = re.findall(r"```sql\n(.*?)```", guide, re.S)
    python = re.findall(r"```python\n(.*?)```", guide, re.S)
    assert len(sql) >= 5 and len(python) >= 3
    results = [duckdb.sql(query.rstrip().rstrip(";")).fetchall() for query in sql]
    assert all(results), "a query of the guide finds nothing"
    assert results[-1] == [(0,)], results[-1]
    for block in python:
        names = {}
        exec(block, names)  # our own guide
        made = [v for k, v in names.items() if k in ("worst", "by_day", "rows")]
        assert made and len(made[0]) > 0, block
    return len(sql), len(python)


files = attempts = 0
samples = sorted(p.parent.parent for p in (root / "samples").glob("*/*/expected/report.json"))
assert len(samples) >= 8
for number, sample in enumerate(samples):
    f, a = check_sample(sample, pathlib.Path(f"sample{number}"))
    files, attempts = files + f, attempts + a
check_spreadsheet()
queries, programs = check_guide()
first = pq.read_table("sample0/attempts/attempts.parquet", columns=["event_time", "event_date"]).slice(0, 1).to_pylist()
assert all(row["event_time"].tzinfo and isinstance(row["event_date"], datetime.date) for row in first)
print(f"pyarrow {pa.__version__} and DuckDB {duckdb.__version__} read {files} files of {len(samples)} samples with {attempts} attempts; "
      f"{queries} queries and {programs} programs of docs/bi.md ran")
