//! The terminal of `follow`: opened, drawn on, asked for keys, and given back as it was.
//!
//! What is drawn is in `draw`, what it shows in `view`. Keys are read by a thread that wakes who waits for files, so that nothing has to
//! look for them. The terminal is given back when the screen is dropped, and before the message of a panic.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use bouncestat_ingest::clock::Zone;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::{How, draw};
use super::rates::Rates;
use super::status::{Pace, Status};
use super::view::View;
use super::watch::Waker;

/// What a key asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Leave.
    Leave,
    /// Draw again.
    Redraw,
}

/// The terminal, in its own buffer and without echo.
pub struct Screen {
    terminal: DefaultTerminal,
    events: Receiver<io::Result<Event>>,
    state: State,
    pace: Pace,
}

impl Screen {
    /// Takes the terminal that standard output is. `waker` is called for each key.
    ///
    /// # Errors
    /// Where the terminal does not do what it is told; it is then as it was.
    pub fn open(zone: Zone, color: bool, waker: Waker) -> io::Result<Self> {
        let terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
        let (sender, events) = mpsc::channel();
        thread::Builder::new().name("keys".into()).spawn(move || {
            loop {
                let event = event::read();
                let is_end = event.is_err();
                let is_gone = sender.send(event).is_err();
                waker.call();
                if is_end || is_gone {
                    return;
                }
            }
        })?;
        Ok(Self { terminal, events, state: State::new(zone, color), pace: Pace::default() })
    }

    /// Draws what there is now.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn draw(&mut self, rates: &Rates, status: &Status) -> io::Result<()> {
        let pace = self.pace.add(status.now, status.lines);
        let state = &mut self.state;
        state.look(|| View::new(rates, status, pace));
        let Some(view) = &state.view else { return Ok(()) };
        let mut room = 0;
        self.terminal.draw(|frame| room = draw(frame, view, &state.how))?;
        state.room = room;
        Ok(())
    }

    /// The next key that asks for something, if one comes in time.
    pub fn poll(&mut self, at_most: Duration) -> Option<Key> {
        // One that asks for nothing does not end the wait for good: the caller asks again.
        match self.events.recv_timeout(at_most) {
            Ok(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => self.state.press(key),
            Ok(Ok(Event::Resize(..))) => Some(Key::Redraw),
            Ok(Ok(_)) | Err(mpsc::RecvTimeoutError::Timeout) => None,
            // Nobody can press a key any more.
            Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => Some(Key::Leave),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Before the message of a panic it was given back already; twice would put the cursor onto the message.
        if !thread::panicking() {
            ratatui::restore();
        }
    }
}

/// What keys have changed.
struct State {
    how: How,
    /// The moment that is shown.
    view: Option<View>,
    /// Failures that had room.
    room: usize,
}

impl State {
    fn new(zone: Zone, color: bool) -> Self {
        Self { how: How { zone, color, scroll: 0, paused: false, help: false }, view: None, room: 0 }
    }

    /// Takes the next moment, unless the screen stands still. Who has scrolled back keeps seeing the same failures.
    fn look(&mut self, view: impl FnOnce() -> View) {
        if self.how.paused && self.view.is_some() {
            return;
        }
        let view = view();
        if self.how.scroll > 0 {
            let before = self.view.as_ref().map_or(view.failures, |view| view.failures);
            let more = usize::try_from(view.failures.saturating_sub(before)).unwrap_or(usize::MAX);
            self.how.scroll = self.how.scroll.saturating_add(more);
        }
        self.view = Some(view);
        self.scroll(self.how.scroll);
    }

    /// Scrolls back by so many in all; not beyond the oldest.
    fn scroll(&mut self, back: usize) {
        let kept = self.view.as_ref().map_or(0, |view| view.latest.len());
        self.how.scroll = back.min(kept.saturating_sub(self.room));
    }

    fn press(&mut self, key: KeyEvent) -> Option<Key> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let (scroll, page) = (self.how.scroll, self.room.max(1));
        match key.code {
            KeyCode::Char('q') => return Some(Key::Leave),
            KeyCode::Char('c' | 'd') if control => return Some(Key::Leave),
            // What explains the keys goes away first.
            KeyCode::Esc if self.how.help => self.how.help = false,
            KeyCode::Esc => return Some(Key::Leave),
            KeyCode::Char('?' | 'h') => self.how.help = !self.how.help,
            KeyCode::Char('p' | ' ') => self.how.paused = !self.how.paused,
            KeyCode::Up | KeyCode::Char('k') => self.scroll(scroll + 1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(scroll.saturating_sub(1)),
            KeyCode::PageUp => self.scroll(scroll + page),
            KeyCode::PageDown => self.scroll(scroll.saturating_sub(page)),
            KeyCode::Home | KeyCode::Char('g') => self.scroll(usize::MAX),
            KeyCode::End | KeyCode::Char('G') => self.scroll(0),
            _ => return None,
        }
        Some(Key::Redraw)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn press(state: &mut State, code: KeyCode) -> Option<Key> {
        state.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn rates(failures: i64) -> Rates {
        let mut rates = Rates::new(Box::new(|_, _, _| panic!("nobody is accused")));
        (0..failures).for_each(|after| rates.add(&samples::deferred(after, "acme.test")));
        rates
    }

    fn look(state: &mut State, failures: i64) {
        state.look(|| View::new(&rates(failures), &Status::default(), None));
    }

    #[test]
    fn keys_leave() {
        let mut state = State::new(Zone::UTC, false);
        assert_eq!(press(&mut state, KeyCode::Char('q')), Some(Key::Leave));
        assert_eq!(state.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Key::Leave));
        assert_eq!(press(&mut state, KeyCode::Char('c')), None);
        assert_eq!((press(&mut state, KeyCode::Char('?')), state.how.help), (Some(Key::Redraw), true));
        assert_eq!((press(&mut state, KeyCode::Esc), state.how.help), (Some(Key::Redraw), false));
    }

    #[test]
    fn who_scrolled_back_keeps_seeing_the_same() {
        let mut state = State::new(Zone::UTC, false);
        state.room = 5;
        look(&mut state, 20);
        for code in [KeyCode::Up, KeyCode::Char('k'), KeyCode::Char('j'), KeyCode::PageUp] {
            assert_eq!(press(&mut state, code), Some(Key::Redraw));
        }
        assert_eq!(state.how.scroll, 6);
        look(&mut state, 23);
        assert_eq!(state.how.scroll, 9);
        press(&mut state, KeyCode::Home);
        assert_eq!(state.how.scroll, 18, "the oldest five are shown");
        press(&mut state, KeyCode::End);
        look(&mut state, 30);
        assert_eq!(state.how.scroll, 0, "at the end it goes on");
    }

    #[test]
    fn a_pause_holds_the_moment_and_keys_still_scroll() {
        let mut state = State::new(Zone::UTC, false);
        look(&mut state, 3);
        press(&mut state, KeyCode::Char('p'));
        look(&mut state, 9);
        press(&mut state, KeyCode::Up);
        assert_eq!((state.view.as_ref().unwrap().failures, state.how.scroll), (3, 1));
        press(&mut state, KeyCode::Char('p'));
        look(&mut state, 9);
        assert_eq!((state.view.as_ref().unwrap().failures, state.how.scroll), (9, 7));
    }
}
