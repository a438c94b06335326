//! `pitfall data show`: a contact sheet.

use super::{
    BadRequest, ShowArgs, folder, print,
    sets::{self, AnySet},
};
use crate::{
    figures::{Colour, Sheet, SheetLayout},
    files::write_atomically,
    report::format::count as grouped,
};
use anyhow::{Context, Result, bail};
use patchgrad_datasets::{
    DataSet, SetName, bundled, open,
    synthetic::pages,
    upstream::{Presence, Upstream},
};
use std::path::{Path, PathBuf};

/// A sheet should fill a screen, not more: pictures are enlarged up to this many pixels a side.
const PICTURE_SIDE: usize = 64;

/// Book pages are large and slow to compute; this many are a sheet.
const MOST_PAGES: usize = 24;

/// Colours of the classes of pixels: paper, ink, vermilion, slate.
const PAGE_COLOURS: [[u8; 3]; 4] = [[245, 238, 220], [30, 26, 24], [213, 94, 0], [96, 110, 140]];

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.png", args.set.name())));
    if out.exists() && !args.force {
        let text = format!("{} exists; nothing was written. Give another --out, or --force", out.display());
        return Err(BadRequest(text).into());
    }
    let count = usize::from(args.count);
    let (sheet, caption) = match args.set {
        AnySet::Pages => page_sheet(args.seed, count.min(MOST_PAGES))?,
        AnySet::Controlled => {
            let population = sets::controlled(args.seed);
            let data = population.data_set(population.spec().classes * count, 1);
            let (sheet, caption) = class_sheet(&data, count);
            (sheet, format!("{caption}\n{:?}, seed {}", population.spec(), args.seed))
        }
        AnySet::Real(set) => class_sheet(&read(set, args)?, count),
    };
    write(&out, &sheet.to_png(), args.force)?;
    print(&format!("{caption}\n{}\n", out.display()))
}

/// From the folder that was named, or else from the usual one if the set is there, or else the bundled sample.
fn read(set: SetName, args: &ShowArgs) -> Result<DataSet> {
    if let Some(dir) = &args.dir {
        return open(set, dir).with_context(|| format!("cannot read {}", set.title()));
    }
    match folder::chosen(None) {
        Ok(dir) if presence(set, &dir) == Presence::Complete => Ok(open(set, dir)?),
        _ if SetName::BUNDLED.contains(&set) => Ok(bundled(set)?),
        folder => {
            let folder = folder.map(|dir| format!(" (not in {})", dir.display())).unwrap_or_default();
            let text = format!("{} is not here{folder}: pitfall data fetch {set}, or give --dir", set.title());
            Err(BadRequest(text).into())
        }
    }
}

fn presence(set: SetName, dir: &Path) -> Presence {
    Upstream::of(set.folder()).map_or(Presence::Nothing, |upstream| upstream.presence(dir))
}

/// The first `count` training pictures of each class, a row for each class.
fn class_sheet(data: &DataSet, count: usize) -> (Sheet, String) {
    let images = data.train.images();
    let shape = images.shape();
    let rows = data.train.classes();
    let mut members = vec![Vec::new(); rows];
    for (index, &label) in data.train.labels().iter().enumerate() {
        let row = &mut members[usize::from(label)];
        if row.len() < count {
            row.push(index);
        }
    }
    let columns = members.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let scale = (PICTURE_SIDE / shape.height.max(shape.width)).max(1);
    let colour = if shape.channels == 1 { Colour::Grey } else { Colour::Rgb };
    let picture_size = [shape.height, shape.width];
    let layout = SheetLayout { picture_size, colour, rows, column_groups: vec![columns], scale, gap: 3, group_gap: 3 };
    let mut sheet = Sheet::new(layout);
    for (row, indices) in members.iter().enumerate() {
        for (column, &index) in indices.iter().enumerate() {
            sheet.place(row, column, &scaled(images.image(index)));
        }
    }
    let caption = format!(
        "{}: {} training pictures of {shape}; rows from the top: {}",
        data.name,
        grouped(data.train.count()),
        data.class_names.join(", ")
    );
    (sheet, caption)
}

/// Pages above their labels.
fn page_sheet(seed: u64, count: usize) -> Result<(Sheet, String)> {
    let spec = pages::PageSpec::default();
    let columns = count.min(6);
    let layout = SheetLayout {
        picture_size: [spec.height, spec.width],
        colour: Colour::Rgb,
        rows: 2 * count.div_ceil(columns),
        column_groups: vec![columns],
        scale: 1,
        gap: 8,
        group_gap: 8,
    };
    let mut sheet = Sheet::new(layout);
    for index in 0..count {
        let page = pages::page(spec, seed, index as u64)?;
        let (row, column) = (2 * (index / columns), index % columns);
        sheet.place(row, column, &scaled(&page.pixels));
        let labels: Vec<u8> = page.labels.iter().flat_map(|&label| PAGE_COLOURS[usize::from(label)]).collect();
        sheet.place(row + 1, column, &scaled(&labels));
    }
    let caption = format!(
        "Synthetic pages 0 to {} of seed {seed}, {}x{}x3, each above its labels: {} (light), {} (black), {} (orange), {} (grey)",
        count - 1,
        spec.height,
        spec.width,
        pages::CLASS_NAMES[0],
        pages::CLASS_NAMES[1],
        pages::CLASS_NAMES[2],
        pages::CLASS_NAMES[3]
    );
    Ok((sheet, caption))
}

/// To the sheet's -1..1.
fn scaled(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte) / 127.5 - 1.0).collect()
}

fn write(out: &Path, bytes: &[u8], force: bool) -> Result<()> {
    if out.exists() && !force {
        bail!("cannot write {}: it exists; give another --out, or --force", out.display());
    }
    Ok(write_atomically(out, bytes)?)
}
