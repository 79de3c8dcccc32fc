//! `bouncestat [report]`: the nightly report in every format, and what options change in it.

use serde_json::Value;

use crate::common::{Folder, report, run, run_with, sample, total, without_places};

fn lab() -> String {
    sample("postfix/lab-long/maillog")
}

#[test]
fn known_logs_give_the_known_deliveries() {
    let report = report(&[&lab()]);
    let totals =
        ["deliveries", "delivered", "delayed", "bounced", "expired", "deferred", "attempts"].map(|name| total(&report, name));
    assert_eq!(totals, [139, 20, 4, 68, 51, 0, 399]);
    assert_eq!(report["excluded"]["notifications"], 123);
    assert_eq!(report["window"]["since"], Value::Null);
    assert_eq!(report["window"]["first_event"], "2026-11-22T13:42:06Z");
}

#[test]
fn it_is_the_default_command() {
    let with = run(&["report", "--tz", "UTC", &lab()]).exits(0);
    let without = run(&["--tz", "UTC", &lab()]).exits(0);
    assert_eq!(with.text(), without.text());
    assert!(with.text().contains("deliveries  139"), "{}", with.text());
}

#[test]
fn only_the_payload_goes_to_standard_output() {
    let ran = run(&["--tz", "UTC", "--format", "json", &lab()]).exits(0).says(&["logs of Postfix (1 file)", "2,203 lines: "]);
    ran.json();
    assert!(!ran.err.contains('{') && !ran.err.contains('\u{1b}'), "{}", ran.err);
}

/// What a format writes begins like this.
#[track_caller]
fn begins(format: &str, start: &[u8]) -> Vec<u8> {
    let shown = run(&["--tz", "UTC", "--format", format, &lab()]).exits(0);
    assert!(shown.out.starts_with(start), "{format}: {}", String::from_utf8_lossy(&shown.out[..60]));
    shown.out
}

