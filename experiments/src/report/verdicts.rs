//! What each set says about each claim, and why some say nothing: on the page, and on a terminal.

use super::claims_page::ClaimsPage;
use crate::suite::{
    Collected, Experiment,
    claims::{Claim, Finding},
    experiment,
};
use serde::Serialize;

/// A claim without a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untested {
    /// Which.
    pub claim: Claim,
    /// The set, such as `MNIST sample`, where others have a verdict; `None` if none has.
    pub data: Option<String>,
    /// Why.
    pub why: String,
}

/// A claim with what every set says about it.
#[derive(Serialize)]
pub(super) struct ClaimRow {
    name: &'static str,
    says: &'static str,
    rule: &'static str,
    certainty: &'static str,
    /// One for each set of the page, in their order; none where no set says anything.
    cells: Vec<Cell>,
    /// Why there is none.
    untested: Option<String>,
}

/// What a set says about a claim.
#[derive(Serialize)]
pub(super) struct Cell {
    data: String,
    /// `None` if it says nothing.
    verdict: Option<&'static str>,
    /// The experiment that tells.
    experiment: &'static str,
    /// What the verdict follows from, or why there is none.
    numbers: String,
}

/// Why no set of a page says anything about a claim: it has the rows of the experiments `run`, and others have `begun`.
fn why_untested(claim: Claim, run: &[&str], begun: &[&str]) -> String {
    let by = experiment(claim.tested_by()).expect("experiments of claims exist");
    let needed: Vec<&str> = [by.rows_of()].into_iter().chain(by.needs()).collect();
    match needed.iter().find(|name| !run.contains(*name)) {
        Some(name) if begun.contains(name) => format!("not tested, {name} is not finished"),
        Some(name) => format!("not tested, {name} was not run"),
        None if needed.len() > 1 => {
            format!("no verdict: too few networks, or {} are of different runs", needed.join(" and "))
        }
        None => "no verdict: too few networks".to_string(),
    }
}

