//! The signals that end a program: they are taken, and somebody is told.
//!
//! Not here: what is told (`watch`). In a terminal without echo Ctrl-C is a key, and no signal: `screen`.

#[cfg(unix)]
mod system {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use signal_hook::SigId;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals as Taken};

    /// Signals that are taken while this lives.
    pub struct Signals {
        handle: Handle,
        second: Vec<SigId>,
    }

    impl Signals {
        /// Those that end a program.
        pub const ENDING: &'static [i32] = &[SIGINT, SIGTERM, SIGHUP];

        /// Takes signals; `told` is called for each, on a thread of its own.
        pub fn take(signals: &[i32], told: impl Fn() + Send + 'static) -> io::Result<Self> {
            let asked = Arc::new(AtomicBool::new(false));
            // Who presses Ctrl-C again has waited long enough. Registered first, so that the first signal does not count as the second.
            let second = signals.iter().filter(|signal| **signal == SIGINT);
            let second = second
                .map(|signal| signal_hook::flag::register_conditional_default(*signal, asked.clone()))
                .collect::<io::Result<Vec<_>>>()?;
            let mut taken = Taken::new(signals)?;
            let handle = taken.handle();
            thread::Builder::new().name("signals".into()).spawn(move || {
                for _ in taken.forever() {
                    asked.store(true, Ordering::SeqCst);
                    told();
                }
            })?;
            Ok(Self { handle, second })
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.handle.close();
            self.second.drain(..).for_each(|id| {
                signal_hook::low_level::unregister(id);
            });
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    use signal_hook::consts::{SIGINT, SIGTERM};

    /// Signals that are taken while this lives.
    pub struct Signals(Arc<AtomicBool>);

    impl Signals {
        /// Those that end a program.
        pub const ENDING: &'static [i32] = &[SIGINT, SIGTERM];

        /// Takes signals; `told` is called once, on a thread of its own. Here a signal only sets a flag, which has to be looked at.
        pub fn take(signals: &[i32], told: impl Fn() + Send + 'static) -> io::Result<Self> {
            let (asked, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
            for signal in signals {
                signal_hook::flag::register_conditional_default(*signal, asked.clone())?;
                signal_hook::flag::register(*signal, asked.clone())?;
            }
            let end = ended.clone();
            thread::Builder::new().name("signals".into()).spawn(move || {
                while !end.load(Ordering::SeqCst) {
                    if asked.load(Ordering::SeqCst) {
                        return told();
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            })?;
            Ok(Self(ended))
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

pub use system::Signals;
