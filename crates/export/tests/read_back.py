"""Reads what files_for_other_programs wrote with pyarrow and DuckDB: types, counts, sums, nulls, metadata.

    pip install pyarrow duckdb pytz && python3 read_back.py DIR
"""
import datetime
import json
import pathlib
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
ARROW = {"Utf8": pa.string(), "Int64": pa.int64(), "Float64": pa.float64(), "Boolean": pa.bool_(), "Date": pa.date32(),
         "Timestamp": pa.timestamp("us", tz="UTC"), "Utf8List": pa.string()}
DUCK = {"Utf8": "VARCHAR", "Int64": "BIGINT", "Float64": "DOUBLE", "Boolean": "BOOLEAN", "Date": "DATE",
        "Timestamp": "TIMESTAMP WITH TIME ZONE", "Utf8List": "VARCHAR"}

for entry in manifest["files"]:
    path = folder / entry["file"]
    names = [c["name"] for c in entry["columns"]]
    if entry["format"] == "parquet":
        file = pq.ParquetFile(path)
        assert file.metadata.num_rows == entry["rows"], path
        assert file.metadata.metadata[b"bouncestat.schema_version"] == b"1", path
        for column, field in zip(entry["columns"], file.schema_arrow, strict=True):
            assert (field.name, field.type, field.nullable) == (column["name"], ARROW[column["type"]], column["nullable"]), (path, field)
        described = duckdb.sql(f"describe select * from '{path}'").fetchall()
        assert [(d[0], d[1]) for d in described] == [(c["name"], DUCK[c["type"]]) for c in entry["columns"]], described
        file.read().validate(full=True)
    else:
        rows = duckdb.sql(f"select * from read_csv('{path}', header=true, all_varchar=true, strict_mode=true)")
        assert rows.columns == names and len(rows.fetchall()) == entry["rows"], path

one = lambda query: duckdb.sql(query).fetchall()[0]
attempts, domains, totals = (folder / f"{name}.parquet" for name in ("attempts", "domains", "totals"))
assert one(f"select sum(deliveries), sum(hard), sum(soft) from '{domains}'") == one(f"select deliveries, hard, soft from '{totals}'")
assert one(f"select count(*) from '{attempts}'")[0] == one(f"select attempts from '{totals}'")[0]
assert one(f"select count(distinct delivery_id) from '{attempts}'")[0] == one(f"select deliveries from '{totals}'")[0]
assert one(f"select count(*) from '{attempts}' where outcome = 'delivered' and class is not null")[0] == 0
# Every format holds the same attempts.
columns = "delivery_id, event_time::timestamptz, outcome, reason, smtp_code::bigint, reply_text, source_offset::bigint"
for other in ("csv", "jsonl", "json"):
    read = f"read_csv('{folder}/attempts.csv', strict_mode=true)" if other == "csv" else f"read_json('{folder}/attempts.{other}')"
    left = f"select {columns} from '{attempts}'"
    right = f"select {columns} from {read}"
    assert one(f"select count(*) from ({left} except all {right})")[0] == 0, other
    assert one(f"select count(*) from ({right} except all {left})")[0] == 0, other
types = {field.name: field.type for field in pq.read_schema(attempts)}
assert types["event_time"] == ARROW["Timestamp"] and types["event_date"] == pa.date32() and types["source_offset"] == pa.int64()
groups = pq.ParquetFile(attempts).metadata
assert groups.row_group(0).num_rows == 122_880 and groups.row_group(0).column(0).compression == "SNAPPY"
first = pq.read_table(attempts, columns=["event_time", "event_date"]).slice(0, 1).to_pylist()[0]
assert first["event_time"].tzinfo and first["event_time"].date() == first["event_date"] == datetime.date(2026, 11, 22), first
print(f"pyarrow {pa.__version__} and DuckDB {duckdb.__version__} agree on {len(manifest['files'])} files and {groups.num_rows} attempts")
print(f"created_by {groups.created_by!r}; encodings {sorted({e for g in range(groups.num_row_groups) for c in range(groups.num_columns) for e in groups.row_group(g).column(c).encodings})}")