/// What is without a verdict: a claim as a whole, or on a set while others have one.
pub(super) fn untested(
    collected: &Collected,
    sets: &[(&str, &str)],
    findings: &[(&'static dyn Experiment, Finding)],
) -> Vec<Untested> {
    let why = |claim: Claim, is_of: &dyn Fn(&str) -> bool| {
        let run = collected.sweeps.iter().filter(|found| is_of(&found.set)).map(|found| found.identity.name.as_str());
        let begun = collected.unfinished.iter().filter(|part| is_of(&part.set)).map(|part| part.name.as_str());
        why_untested(claim, &run.collect::<Vec<_>>(), &begun.collect::<Vec<_>>())
    };
    let of_claim = |claim: Claim| -> Vec<Untested> {
        let told: Vec<&Finding> =
            findings.iter().map(|(_, finding)| finding).filter(|finding| finding.claim == claim).collect();
        if told.is_empty() {
            return vec![Untested { claim, data: None, why: why(claim, &|_| true) }];
        }
        let silent = sets.iter().filter(|(_, name)| !told.iter().any(|finding| finding.data == *name));
        silent
            .map(|(set, name)| Untested {
                claim,
                data: Some((*name).to_string()),
                why: why(claim, &|other| other == *set),
            })
            .collect()
    };
    Claim::ALL.into_iter().flat_map(of_claim).collect()
}

/// A row for each claim, a cell for each set.
pub(super) fn claim_rows(
    sets: &[(&str, &str)],
    findings: &[(&'static dyn Experiment, Finding)],
    untested: &[Untested],
) -> Vec<ClaimRow> {
    let row = |claim: Claim| {
        let cell = |(_, name): &(&str, &str)| {
            let data = (*name).to_string();
            let found = findings.iter().find(|(_, f)| f.claim == claim && f.data == *name);
            if let Some((experiment, Finding { verdict, numbers, .. })) = found {
                let (verdict, experiment) = (Some(verdict.name()), experiment.name());
                return Some(Cell { data, verdict, experiment, numbers: numbers.clone() });
            }
            let silent = untested.iter().find(|of| of.claim == claim && of.data.as_ref() == Some(&data))?;
            Some(Cell { data, verdict: None, experiment: claim.tested_by(), numbers: silent.why.clone() })
        };
        let whole = untested.iter().find(|of| of.claim == claim && of.data.is_none()).map(|of| of.why.clone());
        ClaimRow {
            name: claim.name(),
            says: claim.says(),
            rule: claim.rule(),
            certainty: claim.certainty(),
            cells: sets.iter().filter_map(cell).collect(),
            untested: whole,
        }
    };
    Claim::ALL.into_iter().map(row).collect()
}

/// How many sets support, contradict and leave open each claim, a line each: what a terminal should show.
pub fn verdict_lines(page: &ClaimsPage) -> String {
    let mut text = String::new();
    for claim in Claim::ALL {
        for finding in page.findings.iter().filter(|finding| finding.claim == claim) {
            text +=
                &format!("{} {:<12} {:<22} {}\n", claim.name(), finding.verdict.name(), finding.data, finding.numbers);
        }
        for Untested { data, why, .. } in page.untested.iter().filter(|of| of.claim == claim) {
            text += &match data {
                Some(data) => format!("{} {:<12} {data:<22} {why}\n", claim.name(), "-"),
                None => format!("{} {why}\n", claim.name()),
            };
        }
    }
    for sweep in &page.unfinished {
        text += &format!("left out, not finished: {sweep}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        statistics::Verdict,
        suite::{EXPERIMENTS, Found},
        sweep::Identity,
    };
    use std::{collections::BTreeMap, path::PathBuf};

    #[test]
    fn a_claim_without_a_verdict_says_what_it_lacks() {
        assert_eq!(why_untested(Claim::C5, &["separability"], &["dynamics"]), "not tested, correlation was not run");
        assert_eq!(why_untested(Claim::C7, &["dynamics"], &[]), "not tested, correlation was not run");
        assert_eq!(why_untested(Claim::C5, &[], &["correlation"]), "not tested, correlation is not finished");
        assert_eq!(why_untested(Claim::C2, &["correlation"], &[]), "no verdict: too few networks");
        assert!(
            why_untested(Claim::C8, &["dynamics", "correlation"], &[])
                .ends_with("dynamics and correlation are of different runs")
        );
    }

    #[test]
    fn a_claim_has_a_cell_for_every_set() {
        let finding =
            |data: &str, verdict| Finding { claim: Claim::C2, data: data.into(), verdict, numbers: "ρ".into() };
        let findings: Vec<(&'static dyn Experiment, Finding)> =
            vec![(EXPERIMENTS[0], finding("MNIST", Verdict::Supported))];
        let without = |claim: Claim, data: Option<&str>| Untested {
            claim,
            data: data.map(str::to_string),
            why: "not run".to_string(),
        };
        let untested = [without(Claim::C1, None), without(Claim::C2, Some("CIFAR-10"))];
        let rows = claim_rows(&[("mnist", "MNIST"), ("cifar-10", "CIFAR-10")], &findings, &untested);
        assert_eq!(rows.len(), 8);
        let cells: Vec<(Option<&str>, &str)> =
            rows[1].cells.iter().map(|cell| (cell.verdict, cell.numbers.as_str())).collect();
        assert_eq!(cells, [(Some("supported"), "ρ"), (None, "not run")]);
        assert!(rows[0].cells.is_empty());
        assert_eq!([&rows[0], &rows[1]].map(|row| row.untested.as_deref()), [Some("not run"), None]);
        let page = ClaimsPage {
            html: String::new(),
            numbers: BTreeMap::new(),
            figures: Vec::new(),
            findings: findings.into_iter().map(|(_, finding)| finding).collect(),
            untested: untested.into(),
            unfinished: Vec::new(),
        };
        let lines = verdict_lines(&page);
        assert!(lines.contains("C1 not run\n") && lines.contains("CIFAR-10               not run\n"), "{lines}");
    }

    #[test]
    fn a_set_without_a_verdict_says_what_it_lacks_itself() {
        let found = |set: &str, name: &str| Found {
            set: set.to_string(),
            folder: PathBuf::new(),
            identity: Identity::made_up(name),
            mistakes: 0,
        };
        let sweeps = vec![found("mnist", "correlation"), found("mnist", "decoder-bias"), found("svhn", "correlation")];
        let collected = Collected { sweeps, ..Collected::default() };
        let finding =
            Finding { claim: Claim::C4, data: "MNIST".into(), verdict: Verdict::Supported, numbers: "η²".into() };
        let sets = [("mnist", "MNIST"), ("svhn", "SVHN")];
        let of = untested(&collected, &sets, &[(EXPERIMENTS[2], finding)]);
        let c4: Vec<&Untested> = of.iter().filter(|of| of.claim == Claim::C4).collect();
        assert_eq!(c4.len(), 1);
        assert_eq!((c4[0].data.as_deref(), c4[0].why.as_str()), (Some("SVHN"), "not tested, decoder-bias was not run"));
    }
}
