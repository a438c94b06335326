//! What commands say: requests that cannot be met, errors, results, and that they stop when asked to.

use crate::training::Interrupt;
use anyhow::{Context, Result};
use std::{io::Write, time::Duration};

/// A request that cannot be met as it stands: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadRequest(pub String);

/// Prints a line to standard error, for a human who may be there. One who is gone is no reason to lose a run: what cannot be printed is
/// not.
pub(super) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// An interrupt that Ctrl-C, SIGTERM and SIGUSR1 set; the first of them is answered at once, since what is under way may last minutes.
///
/// # Errors
/// If the operating system refuses.
pub(super) fn interrupt_on_signals() -> Result<Interrupt> {
    let interrupt = Interrupt::on_signals().context("cannot listen to signals")?;
    let asked = interrupt.clone();
    // Ends with the process, or with its word.
    std::thread::spawn(move || {
        while !asked.is_requested() {
            std::thread::sleep(Duration::from_millis(100));
        }
        tell("\nstopping after what is under way; once more stops at once and loses that");
    });
    Ok(interrupt)
}

/// An error with its causes. Those that the text before names already are left out.
pub(super) fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
    }
    text
}

/// Prints to standard output at once; a reader who closed the pipe has seen enough, and that is no error.
///
/// # Errors
/// If it cannot be written.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot print the result"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let named = anyhow::Error::from(full()).context(format!("cannot write a: {}; free some space", full()));
        assert_eq!(with_causes(&named), format!("cannot write a: {}; free some space", full()));
        let unnamed = anyhow::Error::from(full()).context("inner").context("outer");
        assert_eq!(with_causes(&unnamed), format!("outer: inner: {}", full()));
    }
}
