//! The classifier: no panic, no slow text, and a verdict that is remembered is the one that would be found.
//!
//! The first byte chooses what stands beside the text.

#![no_main]

use std::cell::RefCell;

use bouncestat_classification::{Classifier, Memo};
use bouncestat_record::{Action, EnhancedCode, Mta, Reply};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static MEMO: RefCell<Memo> = RefCell::new(Memo::new());
}

fuzz_target!(|data: &[u8]| {
    let Some((&context, text)) = data.split_first() else { return };
    let reply = Reply {
        text,
        relay_host: (context & 1 != 0).then_some("gmail-smtp-in.l.google.com"),
        recipient_domain: (context & 2 != 0).then_some("outlook.com"),
        action: [None, Some(Action::Bounced), Some(Action::Deferred), Some(Action::Expired)][usize::from(context >> 2 & 3)],
        mta: [None, Some(Mta::Postfix), Some(Mta::Exim), Some(Mta::Exchange)][usize::from(context >> 4 & 3)],
        enhanced_code: (context & 64 != 0).then(|| EnhancedCode::parse("5.7.1")).flatten(),
        ..Reply::default()
    };
    let rules = Classifier::builtin();
    let verdict = rules.classify(&reply);
    MEMO.with_borrow_mut(|memo| {
        assert_eq!(*memo.classify(rules, &reply), verdict, "seen now or before");
        assert_eq!(*memo.classify(rules, &reply), verdict, "seen before");
    });
});
