//! What `follow` shows, and where: a screen, lines, or JSON lines.

use std::io::{self, Write};

use anyhow::Result;
use bouncestat_classification::Classifier;

use crate::args::{Common, Follow};
use crate::live::json::JsonLines;
use crate::live::lines::{Lines, Look};
use crate::live::rates::Rates;
use crate::live::screen::{Key, Screen};
use crate::live::seen::Seen;
use crate::live::status::Status;
use crate::settings::Settings;

/// Shows what is seen.
pub struct Shown {
    to: To,
    rates: Rates,
}

enum To {
    Screen(Box<Screen>),
    Lines(Lines<Box<dyn Write + Send>>),
    Json(JsonLines<Box<dyn Write + Send>>),
}

impl Shown {
    /// Opens what is asked for.
    pub fn new(
        args: &Follow,
        common: &Common,
        settings: &Settings,
        rules: &'static Classifier,
        screen: Option<Screen>,
    ) -> Result<Self> {
        // The extension of -o tells the format, as it does for reports.
        let by_name = common.output.as_deref().and_then(|path| path.extension()).is_some_and(|extension| extension == "jsonl");
        let format = common.format.as_deref().or(by_name.then_some("jsonl"));
        let to = match (screen, format) {
            (Some(screen), _) => To::Screen(Box::new(screen)),
            (None, Some("jsonl")) => To::Json(JsonLines::new(out(common)?, args.delivered)),
            // Others were refused before.
            (None, _) => {
                let on_terminal = common.output.is_none() && io::IsTerminal::is_terminal(&io::stdout());
                let look = Look {
                    zone: settings.zone,
                    width: on_terminal.then_some(settings.width),
                    color: settings.color && common.output.is_none(),
                    delivered: args.delivered,
                };
                To::Lines(Lines::new(out(common)?, look))
            }
        };
        Ok(Self { to, rates: Rates::new(Box::new(|verdict, blame, provider| rules.remedy(verdict, blame, provider))) })
    }

    /// Whether somebody looks at a screen.
    pub fn has_screen(&self) -> bool {
        matches!(self.to, To::Screen(_))
    }

    /// Shows what came; false where nobody reads it any more.
    pub fn show(&mut self, seen: &[Seen], status: &Status) -> Result<bool> {
        match &mut self.to {
            To::Lines(lines) => goes_on(lines.write(seen)),
            To::Json(lines) => match lines.write(seen) {
                Err(error) if error.is_broken_pipe() => Ok(false),
                other => other.map(|()| true).map_err(Into::into),
            },
            To::Screen(screen) => {
                self.rates.advance(status.now);
                seen.iter().for_each(|seen| self.rates.add(seen));
                screen.draw(&self.rates, status)?;
                Ok(true)
            }
        }
    }

    /// Draws the screen, where there is one.
    pub fn draw(&mut self, status: &Status) -> Result<bool> {
        if let To::Screen(screen) = &mut self.to {
            self.rates.advance(status.now);
            screen.draw(&self.rates, status)?;
        }
        Ok(true)
    }

    /// A key that was pressed.
    pub fn poll(&mut self) -> Option<Key> {
        match &mut self.to {
            To::Screen(screen) => screen.poll(std::time::Duration::ZERO),
            _ => None,
        }
    }

    /// Gives the terminal back.
    pub fn end(self) {}
}

/// A reader that went away is the end, and no error.
fn goes_on(written: io::Result<()>) -> Result<bool> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).map_err(Into::into),
    }
}

fn out(common: &Common) -> Result<Box<dyn Write + Send>> {
    match common.output.as_deref().filter(|path| *path != std::path::Path::new("-")) {
        None => Ok(Box::new(io::stdout()) as Box<dyn Write + Send>),
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            Ok(Box::new(file.map_err(|e| anyhow::anyhow!("-o {}: {e}", path.display()))?))
        }
    }
}
