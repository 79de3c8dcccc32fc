//! What the benches read: a generated Postfix log, and the bundled logs of real servers.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How many lines the generated log has: enough for every shape of line, and for a run of some milliseconds.
pub const LINES: usize = 100_000;

/// A Postfix log of [`LINES`] lines. It is made once and kept in the target folder.
pub fn postfix_log() -> PathBuf {
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/generate.py");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-postfix.log");
    let made_with = log.with_extension("py");
    let current = std::fs::read(&generator).expect("benches/generate.py is there");
    if log.exists() && std::fs::read(&made_with).is_ok_and(|old| old == current) {
        return log;
    }
    let status = Command::new("python3")
        .arg(&generator)
        .args([&log, &log.with_extension("json")])
        .args(["--lines", &LINES.to_string()])
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.is_ok_and(|s| s.success()), "the benches need python3 to make their log");
    std::fs::write(&made_with, current).expect("the target folder can be written to");
    log
}

/// A bundled log, as often as it takes to fill four megabytes, the size of a chunk.
#[allow(dead_code, reason = "not every bench reads samples")]
pub fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("samples/{name}: {e}"));
    text.repeat((4 << 20) / text.len() + 1)
}
