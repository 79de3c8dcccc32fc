//! Running the program, handmade logs, packing, and goldens.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// No run of a test takes longer; one that does hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A sample's folder, as a path from the root.
pub fn sample(name: &str) -> String {
    format!("samples/{name}")
}

/// What a run gave.
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("the payload is UTF-8")
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}):\n{}\n{}", self.text(), self.err))
    }

    /// Demands an exit code, and that nothing panicked.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.code, code, "stderr:\n{}", self.err);
        self
    }

    /// Demands words on standard error.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in:\n{}", self.err);
        }
        self
    }
}

/// The program, in the root of the project, in UTC, and without what a terminal or a user's environment would change.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bouncestat"));
    command.current_dir(root()).env("TZ", "UTC").env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
    // Nor what this machine's settings would.
    command.env("BOUNCESTAT_CONFIG", "").env_remove("BOUNCESTAT_REDACT_KEY");
    command
}

/// Runs the program.
pub fn run(args: &[&str]) -> Ran {
    finish(command().args(args), b"")
}

/// Runs the program with a standard input.
pub fn run_with(args: &[&str], input: &[u8]) -> Ran {
    finish(command().args(args), input)
}

/// Runs a command to its end; one that hangs fails the test instead of holding it.
pub fn finish(command: &mut Command, input: &[u8]) -> Ran {
    let shown = format!("{command:?}");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = input.to_vec();
    let (send, receive) = channel();
    std::thread::spawn(move || {
        // A program that reads no input closes it: no error.
        let _ = stdin.take().map(|mut stdin| stdin.write_all(&input));
    });
    let send_out = send.clone();
    std::thread::spawn(move || send_out.send((true, read_all(stdout.as_mut()))));
    std::thread::spawn(move || send.send((false, read_all(stderr.as_mut()))));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        match receive.recv_timeout(LIMIT) {
            Ok((true, bytes)) => out = bytes,
            Ok((false, bytes)) => err = bytes,
            Err(_) => {
                let _ = child.kill();
                panic!("hangs: {shown}\n{}", String::from_utf8_lossy(&err));
            }
        }
    }
    let status = child.wait().expect("the program ends");
    Ran { code: status.code().unwrap_or(-1), out, err: String::from_utf8_lossy(&err).into_owned() }
}

fn read_all(from: Option<&mut impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.read_to_end(&mut bytes);
    }
    bytes
}

/// The report of some paths as JSON; demands that all is well.
#[track_caller]
pub fn report(args: &[&str]) -> Value {
    run(&[&["--tz", "UTC", "--format", "json"], args].concat()).exits(0).json()
}

/// A report without the places of lines, which are others where files have other names, cuts or line ends.
pub fn without_places(mut report: Value) -> Value {
    for rows in report.as_object_mut().expect("a report").values_mut().filter_map(Value::as_array_mut) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("source_file");
            row.remove("source_offset");
        }
    }
    report
}

/// One counter of `totals`.
#[track_caller]
pub fn total(report: &Value, name: &str) -> u64 {
    report["totals"][name].as_u64().unwrap_or_else(|| panic!("no total {name} in {}", report["totals"]))
}

/// A folder that goes away after the test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    /// A folder with one file.
    pub fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.file(name, bytes);
        folder
    }

    /// Writes a file; gives its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// The path of something in the folder; "" for the folder itself.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").trim_end_matches('/').to_owned()
    }
}

/// The bytes of a file of the project.
pub fn bytes_of(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A way to pack.
#[derive(Clone, Copy, Debug)]
pub enum Packed {
    Gz,
    Bz2,
    Xz,
    Zst,
}

/// Every way to pack, with the extension of its files.
pub const PACKED: [(Packed, &str); 4] = [(Packed::Gz, "gz"), (Packed::Bz2, "bz2"), (Packed::Xz, "xz"), (Packed::Zst, "zst")];

/// Packs bytes.
pub fn pack(how: Packed, bytes: &[u8]) -> Vec<u8> {
    let packed = |result: std::io::Result<Vec<u8>>| result.expect("packing into memory");
    match how {
        Packed::Gz => {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed(gz.write_all(bytes).and_then(|()| gz.finish()))
        }
        Packed::Bz2 => {
            let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            packed(bz2.write_all(bytes).and_then(|()| bz2.finish()))
        }
        Packed::Xz => {
            let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
            packed(xz.write_all(bytes).and_then(|()| xz.finish()))
        }
        Packed::Zst => packed(zstd::encode_all(bytes, 1)),
    }
}

/// Compares with a file of the project; with `BLESS=1` in the environment writes it instead.
#[track_caller]
pub fn golden(path: impl AsRef<Path>, actual: &[u8]) {
    let path = root().join(path);
    if blessing() {
        fs::create_dir_all(path.parent().expect("a file of the project is in a folder")).expect("a folder can be made");
        fs::write(&path, actual).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        return;
    }
    let shown = path.strip_prefix(root()).unwrap_or(&path).display();
    let expected = fs::read(&path).unwrap_or_else(|e| panic!("{shown}: {e}; BLESS=1 writes it"));
    if expected == actual {
        return;
    }
    let (expected, actual) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(actual));
    let (mut a, mut b) = (expected.lines(), actual.lines());
    for line in 1.. {
        let (a, b) = (a.next(), b.next());
        assert!(
            a == b,
            "{shown}, line {line}; if the new one is right: BLESS=1\n  golden: {}\n  now:    {}",
            or_end(a),
            or_end(b)
        );
        assert!(a.is_some(), "{shown}: the line ends differ");
    }
}

fn or_end(line: Option<&str>) -> &str {
    line.unwrap_or("(the end)")
}

/// Whether goldens are to be rewritten.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|v| v == "1")
}

/// A report without the versions of program and rules: a golden changes when a result does, not when a rule is added.
pub fn without_versions(text: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = text.replace(&format!("bouncestat {version}"), "bouncestat VERSION");
    out = out.replace(&format!("\"version\": \"{version}\""), "\"version\": \"VERSION\"");
    out = out.replace(&format!("version=\"{version}\""), "version=\"VERSION\"");
    while let Some(at) = out.find(&format!("{version}+")) {
        let end = out[at..].find(|c: char| !c.is_ascii_alphanumeric() && !".+".contains(c)).map_or(out.len(), |n| at + n);
        let end = at + out[at..end].trim_end_matches('.').len();
        out.replace_range(at..end, "RULES");
    }
    out
}

/// Every case below `samples/`: `<server>/<case>`, sorted.
pub fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    for server in folders(&root().join("samples")) {
        for case in folders(&server) {
            let name = case.strip_prefix(root().join("samples")).expect("below samples");
            cases.push(name.to_str().expect("UTF-8").to_owned());
        }
    }
    assert!(!cases.is_empty(), "samples/ is empty");
    cases
}

/// What of a case is read: its folder, and the folders in it, but for what is expected of it.
pub fn case_paths(case: &str) -> Vec<String> {
    let inside = folders(&root().join(sample(case))).into_iter().filter(|path| !path.ends_with("expected"));
    let inside = inside.map(|path| path.strip_prefix(root()).expect("below the root").to_str().expect("UTF-8").to_owned());
    std::iter::once(sample(case)).chain(inside).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
