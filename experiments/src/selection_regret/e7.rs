//! Experiment E7 as the suite sees it.

use super::{
    CRITERIA,
    choice::{ChoiceRow, choices},
    page,
    regret::{POOLS, RegretRow, Scope, regret_of_claim, regrets},
};
use crate::{
    correlation::{E1, network::NetworkRow, subset::Subset},
    report::format::{number, optional},
    run_folder::RunFolder,
    suite::{Experiment, Results, Section, Setup},
    sweep::{Settings, SweepError},
};
use patchgrad::random::stream;
use std::path::{Path, PathBuf};

/// Experiment E7.
pub struct E7;

impl Experiment for E7 {
    fn id(&self) -> &'static str {
        "E7"
    }

    fn name(&self) -> &'static str {
        "selection"
    }

    fn question(&self) -> &'static str {
        "How much accuracy is lost by choosing the network that reconstructs best?"
    }

    fn protocol(&self) -> &'static str {
        "The candidates are the networks of P1 of E1 that did not fail. In every pool of 5, 10, 20 or 50 of them one network is \
         chosen by a criterion without labels (validation error of its own decoder, of the best linear decoder, effective rank, \
         participation ratio, training error of the lowest layer, blindly), another by the validation accuracy of its logistic \
         probe; the regret is the difference of their test accuracies. Its mean is that over all pools, its interval that of \
         a bootstrap over networks. The same is done among networks of one code size."
    }

    fn rows_of(&self) -> &'static str {
        E1.name()
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        E1.run(setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        E1.merge(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<NetworkRow> = results.rows()?;
        let (regrets, choices) = (regrets(&rows, results.identity.seed), choices(&rows, results.identity.seed));
        let folder = RunFolder { path: results.folder.to_path_buf() };
        folder.write_csv("selection.csv", &regrets)?;
        folder.write_csv("selection-criteria.csv", &choices)?;
        Ok(table(&regrets, &choices))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let mut section = Section::default();
        for result in results {
            let rows: Vec<NetworkRow> = result.rows()?;
            let seed = result.identity.seed;
            page::add(&mut section, result.set, &regrets(&rows, seed), &choices(&rows, seed));
            let of_claim = Subset::FEWER.map(|subset| {
                let (networks, regret) =
                    regret_of_claim(&subset.of(&rows), &mut stream(seed, "selection-fewer", subset as u64));
                (subset, networks, regret)
            });
            page::add_fewer(&mut section, result.set, &result.identity.data[0], &of_claim);
        }
        section.deviations = page::deviations();
        Ok(section)
    }
}

/// The regret of each criterion by size of pools, and how well it orders all networks.
fn table(regrets: &[RegretRow], choices: &[ChoiceRow]) -> String {
    let mut text = format!(
        "{}: points of accuracy lost by choosing a network of P1 without labels, mean over all pools (95 % interval)\n",
        regrets.first().map_or("no data", |row| &row.data)
    );
    text += &format!("  {:<14} {:<20}", "among", "chosen by");
    for pool in POOLS {
        text += &format!(" {:>20}", format!("pools of {pool}"));
    }
    text += &format!(" {:>12} {:>9}\n", "concordance", "top tenth");
    for scope in Scope::ALL {
        for criterion in CRITERIA {
            let of_criterion = |row: &&RegretRow| row.scope == scope && row.criterion == criterion.name;
            let own: Vec<&RegretRow> = regrets.iter().filter(of_criterion).collect();
            if own.is_empty() {
                continue;
            }
            text += &format!("  {:<14} {:<20}", scope.name(), criterion.name);
            for pool in POOLS {
                let cell = own.iter().find(|row| row.pool == pool).map(|row| page::points_with_interval(row));
                text += &format!(" {:>20}", cell.unwrap_or_default());
            }
            let choice = choices.iter().find(|row| row.criterion == criterion.name);
            let (concordance, top) = match scope {
                Scope::All => (choice.and_then(|row| row.concordance), choice.and_then(|row| row.top_overlap)),
                Scope::OneCodeSize => (choice.and_then(|row| row.concordance_one_code_size), None),
            };
            text += &format!(" {:>12} {:>9}\n", optional(concordance, 2), optional(top, 2));
        }
    }
    if let Some((verdict, numbers)) = page::verdict(regrets) {
        text += &format!("  C5 {}: {numbers}\n", verdict.name());
    }
    if let Some(best) = choices.first() {
        text += &format!(
            "  best of all {} by their own decoder: {} points lost, rank {}\n",
            best.networks,
            number(100.0 * best.regret, 2),
            number(best.rank, 2)
        );
    }
    text
}
