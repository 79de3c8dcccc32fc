//! What was written, read back by other programs' code: the types, the nulls, the values, the metadata.

mod common;

use std::fs::File;

use bouncestat_aggregation::schema::{Kind, TABLES};
use bouncestat_aggregation::{Frame, Value};
use bouncestat_export::{Options, by_name, export_dir, rfc3339};
use bytes::Bytes;
use common::{attempts, cases, meta, report};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// The same value, as Parquet's reader gives it.
fn same(ours: Value<'_>, theirs: &Field) -> bool {
    match (ours, theirs) {
        (Value::Null, Field::Null) => true,
        (Value::Utf8(a), Field::Str(b)) => a == b,
        (Value::Utf8List(a), Field::Str(b)) => a.join("; ") == *b,
        (Value::Int64(a), Field::Long(b)) | (Value::Timestamp(a), Field::TimestampMicros(b)) => a == *b,
        (Value::Float64(a), Field::Double(b)) => a == *b,
        (Value::Boolean(a), Field::Bool(b)) => a == *b,
        (Value::Date(a), Field::Date(b)) => a == *b,
        _ => false,
    }
}

fn check_parquet(reader: &SerializedFileReader<Bytes>, frames: &[&Frame]) {
    let meta = reader.metadata();
    for (column, field) in frames[0].columns().iter().zip(meta.file_metadata().schema_descr().columns()) {
        let (physical, logical) = match column.kind {
            Kind::Utf8 | Kind::Utf8List => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Int64 => (Physical::INT64, None),
            Kind::Float64 => (Physical::DOUBLE, None),
            Kind::Boolean => (Physical::BOOLEAN, None),
            Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
            Kind::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        };
        assert_eq!(field.name(), column.name);
        assert_eq!((field.physical_type(), field.logical_type_ref()), (physical, logical.as_ref()), "{}", column.name);
        let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        assert_eq!(field.self_type().get_basic_info().repetition(), repetition, "{}", column.name);
    }
    for group in meta.row_groups() {
        assert!(group.columns().iter().all(|c| c.compression() == Compression::SNAPPY));
    }
    let ours = frames.iter().flat_map(|frame| (0..frame.len()).map(move |row| (frame, row)));
    let mut rows = reader.get_row_iter(None).unwrap();
    for (frame, row) in ours {
        let theirs = rows.next().unwrap().unwrap();
        for (value, (name, field)) in frame.row(row).zip(theirs.get_column_iter()) {
            assert!(same(value, field), "row {row}, {name}: {value:?} {field:?}");
        }
    }
    assert!(rows.next().is_none());
}

#[test]
fn parquet_tables() {
    let cases = cases(2_000, 50, 1);
    let report = report(&cases, 1_000);
    for table in &report.tables {
        let mut out = Vec::new();
        let options = Options { table: table.name, redaction: "local", ..Options::default() };
        by_name("parquet").unwrap().report(&report, &options, &mut out).unwrap();
        let reader = SerializedFileReader::new(Bytes::from(out)).unwrap();
        check_parquet(&reader, &[&table.frame]);
        let file = reader.metadata().file_metadata();
        assert_eq!(file.created_by(), Some("bouncestat version 0.1.0"));
        let pairs = file.key_value_metadata().unwrap();
        let get = |key: &str| pairs.iter().find(|p| p.key == format!("bouncestat.{key}")).unwrap().value.clone().unwrap();
        assert_eq!((get("schema_version"), get("version"), get("rules")), ("1".into(), "0.1.0".into(), "test".into()));
        assert_eq!(get("redaction"), "local");
        assert!(get("window").starts_with("{\"since\":\"2026-11-22T00:00:00Z\",\"until\":null,"), "{}", get("window"));
        assert!(get("coverage").ends_with("\"truncated\":0,\"lost\":3}"), "{}", get("coverage"));
    }
}

