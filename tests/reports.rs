//! `reports/`: what the main job makes of all samples, in every format: golden output and documentation at once.

use crate::common::{golden, run, without_versions};

/// The logs of all samples, each case once.
const PATHS: [&str; 3] = ["samples/postfix/*", "samples/exim/*", "samples/exchange/fleet/E*"];

#[test]
fn the_reports_of_all_samples() {
    for (format, name) in [
        ("table", "table.txt"),
        ("json", "report.json"),
        ("jsonl", "report.jsonl"),
        ("csv", "domains.csv"),
        ("markdown", "report.md"),
        ("html", "report.html"),
        ("prometheus", "bouncestat.prom"),
    ] {
        let ran = run(&[&["--tz", "UTC", "--format", format], &PATHS[..]].concat()).exits(0);
        golden(format!("reports/{name}"), without_versions(ran.text()).as_bytes());
    }
}

#[test]
fn the_first_attempts_of_all_samples() {
    let ran = run(&["attempts", "--tz", "UTC", "--format", "csv", "samples/postfix/sink"]).exits(0);
    golden("reports/attempts.csv", ran.text().as_bytes());
}

/// Parquet is not kept: its footer names the version of the library. It is read back, cell by cell.
#[test]
fn parquet_holds_what_the_csv_shows() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let bytes = run(&[&["--tz", "UTC", "--format", "parquet"], &PATHS[..]].concat()).exits(0).out;
    let folder = crate::common::Folder::with("domains.parquet", &bytes);
    let file = std::fs::File::open(folder.path("domains.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let report = run(&[&["--tz", "UTC", "--format", "json"], &PATHS[..]].concat()).exits(0).json();
    let rows = report["domains"].as_array().unwrap();
    let mut seen = 0;
    for (theirs, ours) in reader.get_row_iter(None).unwrap().zip(rows) {
        for (name, field) in theirs.unwrap().get_column_iter() {
            let ours = &ours[name.as_str()];
            let same = match field {
                Field::Null => ours.is_null(),
                Field::Str(text) => ours == text.as_str(),
                Field::Long(n) => ours.as_i64() == Some(*n),
                Field::Double(n) => ours.as_f64().is_some_and(|ours| (ours - n).abs() < 1e-15),
                Field::TimestampMicros(_) => ours.is_string(),
                other => panic!("{name} is {other:?}"),
            };
            assert!(same, "{name}: {ours} is not {field}");
        }
        seen += 1;
    }
    assert_eq!(seen, rows.len());
}
