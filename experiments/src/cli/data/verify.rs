//! `pitfall data verify`: a line for each set.

use super::{BadRequest, VerifyArgs, folder, print};
use crate::report::format::count;
use anyhow::bail;
use patchgrad_datasets::{
    SetName,
    verify::{self, Known, SetReport, Verdict},
};

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let dir = folder::chosen(args.dir.as_ref())?;
    if !dir.is_dir() {
        return Err(BadRequest(format!("there is no data folder {}; {}", dir.display(), layout())).into());
    }
    let (mut damaged, mut sound) = (Vec::new(), 0);
    for set in SetName::ALL {
        // Each line as soon as it is known: large sets take a moment.
        let report = verify::verify_set(set, &dir);
        print(&line(&report))?;
        match report.verdict {
            Verdict::Damaged(_) => damaged.push(set.folder()),
            Verdict::Sound { .. } => sound += 1,
            Verdict::NotThere => {}
        }
    }
    if !damaged.is_empty() {
        bail!("damaged or incomplete in {}: {}", dir.display(), damaged.join(", "));
    }
    if sound == 0 {
        bail!("{} holds no data set; {}", dir.display(), layout());
    }
    Ok(())
}

fn layout() -> String {
    let folders: Vec<String> = SetName::ALL.iter().map(|set| format!("{set}/")).collect();
    format!("a data folder holds {}", folders.join(", "))
}

fn line(report: &SetReport) -> String {
    let text = match &report.verdict {
        Verdict::NotThere => "not there".to_owned(),
        Verdict::Damaged(damage) => format!("DAMAGED: {damage}"),
        Verdict::Sound { counts: [train, test], shape, classes, checksum } => {
            let checksum = match checksum {
                Known::Published => "checksums known: the published files",
                Known::Repacked => "checksums known: the published content, packed in another way",
                Known::Unknown => "checksums not known: not the published set, but readable",
            };
            let (train, test) = (count(*train), count(*test));
            format!("ok: {train} training and {test} test pictures of {shape}, {classes} classes; {checksum}")
        }
    };
    format!("{:<14} {text}\n", report.set.folder())
}
