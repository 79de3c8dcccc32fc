//! The terminal's table: what matters first, at least 80 columns wide, more where there is room.

use std::io::{BufWriter, Write};

use bouncestat_aggregation::{Frame, Meta, Report};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::view::{self, Column, Row, Tone, VIEWS, View};
use crate::{AttemptSink, Clock, Format, Options, Result, cards, rows};

/// `--format table`.
pub(crate) struct Text;

/// Rows of a table where nothing is said.
const TOP: usize = 10;
const MIN_WIDTH: usize = 80;
const GAP: usize = 2;
/// What the first column keeps when there is little room.
const MIN_KEY: usize = 24;

impl Format for Text {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn report(&self, report: &Report, options: &Options<'_>, out: &mut (dyn Write + Send)) -> Result<()> {
        let mut screen = Screen { out: BufWriter::new(out), width: options.width.max(MIN_WIDTH), color: options.color };
        let clock = view::clock(options);
        head(&mut screen, report, clock, options.zone)?;
        // Without totals, the tables are what was asked for.
        let alone = report.table("totals").is_none();
        for table in &report.tables {
            let top = options.top.unwrap_or(TOP);
            if alone && (table.name == "evidence" || (table.name == "suspects" && !table.frame.is_empty())) {
                if table.name == "suspects" {
                    cards::suspects(&mut screen, report, &table.frame, top, clock)?;
                }
                continue;
            }
            match VIEWS.iter().find(|v| v.table == table.name) {
                Some(view) if alone && table.frame.is_empty() && !view.empty.is_empty() => {
                    writeln!(screen.out)?;
                    screen.line(BOLD, view.empty)?;
                }
                // One provider, or one source, has the numbers of the totals: its name is all that is new.
                Some(view) if table.frame.len() == 1 && ["providers", "sources", "sender_domains"].contains(&table.name) => {
                    writeln!(screen.out)?;
                    let name = (view.columns[0].show)(&Row::new(&table.frame, 0, clock));
                    screen.line(PLAIN, &format!("{}  {name} only", view.title))?;
                }
                Some(view) => grid(&mut screen, view, &table.frame, top, clock)?,
                None if table.name == "totals" => {
                    totals(&mut screen, &table.frame, clock)?;
                    let accusers = report.table("suspects").map(|t| view::accusers(&t.frame)).unwrap_or_default();
                    if !accusers.is_empty() {
                        screen.line(ALARM, &format!("Refused for our reputation by {accusers}: see Suspects"))?;
                    }
                }
                None => {}
            }
        }
        screen.out.flush()?;
        Ok(())
    }

    fn attempts<'w>(&self, out: Box<dyn Write + Send + 'w>, options: &Options<'w>) -> Result<Box<dyn AttemptSink + 'w>> {
        let mut screen = Screen { out: BufWriter::new(out), width: options.width.max(MIN_WIDTH), color: options.color };
        let widths = attempt_widths(screen.width);
        let titles = view::ATTEMPT.iter().zip(&widths).map(|(c, &w)| pad(c.title, w, false)).collect::<Vec<_>>();
        screen.line(BOLD, &titles.join("  "))?;
        Ok(Box::new(Attempts { screen, widths, clock: view::clock(options) }))
    }
}

pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const DIM: &str = "\x1b[2m";
pub(crate) const PLAIN: &str = "";
const ALARM: &str = "\x1b[31m";

pub(crate) struct Screen<W: Write> {
    pub(crate) out: BufWriter<W>,
    pub(crate) width: usize,
    color: bool,
}

