//! `pitfall data list`: a block of lines for each set.

use super::{ListArgs, folder, print, sets::AnySet};
use crate::report::format::count;
use patchgrad_datasets::{
    SetName,
    upstream::{Presence, Upstream},
};
use std::{fmt::Write, path::Path};

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let dir = folder::chosen(args.dir.as_ref())?;
    let named = args.dir.is_some();
    let mut text = format!("data folder: {}\n", dir.display());
    for set in AnySet::all() {
        let lines = match set {
            AnySet::Real(set) => real(set, &dir, named),
            AnySet::Controlled => [
                "Synthetic S1: any number of pictures of 16x16x1, 2 to 48 classes".to_owned(),
                "terms: none, it is computed".to_owned(),
                "where: here, no files needed".to_owned(),
            ],
            AnySet::Pages => [
                "Synthetic pages: any number of book pages in colour, 4 classes of pixels".to_owned(),
                "terms: none, they are computed".to_owned(),
                "where: here, no files needed".to_owned(),
            ],
        };
        let _ = write!(text, "\n{}\n", set.name());
        lines.iter().for_each(|line| {
            let _ = writeln!(text, "  {line}");
        });
    }
    print(&text)
}

fn real(set: SetName, dir: &Path, named: bool) -> [String; 3] {
    let counts = Upstream::of(set.folder()).map(|upstream| upstream.counts.map(count));
    let shape = match set {
        SetName::Mnist | SetName::FashionMnist => "28x28x1",
        SetName::Cifar10 | SetName::Cifar100 | SetName::Svhn => "32x32x3",
    };
    let counts = counts.map(|[train, test]| format!("{train} training and {test} test ")).unwrap_or_default();
    let title = format!("{}: {counts}pictures of {shape}, {} classes", set.title(), set.class_names().len());
    [title, format!("terms: {}", set.licence()), format!("where: {}", place(set, dir, named))]
}

fn place(set: SetName, dir: &Path, named: bool) -> String {
    let folder = dir.join(set.folder());
    let size = Upstream::of(set.folder()).map_or(0, Upstream::size);
    let option = if named { format!(" --dir {}", dir.display()) } else { String::new() };
    let fetch = format!("pitfall data fetch {set}{option} ({} MB)", size.div_ceil(1_000_000));
    let bundled = SetName::BUNDLED.contains(&set);
    match Upstream::of(set.folder()).map_or(Presence::Nothing, |upstream| upstream.presence(dir)) {
        Presence::Complete => folder.display().to_string(),
        Presence::Incomplete => format!("incomplete in {} (pitfall data verify tells more): {fetch}", folder.display()),
        Presence::Nothing if bundled => format!("bundled sample of 10,000 and 2,000; the full set: {fetch}"),
        Presence::Nothing => format!("not here: {fetch}"),
    }
}
