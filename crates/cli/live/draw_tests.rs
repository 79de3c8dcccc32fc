//! The screen as it looks: goldens are beside this file, `screen-80x24.txt` and `screen-140x40.txt`.

use std::path::Path;

use bouncestat_classification::Classifier;
use bouncestat_ingest::clock::Zone;
use bouncestat_record::Action;
use bouncestat_record::time::SECOND;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::draw::{How, draw};
use super::rates::Rates;
use super::samples::{self, NOON};
use super::seen::Seen;
use super::status::{Commits, Status};
use super::view::View;

const HOW: How = How { zone: Zone::UTC, color: true, scroll: 0, paused: false, help: false };

/// A quarter of an hour of a busy server, the last minutes with trouble.
fn view() -> View {
    let mut rates = Rates::new(Box::new(|verdict, blame, provider| Classifier::builtin().remedy(verdict, blame, provider)));
    let status = Status {
        now: NOON + 905 * SECOND,
        since: NOON - 3_600 * SECOND,
        lines: 1_234_567,
        unrecognised: 1,
        bytes: 234_567_890,
        files: 3,
        newest: Some(NOON + 903 * SECOND + 400_000),
        open_messages: 12,
        commits: Some(Commits { count: 4, rows: 45_678, last: Some(NOON + 900 * SECOND) }),
        ..Status::default()
    };
    rates.advance(status.now);
    for after in [-7_200, 86_400] {
        rates.add(&samples::deferred(after, "acme.test"));
    }
    let words = "host mx.shy.example[203.0.113.9] said: 554 5.7.1 Rejected: poor sender reputation";
    rates.add(&samples::seen(-1_200, "kim@shy.example", Action::Bounced, words, "mx.shy.example"));
    rates.add(&samples::seen(-1_100, "lea@shy.example", Action::Bounced, words, "mx.shy.example"));
    for second in 0..900 {
        rates.add(&Seen { count: 17, ..samples::delivered(second) });
        if second % 7 == 0 {
            rates.add(&samples::deferred(second, "acme.test"));
        }
        if second % 40 == 0 {
            rates.add(&samples::unknown_user(second));
        }
        if second > 600 && second % 9 == 0 {
            rates.add(&samples::deferred(second, "slow\u{1b}[31m.example"));
        }
    }
    rates.add(&samples::expired(890));
    let words = "host mx.cold.example[203.0.113.9] said: 554 5.7.1 Rejected: poor sender reputation";
    rates.add(&samples::seen(895, "kim@cold.example", Action::Bounced, words, "mx.cold.example"));
    for (second, to) in [(896, "dora@widget.example"), (897, "emil@other.example"), (903, "dora@widget.example")] {
        rates.add(&samples::listed_for(second, to));
    }
    View::new(&rates, &status, Some(10_012))
}

fn drawn(view: &View, how: &How, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| assert!(draw(frame, view, how) <= usize::from(height))).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let cells: Vec<&str> = buffer.content().iter().map(|cell| cell.symbol()).collect();
    cells.chunks(width).map(|row| row.concat().trim_end().to_owned() + "\n").collect()
}

#[track_caller]
fn golden(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cli/live").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(got, want, "{name}; BLESS=1 writes it anew");
}

#[test]
fn screens() {
    let view = view();
    golden("screen-80x24.txt", &text(&drawn(&view, &HOW, 80, 24)));
    golden("screen-140x40.txt", &text(&drawn(&view, &HOW, 140, 40)));
}

#[test]
fn no_size_panics() {
    let mut view = view();
    view.status.problem = Some("mail.log: permission denied".into());
    for (width, height) in [(1, 1), (20, 5), (3, 40), (200, 2), (40, 9), (79, 23), (0, 0)] {
        for (scroll, help) in [(0, false), (490, true), (usize::MAX, true)] {
            drawn(&view, &How { scroll, help, paused: true, ..HOW }, width, height);
        }
    }
    assert!(text(&drawn(&view, &HOW, 20, 5)).starts_with("bouncestat follow"));
}

#[test]
fn an_empty_screen_says_so() {
    let rates = Rates::new(Box::new(|_, _, _| panic!("nobody is accused")));
    let view = View::new(&rates, &Status { now: NOON, since: NOON, ..Status::default() }, None);
    let text = text(&drawn(&view, &HOW, 80, 24));
    for words in ["no event yet", "No one has refused us", "last 15 min: none", "since the start 0 deferred", "  -    -"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn without_colours_there_are_none_and_no_text_drives_the_terminal() {
    let view = view();
    let buffer = drawn(&view, &How { color: false, ..HOW }, 140, 40);
    assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(drawn(&view, &HOW, 140, 40).content().iter().any(|cell| cell.fg == Color::Red));
    assert!(!text(&buffer).contains('\u{1b}') && text(&buffer).contains("slow\u{fffd}[31m.example"));
}

#[test]
fn a_run_that_is_behind_shows_the_rates_of_then() {
    let mut rates = Rates::new(Box::new(|_, _, _| panic!("nobody is accused")));
    rates.add(&samples::deferred(0, "acme.test"));
    let status = Status { now: NOON + 86_400 * SECOND, newest: rates.newest(), is_behind: true, ..Status::default() };
    let behind = View::new(&rates, &status, None);
    assert_eq!((behind.end, behind.providers[0].windows[0].deferred), (NOON, 1));
    let shown = text(&drawn(&behind, &HOW, 80, 24));
    assert!(shown.contains("to 12:00:00") && shown.contains("newest event 1.0 d ago  catching up"), "{shown}");
    let there = View::new(&rates, &Status { is_behind: false, ..status }, None);
    assert_eq!(there.providers[0].windows[2].attempts, 0);
}
