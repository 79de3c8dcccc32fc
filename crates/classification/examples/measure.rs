//! Measures the classifier on a labelled corpus, or on the table of code variants.
//!
//! `measure corpus FILE.jsonl [--misses] [--ids FILE]`, `measure seeds FILE.csv [--misses]`, `measure speed FILE.jsonl`,
//! `measure dump FILE.jsonl`: every verdict on the corpus, the rules' examples and mixtures of both, for comparing two versions.

use std::collections::BTreeMap;
use std::time::Instant;

use bouncestat_classification::{Classifier, Memo};
use bouncestat_record::{Class, Disposition, EnhancedCode, Reason, Reply};

struct Case {
    id: String,
    text: String,
    code: Option<u16>,
    enhanced: Option<EnhancedCode>,
    host: String,
    reason: String,
    accept: Vec<String>,
    class: String,
}

impl Case {
    fn reply(&self) -> Reply<'_> {
        Reply {
            text: self.text.as_bytes(),
            smtp_code: self.code,
            enhanced_code: self.enhanced,
            relay_host: Some(self.host.as_str()).filter(|h| !h.is_empty()),
            ..Reply::default()
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, path, rest @ ..] = args.as_slice() else {
        panic!("usage: measure corpus|seeds|speed|count|dump FILE [--misses] [--ids FILE] [--not-ids FILE]");
    };
    let text = std::fs::read_to_string(path).expect("readable file");
    let misses = rest.iter().any(|a| a == "--misses");
    let list =
        |flag: &str| rest.iter().position(|a| a == flag).map(|i| std::fs::read_to_string(&rest[i + 1]).expect("readable list"));
    let begin = Instant::now();
    let classifier = Classifier::builtin();
    eprintln!(
        "built in {:.2} ms, rules {}, {} rules",
        begin.elapsed().as_secs_f64() * 1e3,
        classifier.rules_version(),
        classifier.rules().count()
    );
    match mode.as_str() {
        "seeds" => seeds(classifier, &text, misses),
        "speed" => speed(classifier, &corpus(&text)),
        "count" => {
            // For counting instructions: each reply so many times, uncached and remembered.
            let [uncached, remembered] = [0, 1].map(|i| rest.get(i).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1));
            let (cases, mut memo) = (corpus(&text), Memo::new());
            let mut hard = 0;
            for _ in 0..uncached {
                hard += cases.iter().filter(|c| classifier.classify(&c.reply()).class == Class::Hard).count();
            }
            for _ in 0..remembered {
                hard += cases.iter().filter(|c| memo.classify(classifier, &c.reply()).class == Class::Hard).count();
            }
            println!("{hard} hard");
        }
        "dump" => dump(classifier, &corpus(&text)),
        _ => {
            let mut cases = corpus(&text);
            if let Some(ids) = list("--ids") {
                cases.retain(|c| ids.contains(&c.id));
            }
            if let Some(ids) = list("--not-ids") {
                cases.retain(|c| !ids.contains(&c.id));
            }
            measure(classifier, &cases, misses);
        }
    }
}

fn corpus(text: &str) -> Vec<Case> {
    text.lines()
        .map(|line| {
            let v: serde_json::Value = serde_json::from_str(line).expect("JSON lines");
            let s = |k: &str| v[k].as_str().unwrap_or("").to_owned();
            Case {
                id: s("id"),
                text: s("text"),
                code: s("code").parse().ok(),
                enhanced: EnhancedCode::parse(&s("enhanced")),
                host: s("rhost"),
                reason: s("expected_reason"),
                accept: v["accept_reasons"]
                    .as_array()
                    .map(|a| a.iter().filter_map(|x| x.as_str().map(str::to_owned)).collect())
                    .unwrap_or_default(),
                class: s("expected_class"),
            }
        })
        .collect()
}

