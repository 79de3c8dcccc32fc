//! A run that is ended at any of its steps on the disk, as by a kill: the dataset reads whole, and the next run puts it right.
//!
//! Each of three runs is ended at every step, from the same dataset, and then run again without an end, or ended once more before that.

use super::answers::{Answers, copy, is_dataset, is_tidy, parquet_rows, report_of};
use super::logs::{Log, Numbers, lines_of};
use super::{collect, collect_and_stop, thorough};
use crate::common::{Folder, bytes_of, sample};

/// A dataset before and after a run that nothing disturbed.
struct Undisturbed {
    before: String,
    /// The report before it; `None` before the first commit.
    report_before: Option<String>,
    report_after: String,
    answers: Answers,
    rows: Vec<String>,
    steps: u64,
    made_again: u64,
}

impl Undisturbed {
    /// Collects into `after`, a copy of `before`.
    fn run(logs: &str, before: &str, after: &str) -> Self {
        copy(before, after);
        let told = collect(&[logs], after).exits(0).json();
        is_tidy(after);
        Self {
            before: before.to_owned(),
            report_before: is_dataset(before).then(|| report_of(before)),
            report_after: report_of(after),
            answers: Answers::of(&[after]),
            rows: parquet_rows(after),
            steps: told["steps"].as_u64().expect("steps"),
            made_again: told["made_again"].as_u64().expect("a number"),
        }
    }

    /// Demands that a dataset is the one before or the one after; gives which.
    #[track_caller]
    fn reads_whole(&self, dataset: &str, what: &str) -> bool {
        parquet_rows(dataset);
        if !is_dataset(dataset) {
            assert!(self.report_before.is_none(), "{what}: the manifest is gone");
            return false;
        }
        let report = report_of(dataset);
        let is_after = report == self.report_after;
        assert!(is_after || self.report_before.as_ref() == Some(&report), "{what}: neither before nor after:\n{report}");
        is_after
    }

    /// Demands that the next run gives what one undisturbed run does.
    #[track_caller]
    fn is_put_right(&self, logs: &str, dataset: &str, what: &str) {
        collect(&[logs], dataset).exits(0);
        self.answers.equal(&Answers::of(&[dataset]), what);
        assert!(self.rows == parquet_rows(dataset), "{what}: the Parquet files differ");
        is_tidy(dataset);
    }

    /// Ends the run at each of the steps that `takes` names; tells how many reports were those of before and of after.
    fn end_at_steps(&self, logs: &str, scratch: &Folder, what: &str, takes: impl Fn(u64) -> bool) -> (u64, u64) {
        let (one, two) = (scratch.path("one"), scratch.path("two"));
        let mut numbers = Numbers(6);
        let (mut before, mut after) = (0, 0);
        for step in (1..=self.steps).filter(|step| takes(*step)) {
            let what = format!("{what}, ended at step {step} of {}", self.steps);
            copy(&self.before, &one);
            assert!(collect_and_stop(&[logs], &one, step), "{what}: it was not");
            if self.reads_whole(&one, &what) {
                after += 1
            } else {
                before += 1
            }
            // Ended once more, while it puts right what was left or does its own work.
            copy(&one, &two);
            let second = 1 + numbers.below(self.steps);
            collect_and_stop(&[logs], &two, second);
            self.reads_whole(&two, &format!("{what}, then at {second}"));
            self.is_put_right(logs, &two, &format!("{what}, then at {second}"));
            self.is_put_right(logs, &one, &what);
        }
        assert!(!collect_and_stop(&[logs], &scratch.path("one"), 10_000));
        (before, after)
    }
}

/// Three runs over a log; `grow` does what happens to it before each. The second is ended at every step, the others at a third of them.
fn three_runs(name: &str, logs: &str, mut grow: impl FnMut(usize)) -> u64 {
    let scratch = Folder::new();
    let mut made_again = 0;
    // A folder that is not there yet.
    let mut last = scratch.path("none");
    for run in 0..3 {
        grow(run);
        let undisturbed = Undisturbed::run(logs, &last, &scratch.path(&format!("run{run}")));
        let all = thorough() || run == 1;
        let what = format!("{name}, run {}", run + 1);
        let (before, after) = undisturbed.end_at_steps(logs, &scratch, &what, |step| all || step <= 4 || step % 3 == 0);
        println!("{what}: {} steps; {before} ends left the dataset before, {after} the one after", undisturbed.steps);
        assert!(before > 0 && after > 0, "{what}");
        made_again += undisturbed.made_again;
        last = scratch.path(&format!("run{run}"));
    }
    made_again
}

/// The log is written in nine pieces, each but the last cut inside a line; between the first two of a run it is rotated.
fn write_and_rotate(log: &Log, lines: &[Vec<u8>], run: usize) {
    let cut = |n: usize| match lines.len() * n / 9 {
        0 => 0,
        line if line == lines.len() => lines.iter().map(Vec::len).sum(),
        line => lines[..line].iter().map(Vec::len).sum::<usize>() + 60.min(lines[line].len() - 1),
    };
    let all = lines.concat();
    let piece = |n: usize| &all[cut(n)..cut(n + 1)];
    log.grow(piece(3 * run));
    if run > 0 {
        log.rotate(run == 2);
        log.pack(2);
    }
    log.grow(piece(3 * run + 1));
    log.grow(piece(3 * run + 2));
}

#[test]
fn postfix_at_every_step() {
    let folder = Folder::new();
    let log = Log::new(folder.path("mx"), "mail.log");
    let lines = lines_of("postfix/queue-life/maillog");
    three_runs("Postfix", log.folder(), |run| write_and_rotate(&log, &lines, run));
}

#[test]
fn exim_at_every_step() {
    let folder = Folder::new();
    let log = Log::new(folder.path("mx"), "mainlog");
    let lines = lines_of("exim/queue-life/mainlog");
    three_runs("Exim", log.folder(), |run| write_and_rotate(&log, &lines, run));
}

/// Tracking first, then the send protocol logs of both hours: no message of Exchange says that it is whole.
#[test]
fn exchange_at_every_step() {
    let folder = Folder::new();
    three_runs("Exchange", &folder.path("EX1"), |run| {
        let name = ["MSGTRK2026032007-1.LOG", "SEND2026032007-1.LOG", "SEND2026032008-1.LOG"][run];
        let bytes = bytes_of(&sample(&format!("exchange/send-protocol-and-tracking/{name}")));
        folder.file(&format!("EX1/{name}"), bytes);
    });
}

/// A relay's log is collected after that of the host which handed over to it: attempts that are written already turn out to be hops,
/// and are taken out of files of an earlier run.
#[test]
fn hops_found_late_at_every_step() {
    let folder = Folder::new();
    let [outer, inner] = super::hops::two_hosts();
    let half = inner.len() / 2;
    let half = half + inner[half..].iter().position(|b| *b == b'\n').expect("a line end") + 1;
    let made_again = three_runs("hops", &folder.path("logs"), |run| {
        match run {
            0 => folder.file("logs/mail.log", &outer),
            1 => folder.file("logs/relay.log", &inner[..half]),
            _ => folder.file("logs/relay.log", &inner),
        };
    });
    assert!(made_again > 0);
}
