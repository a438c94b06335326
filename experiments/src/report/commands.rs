//! The commands that repeat what a page shows.

use crate::suite::Found;

/// What repeats the sweeps of the experiment `name`, each with the options `more`: one command for all that were run alike.
pub(super) fn commands(name: &str, of_it: &[&Found], more: &str) -> Vec<String> {
    let mut alike: Vec<(String, String, Vec<&str>)> = Vec::new();
    for found in of_it {
        let identity = &found.identity;
        let full = if identity.data[0].ends_with("sample") { "" } else { " --data-dir DATA" };
        let before = format!("PATCHGRAD_ISA={} cargo run --release -- run {name} --data ", identity.instruction_set);
        let after = format!(" --profile {} --seed {}{full}{more}", identity.profile, identity.seed);
        match alike.iter_mut().find(|(b, a, _)| (b, a) == (&before, &after)) {
            Some((.., sets)) => sets.push(&found.set),
            None => alike.push((before, after, vec![&found.set])),
        }
    }
    alike.into_iter().map(|(before, after, sets)| before + &sets.join(",") + &after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Identity;
    use std::path::Path;

    #[test]
    fn sets_that_were_run_alike_share_a_command() {
        let found = |set: &str, instruction_set: &str| Found {
            set: set.to_string(),
            folder: Path::new("nowhere").to_path_buf(),
            identity: Identity { instruction_set: instruction_set.to_string(), ..Identity::made_up("correlation") },
            mistakes: 0,
        };
        let all = [found("a", "avx2"), found("b", "avx512"), found("c", "avx2")];
        let commands = commands("correlation", &all.iter().collect::<Vec<_>>(), " --out OUT");
        assert_eq!(commands.len(), 2, "{commands:?}");
        assert!(
            commands[0].starts_with("PATCHGRAD_ISA=avx2 ")
                && commands[0].contains(" --data a,c --profile quick --seed 1")
        );
        assert!(
            commands[1].starts_with("PATCHGRAD_ISA=avx512 ") && commands[1].ends_with(" --data-dir DATA --out OUT")
        );
    }
}
