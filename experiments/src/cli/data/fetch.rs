//! `pitfall data fetch`: downloads and their progress.

use super::{folder, print, sets};
use crate::cli::{output::tell, progress::on_terminal};
use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use patchgrad_datasets::{
    SetName,
    fetch::{Event, FetchOptions, Proxies, fetch},
    upstream::Upstream,
};
use std::path::PathBuf;

/// Options of `pitfall data fetch`.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct FetchArgs {
    /// The data sets
    #[arg(value_name = "SET", required = true, value_parser = sets::real_set())]
    sets: Vec<SetName>,
    /// Data folder to put them into [default: $PATCHGRAD_DATA, or the user's cache]
    #[arg(long, visible_alias = "data-dir", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Address of a data folder to use instead of the publishers': files are looked for at URL/SET/NAME. Can be repeated
    #[arg(long, value_name = "URL", value_parser = address)]
    mirror: Vec<String>,
    /// Print only the folders of the sets
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &FetchArgs) -> Result<()> {
    let dir = folder::chosen(args.dir.as_ref())?;
    let options =
        FetchOptions { mirrors: args.mirror.clone(), proxies: Proxies::from_env(), ..FetchOptions::default() };
    for set in &args.sets {
        let upstream = Upstream::of(set.folder()).expect("every named set has a publisher");
        let mut progress = Progress::new(args.quiet);
        let outcome = fetch(upstream, &dir, &options, &mut |event| progress.show(event));
        progress.finish();
        let folder = outcome?;
        print(&if args.quiet {
            format!("{}\n", folder.display())
        } else {
            format!("{} is in {}\nterms: {}; cite {}\n", set.title(), folder.display(), set.licence(), set.citation())
        })?;
    }
    Ok(())
}

fn address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(text.to_owned()),
        _ => Err("it must be an address such as https://server/data".to_owned()),
    }
}

/// A bar on a terminal; elsewhere a line for every event and every quarter of a large file; nothing when quiet.
enum Progress {
    Bar(ProgressBar),
    Lines { quarter: u64 },
    Quiet,
}

/// Files below this size are not worth lines in between.
const LARGE: u64 = 5_000_000;

impl Progress {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !on_terminal() {
            return Self::Lines { quarter: 0 };
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left");
        Self::Bar(ProgressBar::new(0).with_style(style.expect("the template is well-formed")))
    }

    fn show(&mut self, event: Event<'_>) {
        if let Event::Received { at, size } = event {
            match self {
                Self::Bar(bar) => bar.set_position(at),
                Self::Lines { quarter } if size > LARGE && 4 * at / size > *quarter => {
                    *quarter = 4 * at / size;
                    tell(&format!("  {} of {} bytes", at, size));
                }
                _ => {}
            }
            return;
        }
        if let (Event::Started { file, at, size, .. }, Self::Bar(bar)) = (&event, &*self) {
            bar.set_length(*size);
            bar.set_position(*at);
            bar.reset_eta();
            bar.set_message((*file).to_owned());
        }
        if let (Event::Started { at, size, .. }, Self::Lines { quarter }) = (&event, &mut *self) {
            *quarter = 4 * at / size;
        }
        let text = match event {
            Event::Kept { file } => format!("{file}: is there already"),
            Event::Started { file, url, at: 0, size } => format!("{file}: {size} bytes from {url}"),
            Event::Started { file, url, at, size } => format!("{file}: continued at {at} of {size} bytes from {url}"),
            Event::Failed { url, reason } => format!("{url}: {reason}"),
            Event::Waiting { pause } => format!("trying again in {:.0} s", pause.as_secs_f64()),
            Event::Placed { path } => format!("{}: complete, checksum right", path.display()),
            Event::Unpacking { file } => format!("{file}: unpacking"),
            Event::Received { .. } => return,
        };
        match self {
            Self::Bar(bar) => bar.println(text),
            Self::Lines { .. } => tell(&text),
            Self::Quiet => {}
        }
    }

    fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
