//! Where data sets are kept when nobody says where.

use std::env;
use std::path::PathBuf;

/// The environment variable that names the data folder.
pub const DATA_VARIABLE: &str = "PATCHGRAD_DATA";

/// The data folder: `$PATCHGRAD_DATA`, or else `patchgrad/data` in the user's folder for caches.
///
/// That is `$XDG_CACHE_HOME` or `~/.cache` on Linux and other Unix systems, `~/Library/Caches` on macOS,
/// `%LOCALAPPDATA%` on Windows. `None` if the environment has none of them, not even a home folder.
pub fn default_data_dir() -> Option<PathBuf> {
    choose(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from), env::home_dir())
}

fn choose(variable: impl Fn(&str) -> Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if let Some(folder) = variable(DATA_VARIABLE) {
        return Some(folder);
    }
    let caches = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches"))
    } else {
        // The specification wants relative paths to be ignored.
        let xdg = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| home.map(|home| home.join(".cache")))
    };
    Some(caches?.join("patchgrad").join("data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_first_and_home_last() {
        let home = || Some(PathBuf::from("/home/me"));
        let all = |name: &str| Some(PathBuf::from(if name == DATA_VARIABLE { "here" } else { "/caches" }));
        assert_eq!(choose(all, home()), Some("here".into()));
        assert_eq!(choose(|_| None, None), None);
        if cfg!(all(unix, not(target_os = "macos"))) {
            let xdg = |value: &'static str| move |name: &str| (name == "XDG_CACHE_HOME").then(|| value.into());
            assert_eq!(choose(xdg("/caches"), home()), Some("/caches/patchgrad/data".into()));
            assert_eq!(choose(xdg("relative"), home()), Some("/home/me/.cache/patchgrad/data".into()));
        }
    }
}
