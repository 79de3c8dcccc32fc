//! The page: one file that loads nothing, where what a log says stays text, and that works in a real browser.

use std::process::Command;

use crate::common::{Folder, finish, root, run, sample};

/// The page of some paths.
#[track_caller]
fn page(args: &[&str]) -> String {
    run(&[&["--tz", "UTC", "--format", "html"], args].concat()).exits(0).text().to_owned()
}

/// What stands between two texts, the first time.
#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = &text[text.find(before).unwrap_or_else(|| panic!("no {before:?}")) + before.len()..];
    &rest[..rest.find(after).unwrap_or_else(|| panic!("no {after:?}"))]
}

/// Everything that a sender, a receiver or a host name could bring into a page.
const HOSTILE: [&str; 7] = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=2>",
    "\"' onmouseover=\"window.pwned=3",
    "&lt;b&gt;&amp;&#60;i>",
    "</style></script></title><svg/onload=window.pwned=4>",
    "javascript:window.pwned=5 https://evil.example/\"><b>",
    "\u{1b}[2J\u{202e}gnp.exe\u{7}\u{0}]]>-->",
];

/// A log whose every field is hostile.
fn hostile_log() -> String {
    let mut log = String::new();
    for (i, text) in HOSTILE.iter().enumerate() {
        for (n, status) in ["bounced", "deferred", "bounced"].iter().enumerate() {
            let (id, minute) = (format!("4AAAA{i}{n}"), 10 * i + n);
            let host = text.replace([' ', '\0'], "");
            log.push_str(&format!("2026-11-20T10:{minute:02}:01+00:00 mx1 postfix/qmgr[3]: {id}: from=<\"{text}\"@{host}>, size=9, nrcpt=1 (queue active)\n"));
            log.push_str(&format!(
                "2026-11-20T10:{minute:02}:02+00:00 mx1 postfix/smtp[2]: {id}: to=<\"{text}\"@d{i}{n}.{host}>, relay={host}[192.0.2.1]:25, \
                 delay=1, delays=0/0/1/0, dsn=5.7.1, status={status} (host {host}[192.0.2.1] said: 554 5.7.1 {text} spam {n}. See {text})\n"
            ));
        }
    }
    log
}

#[test]
fn one_file_that_loads_nothing() {
    let page = page(&[&sample("mixed/all-three")]);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    // The hashes are of what stands in the page: asked of another program.
    for (tag, source) in [("script", "script-src"), ("style", "style-src")] {
        let inside = between(&page, &format!("<{tag}>"), &format!("</{tag}>"));
        let hash =
            "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256(sys.stdin.buffer.read()).digest()).decode())";
        let ran = finish(Command::new("python3").args(["-c", hash]), inside.as_bytes()).exits(0);
        assert!(policy.contains(&format!("{source} 'sha256-{}';", ran.text().trim())), "{policy}");
    }
    for loading in ["<link", "<img", "<iframe", "<object", "@import", "url(", "src=", "<base", " style=", "<form"] {
        assert!(!page.contains(loading), "{loading}");
    }
}

#[test]
fn what_a_log_says_stays_text() {
    let folder = Folder::with("mail.log", hostile_log());
    let page = page(&[&folder.path("mail.log")]);
    assert_eq!(page.matches("<script").count(), 1, "only ours");
    for element in ["<img", "<b>", "<i>", "<svg/onload", "<style", "</title>"] {
        let ours = usize::from(matches!(element, "<style" | "</title>"));
        assert_eq!(page.matches(element).count(), ours, "{element}");
    }
    // Outside of our own script and style no attribute of theirs, no control character and nothing that turns the writing.
    assert!(!page.contains("\" onmouseover=\""));
    assert!(!page.contains(|c: char| c.is_control() && c != '\n') && !page.contains('\u{202e}'));
    // And it is shown.
    assert!(page.contains("&lt;script&gt;window.pwned=1&lt;/script&gt;"));
    assert!(page.contains("&amp;lt;b&amp;gt;&amp;amp;"));
    assert!(!page.contains("href=\"javascript") && !page.contains("href=\"https://evil"));
}

#[test]
fn every_reason_leads_to_a_line() {
    let log = sample("postfix/lab-long/maillog");
    let page = page(&[&log]);
    let bytes = crate::common::bytes_of(&log);
    let mut followed = 0;
    for place in page.split(&format!("<code>{log}</code> at byte ")).skip(1) {
        let offset: usize = place[..place.find('.').expect("a full stop")].replace(',', "").parse().expect("an offset");
        assert!(offset == 0 || bytes[offset - 1] == b'\n', "byte {offset} is inside a line");
        let line = bytes[offset..].split(|b| *b == b'\n').next().expect("a line");
        assert!(String::from_utf8_lossy(line).contains("status="), "byte {offset}: {}", String::from_utf8_lossy(line));
        followed += 1;
    }
    assert!(followed > 30, "only {followed} places");
    // Each link leads somewhere.
    for link in page.split("href=\"#").skip(1) {
        let id = &link[..link.find('"').expect("an end")];
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn the_same_bytes_and_a_cut_that_is_said() {
    let log = sample("mixed/all-three");
    assert!(page(&["--threads", "1", &log]) == page(&["--threads", "7", &log]));
    let cut = page(&["--top", "2", &log]);
    assert!(cut.contains("2 of ") && cut.contains("domains.csv"));
    assert!(cut.len() < page(&[&log]).len());
}

#[test]
fn by_the_extension_too_and_empty_logs_and_attempts() {
    let folder = Folder::with("mail.log", "");
    let out = folder.path("") + "/report.html";
    run(&["--tz", "UTC", "-o", &out, &folder.path("mail.log")]).exits(0);
    assert!(std::fs::read_to_string(&out).unwrap().contains("No delivery in this window."));
    let attempts = run(&["attempts", "--tz", "UTC", "--format", "html", &sample("postfix/sink")]).exits(0);
    assert!(attempts.text().starts_with("<!DOCTYPE html>") && attempts.text().contains("<caption>"));
}

/// Opens pages in headless Chromium. Where it is missing that is said, and no failure, except where `.ci/run` demands it.
#[test]
fn a_browser_opens_it() {
    let folder = Folder::with("mail.log", hostile_log());
    let samples = ["samples/postfix/*", "samples/exim/*", "samples/exchange/fleet/E*"];
    let attempts = run(&["attempts", "--tz", "UTC", "--format", "html", &sample("postfix/sink")]).exits(0);
    for (name, page) in
        [("samples", page(&samples)), ("hostile", page(&[&folder.path("mail.log")])), ("attempts", attempts.text().to_owned())]
    {
        let file = folder.file(&format!("{name}.html"), page);
        let ran = finish(Command::new("python3").arg(root().join(".ci/page/check.py")).arg(file), b"");
        if ran.code == 77 && std::env::var_os("BOUNCESTAT_NEEDS_BROWSER").is_none() {
            eprintln!("skipped: {}", ran.text().trim());
            return;
        }
        assert_eq!(ran.code, 0, "{name}:\n{}{}", ran.text(), ran.err);
    }
}