fn measure(classifier: &Classifier, cases: &[Case], misses: bool) {
    let (mut strict, mut lenient, mut class) = (0, 0, 0);
    let mut per: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut confusion: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut predicted, mut correct, mut wanted, mut found) = (0, 0, 0, 0);
    let suppressing = ["user_unknown", "domain_invalid", "bad_address", "mailbox_disabled", "mailbox_moved"];
    let mut lists = 0;
    for case in cases {
        let verdict = classifier.classify(&case.reply());
        let got = verdict.reason.as_str();
        let want = case.reason.as_str();
        let ok = got == want;
        strict += usize::from(ok);
        let fine = ok || case.accept.iter().any(|a| a == got);
        lenient += usize::from(fine);
        let class_ok = verdict.class.as_str() == case.class;
        class += usize::from(class_ok);
        per.entry(Reason::from_name(want).map_or("?", Reason::as_str)).or_default()[0] += 1;
        per.entry(got).or_default()[1] += 1;
        if ok {
            per.entry(got).or_default()[2] += 1;
        } else {
            *confusion.entry((want.to_owned(), got.to_owned())).or_default() += 1;
        }
        lists += usize::from(verdict.blocklist.is_some());
        let suppress = verdict.disposition == Disposition::Suppress && verdict.class == Class::Hard;
        let should = suppressing.contains(&want) && case.class == "hard";
        predicted += usize::from(suppress);
        correct += usize::from(suppress && should);
        wanted += usize::from(should);
        found += usize::from(should && suppress);
        if misses && (!ok || !class_ok || suppress != should) {
            println!(
                "{}{}{} want {want}/{} got {got}/{} by {} | {} {} {} | {}",
                if fine { "~" } else { "X" },
                if class_ok { " " } else { "c" },
                if suppress && !should {
                    "S"
                } else if should && !suppress {
                    "s"
                } else {
                    " "
                },
                case.class,
                verdict.class,
                verdict.rule_id,
                case.code.map_or(String::new(), |c| c.to_string()),
                case.enhanced.map_or(String::new(), |c| c.to_string()),
                case.host,
                case.text.chars().take(420).collect::<String>().replace('\n', "\\n")
            );
        }
    }
    let share = |a: usize, b: usize| a as f64 / b.max(1) as f64;
    println!(
        "cases {} strict {:.3} lenient {:.3} class {:.3}",
        cases.len(),
        share(strict, cases.len()),
        share(lenient, cases.len()),
        share(class, cases.len())
    );
    println!(
        "suppression precision {:.3} ({correct}/{predicted}) recall {:.3} ({found}/{wanted}); blocklist named {lists}",
        share(correct, predicted),
        share(found, wanted)
    );
    println!("{:<22} {:>5} {:>9} {:>7}", "reason", "n", "precision", "recall");
    for (reason, [n, got, ok]) in &per {
        println!("{reason:<22} {n:>5} {:>9.3} {:>7.3}", share(*ok, *got), share(*ok, *n));
    }
    let mut pairs: Vec<_> = confusion.into_iter().collect();
    pairs.sort_by_key(|(pair, n)| (std::cmp::Reverse(*n), pair.clone()));
    for ((want, got), n) in pairs.iter().take(25) {
        println!("{n:>4} {want} -> {got}");
    }
    speed(classifier, cases);
}

/// Seconds of this thread's own CPU time, where the system tells them: others may share the machine.
fn cpu(begin: Instant) -> f64 {
    let own = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = own.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| begin.elapsed().as_secs_f64(), |n| n / 1e9)
}

/// The best of ten rounds, each of some 20,000 replies uncached, and ten times as many remembered.
fn speed(classifier: &Classifier, cases: &[Case]) {
    let times = 20_000 / cases.len().max(1) + 1;
    let mut memo = Memo::new();
    let mut best = [0f64; 2];
    let mut hard = 0usize;
    let begin = Instant::now();
    for _ in 0..10 {
        let mut marks = [cpu(begin); 3];
        for _ in 0..times {
            hard += cases.iter().filter(|c| classifier.classify(&c.reply()).class == Class::Hard).count();
        }
        marks[1] = cpu(begin);
        for _ in 0..times * 10 {
            hard += cases.iter().filter(|c| memo.classify(classifier, &c.reply()).class == Class::Hard).count();
        }
        marks[2] = cpu(begin);
        for (number, factor) in [(0, 1), (1, 10)] {
            let replies = (times * factor * cases.len()) as f64;
            best[number] = best[number].max(replies / (marks[number + 1] - marks[number]));
        }
    }
    println!("replies/s of one core: uncached {:.0}, remembered {:.0} ({hard} hard)", best[0], best[1]);
}