#[test]
fn every_format() {
    begins("table", b"bouncestat ");
    begins("json", b"{\n  \"schema_version\": \"1\"");
    begins("markdown", b"# Bounces\n");
    let parquet = begins("parquet", b"PAR1");
    assert!(parquet.ends_with(b"PAR1"));
    let csv = String::from_utf8(begins("csv", b"domain,provider,deliveries,")).unwrap();
    let lines = String::from_utf8(begins("jsonl", b"{\"table\": \"totals\"")).unwrap();
    let report = report(&[&lab()]);
    let domains = report["domains"].as_array().unwrap().len();
    assert_eq!(csv.lines().count(), domains + 1);
    assert_eq!(lines.lines().filter(|line| line.starts_with("{\"table\": \"domains\"")).count(), domains);
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn the_extension_of_the_output_tells_the_format() {
    let folder = Folder::new();
    for (name, format) in
        [("r.json", "json"), ("r.csv", "csv"), ("r.md", "markdown"), ("r.jsonl", "jsonl"), ("r.parquet", "parquet")]
    {
        let path = folder.path(name);
        let ran = run(&["--tz", "UTC", "-o", &path, &lab()]).exits(0);
        assert!(ran.out.is_empty());
        let named = run(&["--tz", "UTC", "--format", format, "-o", "-", &lab()]).exits(0);
        assert!(std::fs::read(&path).unwrap() == named.out, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().collect();
    assert_eq!(left.len(), 5, "no half-written file stays behind: {left:?}");
}

#[test]
fn a_table_by_its_name() {
    let reasons = run(&["--tz", "UTC", "--format", "csv", "--table", "reasons", &lab()]).exits(0);
    assert!(reasons.text().starts_with("reason,class,disposition,deliveries,"), "{}", reasons.text());
    run(&["--table", "nosuch", &lab()]).exits(2).says(&["nosuch", "bouncestat schema"]);
}

#[test]
fn top_cuts_tables_and_never_totals() {
    let whole = report(&[&lab()]);
    let cut = report(&["--top", "3", &lab()]);
    assert_eq!(cut["domains"].as_array().unwrap(), &whole["domains"].as_array().unwrap()[..3]);
    assert!(whole["domains"].as_array().unwrap().len() > 10, "JSON holds every row");
    assert_eq!(cut["totals"], whole["totals"]);
}

#[test]
fn the_worst_comes_first_by_what_is_certain() {
    let report = report(&[&lab()]);
    let low: Vec<f64> = report["domains"].as_array().unwrap().iter().map(|row| row["hard_rate_low"].as_f64().unwrap()).collect();
    assert!(low[0] > 0.0 && low[0] >= low[low.len() - 1], "{low:?}");
    for row in report["domains"].as_array().unwrap() {
        let n = |name: &str| row[name].as_f64().unwrap();
        assert!((n("hard_rate") - n("hard") / n("deliveries")).abs() < 1e-12, "{row}");
        assert!(n("hard_rate_low") <= n("hard_rate") && n("hard_rate") <= n("hard_rate_high"), "{row}");
    }
}

#[test]
fn export_writes_every_table_twice() {
    let folder = Folder::new();
    let into = folder.path("bi");
    let ran = run(&["--tz", "UTC", "--export", &into, &lab()]).exits(0).says(&["wrote", "bi"]);
    assert!(ran.out.is_empty(), "with --export alone nothing is printed");
    for table in ["totals", "domains", "providers", "sources", "sender_domains", "reasons", "suspects"] {
        let csv = std::fs::read_to_string(folder.path(&format!("bi/{table}.csv"))).unwrap();
        let rows = parquet_rows(&std::fs::read(folder.path(&format!("bi/{table}.parquet"))).unwrap());
        assert!(csv.lines().count() >= 1, "{table} has a header");
        if table == "domains" {
            assert_eq!(csv.lines().count(), rows + 1);
        }
    }
}

/// How many rows a Parquet file has, by its own reader.
fn parquet_rows(bytes: &[u8]) -> usize {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let folder = Folder::with("t.parquet", bytes);
    let reader = SerializedFileReader::new(std::fs::File::open(folder.path("t.parquet")).unwrap()).unwrap();
    let rows: Result<Vec<_>, _> = reader.get_row_iter(None).unwrap().collect();
    rows.unwrap().len()
}

#[test]
fn parquet_holds_the_same_domains() {
    let bytes = run(&["--tz", "UTC", "--format", "parquet", &lab()]).exits(0).out;
    assert_eq!(parquet_rows(&bytes), report(&[&lab()])["domains"].as_array().unwrap().len());
}

#[test]
fn standard_input_is_a_path() {
    let log = crate::common::bytes_of(&lab());
    let piped = run_with(&["--tz", "UTC", "--format", "json", "-"], &log).exits(0).json();
    assert_eq!(without_places(piped), without_places(report(&[&lab()])));
}

#[test]
fn the_server_is_found_out_or_forced() {
    let folder = "mixed/all-three";
    let ran = run(&["--tz", "UTC", "--format", "json", &sample(folder)]).exits(0);
    let ran = ran.says(&["Postfix (1 file)", "Exim (1 file)", "Exchange (7 files)"]);
    assert_eq!(total(&ran.json(), "deliveries"), 23 + 49 + 576);
    let forced = run(&["--tz", "UTC", "--format", "json", "--mta", "exim", &lab()]).exits(0).says(&["logs of Exim"]);
    assert_eq!(total(&forced.json(), "deliveries"), 0, "an Exim reader finds nothing in a Postfix log");
}

#[test]
fn the_host_of_lines_without_one_is_the_folder_or_named() {
    let exim = sample("exim/4.96-default");
    assert_eq!(report(&[&exim])["sources"][0]["source"], "4.96-default");
    assert_eq!(report(&["--host", "mx7", &exim])["sources"][0]["source"], "mx7");
}

#[test]
fn the_zone_moves_stamps_that_have_none() {
    let first = |zone: &str| {
        let ran = run(&["--tz", zone, "--format", "json", &sample("exim/4.96-default")]).exits(0);
        ran.json()["window"]["first_event"].as_str().unwrap().to_owned()
    };
    assert_eq!(first("UTC"), "2026-11-22T13:06:09Z");
    assert_eq!(first("Europe/Berlin"), "2026-11-22T12:06:09Z");
    assert_eq!(first("-05:00"), "2026-11-22T18:06:09Z");
    // A log whose stamps have a zone stays where it is.
    let zoned = run(&["--tz", "Asia/Tokyo", "--format", "json", &sample("exim/4.96-all-tz")]).exits(0).json();
    assert_eq!(zoned["window"]["first_event"], report(&[&sample("exim/4.96-all-tz")])["window"]["first_event"]);
}

#[test]
fn colours_and_excel_only_where_asked_for() {
    let plain = run(&["--tz", "UTC", &lab()]).exits(0);
    assert!(!plain.text().contains('\u{1b}'));
    assert!(run(&["--tz", "UTC", "--color", "always", &lab()]).exits(0).text().contains('\u{1b}'));
    let excel = run(&["--tz", "UTC", "--format", "csv", "--csv-excel", &lab()]).exits(0);
    assert!(excel.out.starts_with("\u{feff}domain".as_bytes()));
}

#[test]
fn one_domain_or_several() {
    let one = report(&["--domain", "Hard.test", &lab()]);
    assert_eq!((total(&one, "deliveries"), one["domains"].as_array().unwrap().len()), (7, 1));
    assert_eq!(one["coverage"], report(&[&lab()])["coverage"]);
    let two = report(&["--domain", "hard.test,refused.test", &lab()]);
    assert_eq!(total(&two, "deliveries"), 14);
    let below = report(&["--domain", ".test", &lab()]);
    assert_eq!(total(&below, "deliveries"), 139);
    run(&["--domain", "hart.test", &lab()]).exits(0).says(&["there is no delivery to hart.test"]);
    run(&["--domain", "bob@hard.test", &lab()]).exits(2).says(&["is no domain"]);
    let rows = run(&["attempts", "--domain", "hard.test", "--format", "csv", &lab()]).exits(0);
    assert_eq!(rows.text().lines().count() as u64, 1 + total(&one, "attempts"));
}

#[test]
fn the_width_is_asked_for() {
    let widest = |args: &[&str]| {
        let ran = run(&[args, &["--tz", "UTC", &lab()]].concat()).exits(0);
        ran.text().lines().map(|line| line.chars().count()).max().unwrap()
    };
    assert!(widest(&[]) <= 80 && widest(&["--width", "140"]) > 100);
}

#[test]
fn a_full_mailbox_is_soft_unless_the_textbook_is_asked_for() {
    let soft = report(&[&sample("postfix/queue-life")]);
    let hard = report(&["--quota-class", "hard", &sample("postfix/queue-life")]);
    assert_eq!(total(&hard, "hard"), total(&soft, "hard") + 1);
    assert_eq!(total(&hard, "soft"), total(&soft, "soft") - 1);
}

#[test]
fn help_and_version() {
    assert!(run(&["--help"]).exits(0).text().contains("Exit codes: 0 fine; 1 "));
    let version = run(&["--version"]).exits(0);
    assert!(version.text().starts_with(concat!("bouncestat ", env!("CARGO_PKG_VERSION"), " (rules ")), "{}", version.text());
}
