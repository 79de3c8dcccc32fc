//! The screen of `follow`, drawn: where the run is, who refuses us, rates, failing domains, the latest failures.
//!
//! Pure: a moment in, cells out. Keys and the terminal itself are in `screen`. Texts from logs are made harmless before they get here,
//! or here.

use bouncestat_export::{count, duration, printable, shorten};
use bouncestat_ingest::clock::Zone;
use bouncestat_record::Action;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::lines;
use super::rates::{Counts, Provider, WINDOWS};
use super::suspects::Suspect;
use super::view::{FAILING_MINUTES, View};

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// The zone of the times.
    pub zone: Zone,
    /// Whether colours may be used.
    pub color: bool,
    /// How many of the newest failures are scrolled out at the bottom.
    pub scroll: usize,
    /// Whether the screen stands still.
    pub paused: bool,
    /// Whether the keys are explained.
    pub help: bool,
}

/// Draws a moment; gives the number of failures that have room.
pub fn draw(frame: &mut Frame<'_>, view: &View, how: &How) -> usize {
    let paint = Paint { how, width: usize::from(frame.area().width) };
    let height = usize::from(frame.area().height);
    let sections = paint.sections(view, height);
    let areas = Layout::vertical([
        Constraint::Length(rows(&sections.head)),
        Constraint::Length(rows(&sections.suspects)),
        Constraint::Length(rows(&sections.rates)),
        Constraint::Length(rows(&sections.failing)),
        Constraint::Min(0),
        Constraint::Length(u16::from(height > 8)),
    ]);
    let [head, suspects, rates, failing, latest, keys] = areas.areas(frame.area());
    for (lines, area) in
        [(sections.head, head), (sections.suspects, suspects), (sections.rates, rates), (sections.failing, failing)]
    {
        frame.render_widget(Paragraph::new(lines), area);
    }
    let room = usize::from(latest.height).saturating_sub(1);
    frame.render_widget(Paragraph::new(paint.latest(view, room)), latest);
    frame.render_widget(Paragraph::new(paint.dim("q leave   up/down j k PgUp PgDn scroll   p pause   ? help")), keys);
    if how.help {
        help(frame);
    }
    room
}

fn rows(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

struct Sections<'v> {
    head: Vec<Line<'v>>,
    suspects: Vec<Line<'v>>,
    rates: Vec<Line<'v>>,
    failing: Vec<Line<'v>>,
}

struct Paint<'h> {
    how: &'h How,
    width: usize,
}