/// Writes one line a verdict: of each text as it is, by action, and of texts cut and joined as chance (the same each time) wills.
fn dump(classifier: &Classifier, cases: &[Case]) {
    use bouncestat_record::Action;
    let mut texts: Vec<(String, String)> = cases.iter().map(|c| (c.text.clone(), c.host.clone())).collect();
    for rule in classifier.rules() {
        let host = rule.providers.first().and_then(|p| classifier.sample_host(p)).unwrap_or("");
        texts.extend(rule.examples.iter().chain(&rule.not).map(|e| (e.clone(), host.to_owned())));
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = |text: &str, host: &str, code: Option<u16>, enhanced: Option<EnhancedCode>, action: Option<Action>| {
        let relay_host = Some(host).filter(|h| !h.is_empty());
        let reply =
            Reply { text: text.as_bytes(), smtp_code: code, enhanced_code: enhanced, relay_host, action, ..Reply::default() };
        let e = classifier.explain(&reply);
        assert_eq!(e.verdict, classifier.classify(&reply), "{text}");
        use std::io::Write;
        writeln!(out, "{text:?} {host} {action:?}\t{:?}\t{:?}\t{:?}\t{}", e.verdict, e.matched, e.runner_up, e.advice)
            .expect("stdout");
    };
    for case in cases {
        line(&case.text, &case.host, case.code, case.enhanced, None);
    }
    let mut seed = 7u64;
    let mut chance = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    for (text, host) in &texts {
        for action in [None, Some(Action::Bounced), Some(Action::Deferred)] {
            line(text, host, None, None, action);
        }
        line(text, "", None, None, None);
    }
    for _ in 0..60_000 {
        let mut mixed = String::new();
        for _ in 0..1 + chance(3) {
            let chars: Vec<char> = texts[chance(texts.len())].0.chars().collect();
            let from = chance(chars.len()) * chance(2);
            mixed.extend(&chars[from..from + chance(chars.len() - from + 1)]);
            mixed.push_str(["", " ", ". ", "\n"][chance(4)]);
        }
        let host = &texts[chance(texts.len())].1;
        line(&mixed, if chance(2) == 0 { host } else { "" }, None, None, None);
    }
}

/// One row of a CSV with quoted fields.
fn fields(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                out.last_mut().expect("never empty").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => out.last_mut().expect("never empty").push(c),
        }
    }
    out
}

fn seeds(classifier: &Classifier, text: &str, misses: bool) {
    let (mut all, mut right, mut strict) = (0, 0, 0);
    for line in text.lines().skip(1) {
        let f = fields(line);
        let reply = Reply {
            text: f[2].as_bytes(),
            smtp_code: f[0].parse().ok(),
            enhanced_code: EnhancedCode::parse(&f[1]),
            ..Reply::default()
        };
        let verdict = classifier.classify(&reply);
        let exact = verdict.reason.as_str() == f[4];
        let class_ok = match f[3].as_str() {
            "success" | "intermediate" => verdict.class == Class::None,
            "soft" => verdict.class == Class::Soft,
            // The table follows the first digit; a full mailbox is soft by the contract.
            _ => verdict.class == Class::Hard || verdict.reason.passes(),
        };
        all += 1;
        strict += usize::from(exact);
        let fine = (exact || f[5].split('|').any(|a| a == verdict.reason.as_str())) && class_ok;
        right += usize::from(fine);
        if misses && !fine {
            println!(
                "want {}/{} (or {}) got {}/{} by {} | {} {} {}",
                f[4], f[3], f[5], verdict.reason, verdict.class, verdict.rule_id, f[0], f[1], f[2]
            );
        }
    }
    println!("seed variants right {right}/{all}, exactly {strict}");
}
