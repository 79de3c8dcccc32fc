use bouncestat_classification::Classifier;
use bouncestat_record::Reply;
fn main() {
    if std::env::args().nth(1).as_deref() == Some("--build") {
        let t = std::time::Instant::now();
        for _ in 0..200 { std::hint::black_box(Classifier::with(Default::default())); }
        println!("{:.2} ms a build", t.elapsed().as_secs_f64() * 5.0);
        return;
    }
    for text in std::env::args().skip(1) {
        let e = Classifier::builtin().explain(&Reply { text: text.as_bytes(), ..Reply::default() });
        println!("{text}\n  {} {} {} matched {:?} second {:?} provider {:?} list {:?} {:?} {:?}\n  {}", e.verdict.reason, e.verdict.class, e.verdict.rule_id, e.matched, e.runner_up, e.verdict.provider, e.verdict.blocklist, e.verdict.blocklist_state, e.verdict.listed, e.advice);
    }
}