impl<W: Write> Screen<W> {
    /// A text in a style.
    fn styled(&self, style: &str, text: &str) -> String {
        if self.color && !style.is_empty() { format!("{style}{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line in a style, no wider than the screen.
    pub(crate) fn line(&mut self, style: &str, text: &str) -> Result<()> {
        let text = self.styled(style, shorten(text.trim_end(), self.width).as_str());
        Ok(writeln!(self.out, "{text}")?)
    }

    /// A long text under a row, on two lines at most.
    fn note(&mut self, text: &str) -> Result<()> {
        let (mut first, mut rest) = (text, "");
        if text.width() > self.width {
            // Between two words, where that does not leave half of the line empty.
            let mut used = 0;
            let fits = |c: char, used: &mut usize| {
                *used += c.width().unwrap_or(0);
                *used <= self.width
            };
            let end = text.char_indices().find(|(_, c)| !fits(*c, &mut used)).map_or(text.len(), |(at, _)| at);
            let blank = text[..end].rfind(' ').filter(|at| *at > end / 2).unwrap_or(end);
            (first, rest) = (&text[..blank], text[blank..].trim_start());
        }
        self.line(DIM, first)?;
        if rest.is_empty() { Ok(()) } else { self.line(DIM, &format!("      {rest}")) }
    }

    /// A list on as many lines as it needs, broken after commas.
    fn wrapped(&mut self, text: &str) -> Result<()> {
        let mut line = String::new();
        for part in text.split_inclusive(", ") {
            if !line.is_empty() && line.width() + part.trim_end().width() > self.width {
                self.line(PLAIN, &line)?;
                line = "  ".to_owned();
            }
            line.push_str(part);
        }
        self.line(PLAIN, &line)
    }
}

fn head<W: Write>(screen: &mut Screen<W>, report: &Report, clock: Clock<'_>, zone: &str) -> Result<()> {
    let meta = &report.meta;
    let w = &meta.window;
    let has_times = [w.since, w.until, w.first_event, w.last_event].iter().any(Option::is_some);
    let zone = if has_times { zone } else { "" };
    screen.line(BOLD, &format!("bouncestat {}  {} {zone}", meta.version, view::window_of(report, clock)))?;
    screen.wrapped(&view::coverage(report))?;
    match view::excluded(meta) {
        excluded if excluded.is_empty() => Ok(()),
        excluded => screen.wrapped(&format!("not counted: {excluded}")),
    }
}

fn totals<W: Write>(screen: &mut Screen<W>, frame: &Frame, clock: Clock<'_>) -> Result<()> {
    writeln!(screen.out)?;
    screen.line(BOLD, "Totals")?;
    let lines = view::totals(frame, clock);
    let width = lines.iter().map(|l| l.count.width()).max().unwrap_or(0);
    for line in lines {
        let share = if line.share.is_empty() { " ".repeat(8) } else { format!("{:>6} %", line.share) };
        screen.line(PLAIN, &format!("{:<12}{:>width$}  {share}  {}", line.label, line.count, line.remark))?;
    }
    Ok(())
}

fn grid<W: Write>(screen: &mut Screen<W>, view: &View, frame: &Frame, top: usize, clock: Clock<'_>) -> Result<()> {
    if frame.is_empty() {
        return Ok(());
    }
    let rows: Vec<Row<'_>> = rows(frame, Some(top)).map(|i| Row::new(frame, i, clock)).collect();
    writeln!(screen.out)?;
    let of = if rows.len() < frame.len() { format!("  {} of {}", rows.len(), frame.len()) } else { String::new() };
    screen.line(BOLD, &format!("{}{of}", view.title))?;

    let cells: Vec<Vec<String>> = rows.iter().map(|row| view.columns.iter().map(|c| (c.show)(row)).collect()).collect();
    let natural: Vec<usize> = view
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| cells.iter().map(|row| row[i].width()).max().unwrap_or(0).max(c.title.width()))
        .collect();
    let widths = fit(view.columns, &natural, screen.width);

    let line = |texts: &dyn Fn(usize, usize) -> String| {
        let shown = widths.iter().enumerate().filter_map(|(i, w)| w.map(|w| texts(i, w)));
        shown.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    let heading = line(&|i, width| pad(view.columns[i].title, width, view.columns[i].right));
    screen.line(DIM, &heading)?;
    for (row, cells) in rows.iter().zip(&cells) {
        let text = line(&|i, width| {
            let style = match (view.columns[i].tone)(row) {
                Tone::Plain => PLAIN,
                Tone::Warning => "\x1b[33m",
                Tone::Alarm => ALARM,
            };
            screen.styled(style, &pad(&cells[i], width, view.columns[i].right))
        });
        // Its cells fit already; their colours must not be counted.
        writeln!(screen.out, "{text}")?;
        for note in view.notes {
            let text = (note.show)(row);
            if !text.is_empty() {
                screen.note(&format!("    {}: {text}", note.title))?;
            }
        }
    }
    Ok(())
}

/// Which columns to show how wide: those of rank 0, then the others while they fit; what is left over goes to the first.
fn fit(columns: &[Column], natural: &[usize], width: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = vec![None; columns.len()];
    let mut order: Vec<usize> = (1..columns.len()).collect();
    order.sort_by_key(|&i| columns[i].rank);
    let key = natural[0].min(MIN_KEY);
    let mut used = key;
    for i in order {
        if columns[i].rank == 0 || used + GAP + natural[i] <= width {
            used += GAP + natural[i];
            widths[i] = Some(natural[i]);
        }
    }
    // Too much even so: the widest of the texts give way, and never the numbers.
    while used > width {
        let texts = (1..columns.len()).filter(|&i| !columns[i].right && widths[i].is_some_and(|w| w > 8));
        let Some(widest) = texts.max_by_key(|&i| widths[i]) else {
            break;
        };
        widths[widest] = widths[widest].map(|w| w - 1);
        used -= 1;
    }
    let room = width.saturating_sub(used);
    let spare = if used > width { key.saturating_sub(used - width).max(8) } else { natural[0].min(key + room) };
    widths[0] = Some(spare);
    widths
}

struct Attempts<'w> {
    screen: Screen<Box<dyn Write + Send + 'w>>,
    widths: Vec<usize>,
    clock: Clock<'w>,
}

/// Fixed widths, as no one knows the rows to come: time, recipient, outcome, class, reason, code, relay, reply.
fn attempt_widths(screen: usize) -> Vec<usize> {
    let mut widths = vec![20, 0, 9, 5, 17, 7];
    let used: usize = widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
    let room = screen - used;
    widths[1] = room.min(32);
    for wish in [24, usize::MAX] {
        let used: usize = widths.iter().sum::<usize>() + GAP * widths.len();
        if screen < used + 16 {
            break;
        }
        widths.push((screen - used).min(wish));
    }
    widths
}

impl AttemptSink for Attempts<'_> {
    fn write(&mut self, batch: &Frame) -> Result<()> {
        for i in 0..batch.len() {
            let row = Row::new(batch, i, self.clock);
            let cells = view::ATTEMPT.iter().zip(&self.widths).map(|(c, &w)| pad(&(c.show)(&row), w, false)).collect::<Vec<_>>();
            self.screen.line(PLAIN, &cells.join("  "))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Meta) -> Result<()> {
        self.screen.out.flush()?;
        Ok(())
    }
}

/// A text in exactly `width` columns of the screen.
fn pad(text: &str, width: usize, right: bool) -> String {
    let text = shorten(text, width);
    let space = " ".repeat(width.saturating_sub(text.width()));
    if right { space + &text } else { text + &space }
}

/// A text in at most `width` columns of the screen, its end cut off with `…`.
pub fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_in_columns_of_the_screen() {
        assert_eq!(pad("abc", 5, false), "abc  ");
        assert_eq!(pad("12", 5, true), "   12");
        assert_eq!(pad("abcdef", 4, false), "abc…");
        assert_eq!(pad("你好你好", 5, false), "你好…");
        assert_eq!(pad("你好你好", 6, false).width(), 6);
    }

    #[test]
    fn attempts_fill_the_screen() {
        for width in [80, 100, 140, 200] {
            let widths = attempt_widths(width);
            assert!(widths.iter().sum::<usize>() + GAP * (widths.len() - 1) <= width, "{widths:?}");
        }
    }
}