impl Paint<'_> {
    fn style(&self, color: Color) -> Style {
        if self.how.color { Style::new().fg(color) } else { Style::new() }
    }

    fn dim(&self, text: impl Into<String>) -> Line<'static> {
        Line::styled(text.into(), Style::new().add_modifier(Modifier::DIM))
    }

    fn title(&self, text: impl Into<String>) -> Line<'static> {
        Line::styled(shorten(&text.into(), self.width), Style::new().add_modifier(Modifier::BOLD))
    }

    fn time(&self, at: i64) -> String {
        lines::time(at, self.how.zone, false)
    }

    /// How much of each section there is room for: (suspects, providers, domains).
    fn sections<'v>(&self, view: &View, height: usize) -> Sections<'v> {
        let (suspects, providers, domains) = match height {
            36.. => (4, 9, 8),
            22.. => (2, 4, 3),
            14.. => (1, 2, 1),
            _ => (0, 0, 0),
        };
        let mut head = self.head(view);
        if height < 8 {
            head.truncate(1);
        }
        Sections {
            head,
            suspects: if height < 8 { Vec::new() } else { self.suspects(view, suspects) },
            rates: if providers == 0 { Vec::new() } else { self.rates(view, providers) },
            failing: if domains == 0 { Vec::new() } else { self.failing(view, domains) },
        }
    }

    fn head(&self, view: &View) -> Vec<Line<'static>> {
        let status = &view.status;
        let number = |n: u64| count(i64::try_from(n).unwrap_or(i64::MAX));
        let pace = view.pace.map(|pace| format!(" ({}/s)", number(pace))).unwrap_or_default();
        let paused = if self.how.paused { "PAUSED  " } else { "" };
        let first = format!(
            "{paused}bouncestat follow  {}  since {}  {} lines{pace}  {}",
            self.time(status.now),
            self.time(status.since),
            number(status.lines),
            size(status.bytes),
        );
        let lag = match status.lag_ms() {
            None => "no event yet".to_owned(),
            Some(ms @ ..0) => format!("newest event {} ahead", duration(-ms)),
            Some(ms) => format!("newest event {} ago", duration(ms)),
        };
        let mut second = vec![lag];
        if status.is_behind {
            second.push("catching up".to_owned());
        }
        second.push(things(status.files as u64, "file"));
        second.push(format!("{} open", number(status.open_messages as u64)));
        if let Some(commits) = &status.commits {
            let last = commits.last.map(|at| format!(" ({})", self.time(at))).unwrap_or_default();
            second.push(format!("{} in {}{last}", things(commits.rows, "row"), things(commits.count, "commit")));
        }
        let mut lines = vec![self.title(first), Line::raw(shorten(&second.join("  "), self.width))];
        let mut remarks = Vec::new();
        let (late, ahead) = view.apart;
        if late + ahead > 0 {
            remarks.push(format!("not in the rates: {} over an hour late, {} ahead of the clock", number(late), number(ahead)));
        }
        if status.unrecognised > 0 {
            remarks.push(format!("{} not understood", things(status.unrecognised, "line")));
        }
        if status.is_polling {
            remarks.push("files are polled".to_owned());
        }
        remarks.extend(status.problem.as_deref().map(|problem| printable(problem).into_owned()));
        if !remarks.is_empty() {
            lines.push(Line::styled(shorten(&remarks.join("; "), self.width), self.style(Color::Yellow)));
        }
        lines
    }

    fn suspects(&self, view: &View, room: usize) -> Vec<Line<'static>> {
        let (rows, more) = &view.suspects;
        if rows.is_empty() {
            return vec![self.dim("No one has refused us for our reputation since the start")];
        }
        let hidden = rows.len().saturating_sub(room);
        let mut title = format!("Refused for our reputation since the start: {}", rows.len());
        if hidden > 0 {
            title.push_str(&format!(", {hidden} not shown"));
        }
        if *more > 0 {
            title.push_str(&format!(", and {} of others", things(*more, "refusal")));
        }
        let mut lines = vec![self.title(title)];
        for row in rows.iter().take(room) {
            lines.extend(self.suspect(view, row));
        }
        lines
    }

    fn suspect(&self, view: &View, row: &Suspect) -> [Line<'static>; 2] {
        let verb = if row.by_list { "lists" } else { "refuses" };
        let by = row.receivers.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        let by = if row.by_list { format!(" by {by}") } else { String::new() };
        let unproved = if row.proved { "" } else { ", one recipient so far" };
        let text = format!(
            "{} {verb} {}  {}–{}  {}{by}{unproved}",
            printable(&row.by),
            printable(&row.object),
            self.time(row.first),
            self.time(row.last),
            things(row.refused, "refusal"),
        );
        let (mark, style) = match (row.is_new(view.end), row.proved) {
            (true, true) => ("NEW ", self.style(Color::Red).add_modifier(Modifier::BOLD)),
            (true, false) => ("NEW ", self.style(Color::Yellow)),
            (false, _) => ("    ", Style::new()),
        };
        // The address first: one that is cut off leads nowhere.
        let url =
            row.remedy.url.as_deref().filter(|url| url.starts_with("http")).map(|url| format!("{url}  ")).unwrap_or_default();
        let who = if row.by_list { String::new() } else { format!("{}: ", row.remedy.who) };
        let remedy = format!("    {url}{who}{}", row.remedy.advice);
        [
            Line::from(vec![Span::styled(mark, style), Span::styled(shorten(&text, self.width.saturating_sub(4)), style)]),
            self.dim(shorten(&printable(&remedy), self.width)),
        ]
    }

    fn rates(&self, view: &View, room: usize) -> Vec<Line<'static>> {
        let name = if self.width < 100 { 11 } else { 18 };
        let spark = self.width.saturating_sub(name + 3 * CELL + 1).min(60);
        let [one, five, fifteen] = WINDOWS.map(|minutes| format!("last {minutes} min"));
        let when = if view.status.is_behind { format!("to {}", self.time(view.end)) } else { String::new() };
        let hidden = view.providers.len().saturating_sub(room);
        let label = if hidden > 0 { format!("{hidden} hidden") } else { "provider".to_owned() };
        let failed = if spark < 10 { "fails" } else { "failed a minute" };
        let columns = format!("{:>6}{:>5}{:>5}{:>5}", "att", "del%", "def%", "bnc%").repeat(3);
        let mut lines = vec![
            self.title(format!("{when:name$}{one:>CELL$}{five:>CELL$}{fifteen:>CELL$} {}", shorten(failed, spark))),
            self.dim(format!("{label:name$}{columns}")),
        ];
        lines.extend(view.providers.iter().take(room).map(|row| self.provider(row, name, spark)));
        lines
    }

    fn provider(&self, row: &Provider, name: usize, spark: usize) -> Line<'static> {
        let mut spans = vec![Span::raw(format!("{:name$}", shorten(&printable(&row.name), name - 1)))];
        for counts in &row.windows {
            spans.push(Span::raw(format!("{:>6}", short(counts.attempts))));
            spans.push(Span::raw(format!("{:>5}", share(counts.delivered, counts))));
            spans.push(Span::styled(format!("{:>5}", share(counts.deferred, counts)), self.tone(counts.deferred, counts, 5, 20)));
            spans.push(Span::styled(format!("{:>5}", share(counts.bounced, counts)), self.tone(counts.bounced, counts, 2, 5)));
        }
        spans.push(Span::raw(" "));
        spans.push(Span::styled(sparkline(&row.failed[row.failed.len().saturating_sub(spark)..]), self.style(Color::Yellow)));
        Line::from(spans)
    }

    /// Colours from so many percent on.
    fn tone(&self, part: u64, counts: &Counts, warning: u64, alarm: u64) -> Style {
        match (part * 100).checked_div(counts.attempts).unwrap_or(0) {
            percent if part > 0 && percent >= alarm => self.style(Color::Red),
            percent if part > 0 && percent >= warning => self.style(Color::Yellow),
            _ => Style::new(),
        }
    }

    fn failing(&self, view: &View, room: usize) -> Vec<Line<'static>> {
        let (rows, others) = &view.failing;
        let mut title = format!("Failing domains, last {FAILING_MINUTES} min");
        let shown: u64 = rows.iter().take(room).map(|row| row.failed).sum();
        let hidden = rows.iter().map(|row| row.failed).sum::<u64>() + others - shown;
        if hidden > 0 {
            title.push_str(&format!("  ({} at domains not shown)", things(hidden, "failure")));
        }
        if rows.is_empty() {
            title.push_str(": none");
        }
        let mut lines = vec![self.title(title)];
        for row in rows.iter().take(room) {
            let (reason, often) = row.reason;
            let share = if often == row.failed { String::new() } else { format!(" ({})", short(often)) };
            let text = format!("{:>7}  {}  {reason}{share}", short(row.failed), printable(&row.domain));
            lines.push(Line::raw(shorten(&text, self.width)));
        }
        lines
    }

    fn latest(&self, view: &View, room: usize) -> Vec<Line<'static>> {
        let end = view.latest.len().saturating_sub(self.how.scroll);
        let all = &view.all;
        let parts =
            [(all.deferred, "deferred"), (all.bounced, "bounced"), (all.expired, "expired"), (all.delivered, "delivered")];
        let parts = parts.map(|(n, word)| format!("{} {word}", count(i64::try_from(n).unwrap_or(i64::MAX))));
        let back = if self.how.scroll > 0 { format!(" (scrolled back by {})", self.how.scroll) } else { String::new() };
        let title = format!("Latest failures{back}; since the start {}", parts.join(", "));
        let mut lines = vec![self.title(title)];
        for seen in &view.latest[end.saturating_sub(room)..end] {
            let parts = lines::parts(seen, self.how.zone, false);
            let text = format!("  {}  {}", parts.recipient, parts.rest);
            let used = parts.time.len() + 2 + 9;
            lines.push(Line::from(vec![
                Span::raw(format!("{}  ", parts.time)),
                Span::styled(format!("{:9}", parts.action.as_str()), self.style(action_color(parts.action))),
                Span::raw(shorten(&text, self.width.saturating_sub(used))),
            ]));
        }
        lines
    }
}

