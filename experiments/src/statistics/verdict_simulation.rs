//! How often the rule of `verdict.rs` gives each verdict, by the true rho of the population (1,000 trials), as
//! `cargo test --package pitfall --lib statistics::verdict_simulation -- --ignored --nocapture` prints it:
//!
//! | networks | rho | supported | contradicted | inconclusive |
//! |---|---|---|---|---|
//! | 60 | 0.0 | 0.48 | 0.03 | 0.50 |
//! | 60 | 0.1 | 0.39 | 0.05 | 0.56 |
//! | 60 | 0.2 | 0.15 | 0.22 | 0.64 |
//! | 60 | 0.3 | 0.05 | 0.51 | 0.44 |
//! | 60 | 0.4 | 0.01 | 0.79 | 0.20 |
//! | 60 | 0.5 | 0.00 | 0.97 | 0.03 |
//! | 60 | 0.6 | 0.00 | 1.00 | 0.00 |
//! | 200 | 0.0 | 0.99 | 0.00 | 0.01 |
//! | 200 | 0.1 | 0.91 | 0.00 | 0.09 |
//! | 200 | 0.2 | 0.45 | 0.07 | 0.48 |
//! | 200 | 0.3 | 0.04 | 0.49 | 0.48 |
//! | 200 | 0.4 | 0.00 | 0.95 | 0.05 |
//! | 200 | 0.5 | 0.00 | 1.00 | 0.00 |
//! | 200 | 0.6 | 0.00 | 1.00 | 0.00 |
//!
//! So 60 networks can contradict, but hardly support; 200 tell rho = 0 from rho = 0.4, and what lies near the margin stays
//! a matter of luck. *Contradicted* speaks of the estimate, not of the margin as a bound: a true rho of 0.2 is enough for it
//! in one sample of 60 out of five.

use super::{simulation::related, *};
use patchgrad::random::stream;

/// How often the rule gives each verdict: supported, contradicted, inconclusive.
fn verdicts(rho: f64, rows: usize, trials: usize) -> [f64; 3] {
    let mut counts = [0.0; 3];
    for trial in 0..trials {
        let rng = &mut stream(2, &format!("verdict at {rho}, {rows} rows"), trial as u64);
        let (x, y) = related(rho, rows, rng);
        let settings = Settings { permutations: 1, resamples: 400, ..Settings::default() };
        let verdict = rank_relation(&x, &y, &settings, rng).unwrap().verdict;
        counts[verdict as usize] += 1.0 / trials as f64;
    }
    counts
}

#[test]
fn the_rule_rarely_errs() {
    // Nothing there, 200 networks: it is seen. The critical value is about 0.18, 2.5 standard errors.
    let [supported, contradicted, _] = verdicts(0.0, 200, 200);
    assert!(supported > 0.93 && contradicted == 0.0, "{supported} supported, {contradicted} contradicted");
    // A strong relation, 60 networks: seen as well, and never called none.
    let [supported, contradicted, _] = verdicts(0.6, 60, 300);
    assert!(contradicted > 0.95 && supported == 0.0, "{supported} supported, {contradicted} contradicted");
    // 60 networks are too few to support "none" more than about every other time.
    let [supported, contradicted, inconclusive] = verdicts(0.0, 60, 300);
    assert!((0.3..0.6).contains(&supported) && contradicted < 0.04, "{supported}, {contradicted}, {inconclusive}");
}

#[test]
#[ignore = "minutes; prints how often the rule gives each verdict"]
fn the_operating_characteristics_of_the_rule() {
    println!("{:>6} {:>6} {:>10} {:>13} {:>13}", "rows", "rho", "supported", "contradicted", "inconclusive");
    for rows in [40, 60, 100, 200] {
        for rho in [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6] {
            let [supported, contradicted, inconclusive] = verdicts(rho, rows, 1_000);
            println!("{rows:6} {rho:6.1} {supported:10.3} {contradicted:13.3} {inconclusive:13.3}");
            if rho >= 0.3 {
                // 0.05, and four standard errors of 1,000 trials.
                assert!(supported <= 0.08, "a relation at the margin or beyond is called none {supported}");
            }
        }
    }
}
