//! From bytes to events, one thread, nothing joined: what a line costs.
//!
//! `lines` is the floor: only the ends of lines are looked for. `frame` takes the syslog frame off, `postfix` reads all of what a
//! line says, `scan` keeps it and gathers it by message. The difference between two neighbours is the price of that step.

mod common;

use std::sync::Arc;

use bouncestat_ingest::clock::{Clock, Zone};
use bouncestat_ingest::event::{Fields, Key, Sink, Sort};
use bouncestat_ingest::framing;
use bouncestat_ingest::input::lines;
use bouncestat_ingest::join::scan::{Lines, Wanted, scan};
use bouncestat_ingest::mta::{FileFacts, LineReader};
use bouncestat_record::Mta;
use chrono::NaiveDate;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Takes events and keeps nothing.
struct Forget;

impl<'a> Sink<'a> for Forget {
    fn push(&mut self, key: Key<'a>, fields: Fields<'a>) {
        black_box((key, fields));
    }
}

fn reader(mta: Mta, log: &[u8]) -> LineReader {
    let clock = Clock::new(Zone::UTC, NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date"));
    let head = &log[..log.len().min(4096)];
    LineReader::new(mta, FileFacts { folder: Arc::from("bench"), clock, head: Arc::from(head) })
}

fn generated() -> Vec<u8> {
    std::fs::read(common::postfix_log()).expect("the log was just made")
}

/// Reads all lines of a log.
fn read_all(bencher: Bencher<'_, '_>, mta: Mta, log: &[u8]) {
    let reader = reader(mta, log);
    bencher
        .counter(BytesCount::of_slice(log))
        .with_inputs(|| reader.clone())
        .bench_local_values(|mut reader| lines(log).filter(|(_, line)| reader.line(line, &mut Forget) == Sort::Used).count());
}

#[divan::bench]
fn a_lines(bencher: Bencher<'_, '_>) {
    let log = generated();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| lines(black_box(&log)).count());
}

#[divan::bench]
fn b_frame(bencher: Bencher<'_, '_>) {
    let log = generated();
    let framed = || lines(&log).filter(|(_, line)| black_box(framing::syslog(line)).is_some()).count();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(framed);
}

#[divan::bench]
fn c_postfix(bencher: Bencher<'_, '_>) {
    read_all(bencher, Mta::Postfix, &generated());
}

#[divan::bench]
fn d_scan(bencher: Bencher<'_, '_>) {
    let log = generated();
    let reader = reader(Mta::Postfix, &log);
    bencher
        .counter(BytesCount::of_slice(&log))
        .with_inputs(|| (reader.clone(), log.clone()))
        .bench_local_values(|(reader, chunk)| scan(reader, chunk, 0, 0, Wanted::default(), Lines::Plain));
}

#[divan::bench]
fn e_postfix_sample(bencher: Bencher<'_, '_>) {
    read_all(bencher, Mta::Postfix, &common::sample("postfix/lab-long/maillog"));
}

#[divan::bench]
fn f_exim_sample(bencher: Bencher<'_, '_>) {
    read_all(bencher, Mta::Exim, &common::sample("exim/4.98.2-default/mainlog"));
}