/// Columns of one window: tries, delivered, deferred, bounced.
const CELL: usize = 21;

fn action_color(action: Action) -> Color {
    match action {
        Action::Delivered => Color::Green,
        Action::Deferred => Color::Yellow,
        Action::Bounced => Color::Red,
        Action::Expired => Color::LightRed,
    }
}

fn things(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(i64::try_from(n).unwrap_or(i64::MAX)), if n == 1 { "" } else { "s" })
}

/// A number of bytes in units of 1000.
fn size(bytes: u64) -> String {
    match bytes {
        ..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

/// A count in five columns: `1234`, `12.3k`, `1.2M`.
fn short(n: u64) -> String {
    match n {
        ..10_000 => n.to_string(),
        10_000..100_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        100_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..100_000_000 => format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000),
        _ => format!("{}M", n / 1_000_000),
    }
}

/// A share of the attempts in percent. What is there never looks like nothing, nor what is missing like everything.
fn share(part: u64, counts: &Counts) -> String {
    match (part, counts.attempts) {
        (_, 0) => "-".to_owned(),
        (0, _) => "0".to_owned(),
        (part, all) if part == all => "100".to_owned(),
        (part, all) => match (u128::from(part) * 200 / u128::from(all)).div_ceil(2) {
            _ if part * 100 < all => "<1".to_owned(),
            100.. => ">99".to_owned(),
            percent => percent.to_string(),
        },
    }
}

/// Values as bars, the highest one full; what is there never looks like nothing.
fn sparkline(values: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&value: &u64| match value {
        0 => ' ',
        _ => BARS[usize::try_from(u128::from(value) * 8 / u128::from(most)).unwrap_or(8).clamp(1, 8) - 1],
    };
    values.iter().map(bar).collect()
}

fn help(frame: &mut Frame<'_>) {
    const TEXT: &[&str] = &[
        "q, Ctrl-C          leave",
        "up k, down j       scroll the failures",
        "PgUp, PgDn         by a page",
        "Home, End          oldest, newest",
        "p, space           stand still; reading goes on",
        "?                  this help",
        "",
        "last n min: n whole minutes and the running one, by",
        "the time of the events. att: attempts; del, def, bnc:",
        "delivered, deferred, bounced, in % of them. A red NEW",
        "refused two recipients; see: bouncestat suspects",
    ];
    let area = frame.area();
    let (width, height) = (area.width.min(56), area.height.min(TEXT.len() as u16 + 2));
    let place = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    frame.render_widget(Clear, place);
    let lines: Vec<Line<'_>> = TEXT.iter().map(|text| Line::raw(*text)).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys ")), place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_and_do_not_lie() {
        let of = |attempts| Counts { attempts, ..Counts::default() };
        assert_eq!(short(9_999), "9999");
        assert_eq!((short(12_345), short(123_456), short(1_250_000)), ("12.3k".into(), "123k".into(), "1.2M".into()));
        assert_eq!((share(0, &of(0)), share(0, &of(9)), share(9, &of(9))), ("-".into(), "0".into(), "100".into()));
        assert_eq!((share(1, &of(1_000)), share(999, &of(1_000)), share(1, &of(3))), ("<1".into(), ">99".into(), "33".into()));
        assert_eq!((share(2, &of(3)), share(1, &of(100)), share(199, &of(200))), ("67".into(), "1".into(), ">99".into()));
    }

    #[test]
    fn bytes_have_units() {
        assert_eq!([size(0), size(1), size(1_500_000), size(2_540_000_000)], ["0 kB", "1 kB", "1 MB", "2.5 GB"]);
    }

    #[test]
    fn bars_show_whatever_is_there() {
        assert_eq!(sparkline(&[0, 1, 500, 1_000]), " ▁▄█");
        assert_eq!(sparkline(&[0, 0]), "  ");
        assert_eq!(sparkline(&[u64::MAX]), "█");
    }
}
