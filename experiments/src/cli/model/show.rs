//! `pitfall config show`.

use super::{ShowArgs, print};
use crate::config::Config;
use anyhow::Result;

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let config = Config::read(&args.config, &args.overrides.all())?;
    print(&config.to_toml())
}
