//! `bouncestat schema [TABLE]`: the columns of every table, with types and meanings.

use anyhow::{Result, anyhow, bail};
use bouncestat_aggregation::schema::{SCHEMA_VERSION, TABLES, TableSpec};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

use crate::args::{Common, Schema};
use crate::exit;
use crate::output::Output;

/// Prints the column list.
pub fn run(args: &Schema, common: &Common) -> Result<u8> {
    let tables: Vec<&TableSpec> = match &args.table {
        Some(name) => vec![bouncestat_aggregation::schema::table(name).ok_or_else(|| {
            let known: Vec<_> = TABLES.iter().map(|t| t.name).collect();
            anyhow!("there is no table {name:?}; there are {}", known.join(", "))
        })?],
        None => TABLES.to_vec(),
    };
    let text = match common.format.as_deref().unwrap_or("markdown") {
        "table" | "markdown" => markdown(&tables),
        "json" => format!("{:#}\n", as_json(&tables)),
        other => bail!("schema has no format {other:?}; there are markdown and json"),
    };
    let output = Output::new(common.output.as_deref());
    let mut out = output.open()?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    output.commit()?;
    Ok(exit::FINE)
}

fn markdown(tables: &[&TableSpec]) -> String {
    let mut text = format!("# Columns\n\nSchema version {SCHEMA_VERSION}. Times are UTC; a missing value is empty, never 0.\n");
    for table in tables {
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n| column | type | missing | meaning |\n|---|---|---|---|\n",
            table.name, table.meaning
        );
        for column in table.columns {
            let missing = if column.nullable { "may be" } else { "never" };
            let _ = writeln!(
                text,
                "| {} | {} | {missing} | {} |",
                column.name,
                column.kind.as_str(),
                column.meaning.replace('|', "\\|")
            );
        }
    }
    text
}

fn as_json(tables: &[&TableSpec]) -> Value {
    let columns = |table: &TableSpec| -> Vec<Value> {
        let one = |c: &bouncestat_aggregation::schema::Column| json!({"name": c.name, "type": c.kind.as_str(), "nullable": c.nullable, "meaning": c.meaning});
        table.columns.iter().map(one).collect()
    };
    let tables: Vec<Value> =
        tables.iter().map(|t| json!({"table": t.name, "meaning": t.meaning, "columns": columns(t)})).collect();
    json!({"schema_version": SCHEMA_VERSION, "tables": tables})
}
