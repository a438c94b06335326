//! RESULTS.md says what follows from the rows in `results/`, and nothing else.
#![forbid(unsafe_code)]

use pitfall::{
    report::render_claims,
    suite::{account, collect},
};
use std::{fs, path::Path};

/// Names with digits that the account may write by hand; every other number has to come from the rows.
const NAMES: [&str; 20] = [
    "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "P1", "P2", "P3",
    "CIFAR-10",
];

/// What is left of a template without what the renderer replaces, comments and targets of links.
fn prose(template: &str) -> String {
    let mut text = template.to_string();
    for (from, to) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("[arXiv ", ")"), ("](", ")")] {
        while let Some(begin) = text.find(from) {
            let end = text[begin + from.len()..].find(to).expect("what is opened is closed");
            text.replace_range(begin..begin + from.len() + end + to.len(), " ");
        }
    }
    text
}

#[test]
fn the_account_follows_from_the_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let template = fs::read_to_string(root.join("results/RESULTS.template.md")).unwrap();
    let page = render_claims(&collect(&[root.join("results")]).unwrap()).unwrap();
    let filled = account::fill(&template, &page.numbers).unwrap();
    let account = fs::read_to_string(root.join("RESULTS.md")).unwrap();
    if filled != account {
        let line = filled.lines().zip(account.lines()).find(|(filled, account)| filled != account);
        panic!(
            "RESULTS.md differs from what the rows say: {line:?}; write it again by \
             `cargo run --release -- report results --fill results/RESULTS.template.md --write RESULTS.md`"
        );
    }

    for word in prose(&template).split(|letter: char| letter.is_whitespace() || "()*,.;:".contains(letter)) {
        let known = NAMES.contains(&word) || !word.contains(|letter: char| letter.is_ascii_digit());
        assert!(known, "RESULTS.template.md has the number {word} by hand");
    }
}

#[test]
fn numbers_by_hand_are_noticed() {
    let text = prose("{# 1 #}Of {{ n['2'] }} [networks](3.md), {% if 4 %}5{% endif %} `6` C7 [arXiv 8](9)");
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["Of", "[networks", ",", "5", "`6`", "C7"]);
}
