//! `bouncestat schema`: the column list, and the page of the docs that is made of it.

use crate::common::{golden, report, run, sample};

#[test]
fn the_page_in_the_docs_is_what_the_program_prints() {
    golden("docs/columns.md", &run(&["schema"]).exits(0).out);
}

#[test]
fn the_columns_of_every_table_are_those_of_the_report() {
    let schema = run(&["schema", "--format", "json"]).exits(0).json();
    let report = report(&[&sample("postfix/lab-long")]);
    let mut compared = 0;
    for table in schema["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        let row = match &report[name] {
            serde_json::Value::Array(rows) => rows.first(),
            serde_json::Value::Null => None,
            row => Some(row),
        };
        let Some(row) = row else { continue };
        let columns: Vec<&str> = table["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
        let fields: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(columns, fields, "{name}");
        compared += 1;
    }
    assert!(compared >= 6, "only {compared} tables were compared");
}

#[test]
fn types_are_those_that_other_programs_read() {
    let schema = run(&["schema", "--format", "json"]).exits(0).json();
    for table in schema["tables"].as_array().unwrap() {
        for column in table["columns"].as_array().unwrap() {
            let kind = column["type"].as_str().unwrap();
            let known = ["Utf8", "Int64", "Float64", "Boolean", "Date", "Timestamp"];
            assert!(known.iter().any(|k| kind.starts_with(k)), "{column}");
            assert!(column["meaning"].as_str().unwrap().len() > 3, "{column}");
        }
    }
}

#[test]
fn one_table() {
    let ran = run(&["schema", "reasons"]).exits(0);
    assert!(ran.text().contains("## reasons") && !ran.text().contains("## domains"));
    run(&["schema", "nosuch"]).exits(2).says(&["nosuch", "domains"]);
    run(&["schema", "--format", "csv"]).exits(2).says(&["csv", "markdown"]);
}