#[test]
fn parquet_attempts_in_row_groups() {
    let cases = cases(130_000, 500, 3);
    let batches = attempts(&cases, 50_000);
    let path = std::env::temp_dir().join(format!("bouncestat-attempts-{}.parquet", std::process::id()));
    let out = Box::new(File::create(&path).unwrap());
    let mut sink = by_name("parquet").unwrap().attempts(out, &Options::default()).unwrap();
    batches.iter().for_each(|batch| sink.write(batch.frame()).unwrap());
    sink.finish(&meta()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let sizes: Vec<_> = reader.metadata().row_groups().iter().map(|g| g.num_rows()).collect();
    let all: usize = batches.iter().map(|b| b.len()).sum();
    assert_eq!(sizes, [122_880, all as i64 - 122_880]);
    check_parquet(&reader, &batches.iter().map(|b| b.frame()).collect::<Vec<_>>());
}

fn csv_of(table: &str, cases: &[common::Case], excel: bool) -> String {
    let mut out = Vec::new();
    let options = Options { table, excel, ..Options::default() };
    by_name("csv").unwrap().report(&report(cases, 1_000), &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn csv_tables() {
    let cases = cases(2_000, 50, 1);
    let report = report(&cases, 1_000);
    for table in &report.tables {
        let text = csv_of(table.name, &cases, false);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
        let mut count = 0;
        for (row, record) in reader.records().enumerate() {
            count += 1;
            for (value, field) in table.frame.row(row).zip(record.unwrap().iter()) {
                let expected = match value {
                    Value::Null => String::new(),
                    Value::Utf8(text) => text.to_owned(),
                    Value::Int64(n) => n.to_string(),
                    Value::Float64(n) => {
                        assert_eq!(field.parse(), Ok(n), "shortest text, same number");
                        continue;
                    }
                    Value::Timestamp(at) => rfc3339(at),
                    Value::Utf8List(texts) => texts.join("; "),
                    other => panic!("{other:?}"),
                };
                assert_eq!(field, expected);
            }
        }
        assert_eq!(count, table.frame.len());
    }
}

#[test]
fn csv_is_rfc_4180_with_a_header_even_when_empty() {
    let text = csv_of("reasons", &[], false);
    assert_eq!(text, "reason,class,disposition,deliveries,domains,template,example\r\n");
    let text = csv_of("reasons", &cases(2_000, 50, 1), false);
    assert!(text.contains("\"550 =cmd|' /C calc'!A0 \"\"no\"\", way\"\r\n"), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn csv_for_spreadsheets_has_a_mark_and_no_formulas() {
    let mut cases = cases(40, 3, 1);
    for (case, start) in cases.iter_mut().zip(["=", "+", "-", "@", "\t", "\r", "a"]) {
        case.host = start.to_string().leak();
        case.ip = "";
    }
    let text = csv_of("sources", &cases[..7], true);
    let text = text.strip_prefix('\u{FEFF}').unwrap();
    let sources: Vec<_> = csv::Reader::from_reader(text.as_bytes()).records().map(|r| r.unwrap()[0].to_owned()).collect();
    assert_eq!(sources.len(), 7);
    for source in sources {
        assert!(source == "a" || source.starts_with('\''), "{source:?}");
    }
    assert!(!csv_of("sources", &cases, false).starts_with('\u{FEFF}'));
}

#[test]
fn json_is_the_shape_of_the_contract() {
    let cases = cases(2_000, 50, 1);
    let report = report(&cases, 1_000);
    let mut out = Vec::new();
    by_name("json").unwrap().report(&report, &Options::default(), &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&value),
        "schema_version version rules window coverage excluded totals domains providers sources sender_domains reasons suspects unknown_replies \
         timeline delays provider_reasons domain_reasons source_reasons sender_reasons replies"
    );
    assert_eq!(keys(&value["window"]), "since until first_event last_event");
    assert_eq!(keys(&value["coverage"]), "files bytes lines used irrelevant unrecognised outside_window truncated lost");
    assert_eq!(
        keys(&value["excluded"]),
        "probes hops notifications discarded suppressed shadow health dropped inbound duplicates"
    );
    for table in &report.tables {
        let first = if table.name == "totals" { &value["totals"] } else { &value[table.name][0] };
        let columns: Vec<_> = table.columns.iter().map(|c| c.name).collect();
        assert_eq!(keys(first), columns.join(" "), "{}", table.name);
        if table.name != "totals" {
            assert_eq!(value[table.name].as_array().unwrap().len(), table.frame.len());
        }
    }
    let Value::Float64(rate) = report.table("domains").unwrap().frame.named(0, "hard_rate") else { panic!() };
    assert_eq!(value["domains"][0]["hard_rate"].as_f64(), Some(rate));
    assert!(value["suspects"][0]["domains"].is_array());
}

#[test]
fn a_folder_holds_every_table_twice_and_a_manifest() {
    let cases = cases(500, 20, 1);
    let report = report(&cases, 1_000);
    let dir = std::env::temp_dir().join(format!("bouncestat-export-{}/deep", std::process::id()));
    for _ in 0..2 {
        let files = export_dir(&report, &dir, &Options::default()).unwrap();
        assert_eq!(files.len(), 2 * report.tables.len() + 1);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), files.len(), "nothing temporary stays");
    }
    let manifest: serde_json::Value = serde_json::from_reader(File::open(dir.join("manifest.json")).unwrap()).unwrap();
    for entry in manifest["files"].as_array().unwrap() {
        assert!(dir.join(entry["file"].as_str().unwrap()).is_file());
        let table = report.table(entry["table"].as_str().unwrap()).unwrap();
        assert_eq!(entry["rows"].as_u64(), Some(table.frame.len() as u64));
        assert_eq!(entry["columns"].as_array().unwrap().len(), table.columns.len());
    }
    std::fs::remove_dir_all(dir.parent().unwrap()).unwrap();
    let elsewhere = ["changes", "attempts", "evidence", "lookalikes", "suppress", "unrecognised"];
    let here = TABLES.iter().filter(|t| !elsewhere.contains(&t.name) && !t.name.starts_with("reject_")).count();
    assert_eq!(here, report.tables.len(), "other commands make {elsewhere:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = std::env::temp_dir().join(format!("bouncestat-file-{}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let error = export_dir(&report(&[], 1), &file.join("x"), &Options::default()).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    assert!(error.to_string().contains("bouncestat-file-") && error.io().is_some(), "{error}");
}
