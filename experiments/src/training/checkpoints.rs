//! When a run is saved, where, and what it goes on from.

use super::{Interrupt, TrainingError};
use crate::files::{Disk, FileSystem, remove_partial_files, write_atomically_to};
use patchgrad::checkpoint::{Checkpoint, CheckpointError};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What makes a run the one that it is: a checkpoint of another one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The effective configuration as text.
    pub config: String,
    /// The seed of all random streams.
    pub seed: u64,
}

/// How often a run is saved, besides at its end and when it is interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// After so many steps.
    pub steps: Option<u64>,
    /// After so much time.
    pub time: Option<Duration>,
}

/// The checkpoint file of a run.
///
/// ```no_run
/// # use pitfall::training::{Cadence, Checkpoints, Interrupt, Run, TrainingError};
/// # use std::{path::Path, time::Duration};
/// let run = Run { config: "epochs = 3".to_string(), seed: 1 };
/// let cadence = Cadence { steps: None, time: Some(Duration::from_secs(60)) };
/// let path = Path::new("runs/first/checkpoints/last.safetensors");
/// let mut checkpoints = Checkpoints::resume(path, run, cadence)?.interrupted_by(Interrupt::on_signals().unwrap());
/// let first_step = match checkpoints.resumed() {
///     Some(checkpoint) => checkpoint.get::<u64>("step").map_err(|error| checkpoints.refuse(error))?,
///     None => 0,
/// };
/// for step in first_step..1000 {
///     // ... one step ...
///     checkpoints.after_step(step + 1, |checkpoint| checkpoint.set("step", step + 1))?;
/// }
/// # Ok::<(), TrainingError>(())
/// ```
#[derive(Debug)]
pub struct Checkpoints {
    file: Option<PathBuf>,
    run: Run,
    cadence: Cadence,
    interrupt: Interrupt,
    disk: Box<dyn FileSystem>,
    resumed: Option<Checkpoint>,
    last_step: Option<u64>,
    last_time: Instant,
    report: Report,
}

/// Whom to tell of every step.
#[derive(Default)]
struct Report(Option<Box<dyn FnMut(u64)>>);

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Report(to someone)" } else { "Report(to nobody)" })
    }
}

impl Checkpoints {
    /// None: nothing is written and nothing resumed.
    pub fn none() -> Self {
        Self::of(None, Run { config: String::new(), seed: 0 }, Cadence::default())
    }

    fn of(file: Option<PathBuf>, run: Run, cadence: Cadence) -> Self {
        let (interrupt, disk) = (Interrupt::new(), Box::new(Disk));
        Self {
            file,
            run,
            cadence,
            interrupt,
            disk,
            resumed: None,
            last_step: None,
            last_time: Instant::now(),
            report: Report::default(),
        }
    }

    /// A run that starts anew and is saved to `file`; its folder is made, and cleaned of what killed processes left there.
    ///
    /// # Errors
    /// If the folder cannot be made or cleaned.
    pub fn start(file: &Path, run: Run, cadence: Cadence) -> Result<Self, TrainingError> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let prepared = std::fs::create_dir_all(folder).and_then(|()| remove_partial_files(folder));
        prepared.map_err(|source| TrainingError::Prepare { path: folder.to_path_buf(), source })?;
        Ok(Self::of(Some(file.to_path_buf()), run, cadence))
    }

    /// A run that goes on from `file`, or starts anew when there is none.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or belongs to a run with another configuration or seed.
    pub fn resume(file: &Path, run: Run, cadence: Cadence) -> Result<Self, TrainingError> {
        let mut new = Self::start(file, run, cadence)?;
        let bytes = match std::fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(new),
            other => other.map_err(|source| TrainingError::Read { path: file.to_path_buf(), source })?,
        };
        let read = || {
            let checkpoint = Checkpoint::from_bytes(&bytes)?;
            checkpoint.check_version()?;
            let run = Run { config: checkpoint.get("config")?, seed: checkpoint.get("seed")? };
            Ok((checkpoint, run))
        };
        let (checkpoint, saved) = read().map_err(|error| new.refuse(error))?;
        if let Some(what) = difference(&saved, &new.run) {
            return Err(TrainingError::OtherRun { path: file.to_path_buf(), what });
        }
        new.resumed = Some(checkpoint);
        Ok(new)
    }

    /// The same with an interrupt that ends the run.
    #[must_use]
    pub fn interrupted_by(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    /// The same on another file system.
    #[must_use]
    pub fn on_disk(self, disk: impl FileSystem + 'static) -> Self {
        Self { disk: Box::new(disk), ..self }
    }

    /// The same with `report` told the number of steps taken, after every step: for progress.
    #[must_use]
    pub fn reporting(self, report: impl FnMut(u64) + 'static) -> Self {
        Self { report: Report(Some(Box::new(report))), ..self }
    }

    /// The checkpoint to go on from, once.
    pub fn resumed(&mut self) -> Option<Checkpoint> {
        self.resumed.take()
    }

    /// The error for a checkpoint that does not fit.
    pub fn refuse(&self, source: CheckpointError) -> TrainingError {
        TrainingError::Checkpoint { path: self.file.clone().unwrap_or_default(), source }
    }

    /// To be called after every step, with the number of steps taken: saves what `put` stores if it is time to, or if the run
    /// is interrupted.
    ///
    /// # Errors
    /// If the run is interrupted, if the file cannot be written, or if a tensor is not finite: such a checkpoint would be of
    /// no use, so the one before it is kept.
    pub fn after_step(&mut self, steps: u64, put: impl FnOnce(&mut Checkpoint)) -> Result<(), TrainingError> {
        if let Report(Some(report)) = &mut self.report {
            report(steps);
        }
        let interrupted = self.interrupt.is_requested();
        let last_step = *self.last_step.get_or_insert(steps.saturating_sub(1));
        let enough_steps = self.cadence.steps.is_some_and(|every| steps.saturating_sub(last_step) >= every);
        // The clock decides when, never what: the bytes of the run's end do not depend on it.
        let enough_time = self.cadence.time.is_some_and(|every| self.last_time.elapsed() >= every);
        if interrupted || enough_steps || enough_time {
            self.save(steps, put)?;
        }
        if interrupted {
            return Err(TrainingError::Interrupted { step: steps, checkpoint: self.file.clone() });
        }
        Ok(())
    }

    /// Saves what `put` stores, now: at the end of a run. Without a file it does nothing.
    ///
    /// # Errors
    /// If the file cannot be written, or a tensor is not finite.
    pub fn save(&mut self, steps: u64, put: impl FnOnce(&mut Checkpoint)) -> Result<(), TrainingError> {
        (self.last_step, self.last_time) = (Some(steps), Instant::now());
        let Some(file) = &self.file else { return Ok(()) };
        let mut checkpoint = Checkpoint::new();
        checkpoint.set("config", &self.run.config);
        checkpoint.set("seed", self.run.seed);
        put(&mut checkpoint);
        if let Err(CheckpointError::Value { name, .. }) = checkpoint.check_finite() {
            return Err(TrainingError::NotFinite { layer: name, step: steps.saturating_sub(1) });
        }
        Ok(write_atomically_to(self.disk.as_ref(), file, &checkpoint.to_bytes())?)
    }
}

/// How two runs differ, if they do: the seed, or the first line of the configuration.
fn difference(saved: &Run, now: &Run) -> Option<String> {
    if saved.seed != now.seed {
        return Some(format!("it was made with seed {}, this run has {}", saved.seed, now.seed));
    }
    if saved.config == now.config {
        return None;
    }
    let (mut a, mut b) = (saved.config.lines(), now.config.lines());
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return Some("its configuration ends differently".to_string()),
            (a, b) => {
                let [a, b] = [a, b].map(|line| line.unwrap_or("(nothing)").trim());
                return Some(format!("it was made with `{a}`, this run has `{b}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(config: &str, seed: u64) -> Run {
        Run { config: config.to_string(), seed }
    }

    #[test]
    fn a_run_is_saved_in_time_and_resumed_by_its_equals_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoints/last.safetensors");
        let cadence = Cadence { steps: Some(3), time: None };
        let mut checkpoints = Checkpoints::resume(&file, run("a = 1\nb = 2", 7), cadence).unwrap();
        assert!(checkpoints.resumed().is_none());
        let mut saved = Vec::new();
        for step in 1..=7 {
            checkpoints
                .after_step(step, |checkpoint| {
                    checkpoint.set("step", step);
                    saved.push(step);
                })
                .unwrap();
        }
        assert_eq!(saved, [3, 6]);
        let mut again = Checkpoints::resume(&file, run("a = 1\nb = 2", 7), cadence).unwrap();
        assert_eq!(again.resumed().unwrap().get::<u64>("step").unwrap(), 6);
        assert!(again.resumed().is_none(), "once");
        let refused = |config, seed| {
            let error = Checkpoints::resume(&file, run(config, seed), cadence).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        assert!(refused("a = 1\nb = 3", 7).contains("it was made with `b = 2`, this run has `b = 3`"));
        assert!(refused("a = 1", 7).contains("`b = 2`, this run has `(nothing)`"));
        assert!(refused("a = 1\nb = 2", 8).contains("seed 7, this run has 8"));
        std::fs::write(&file, b"half").unwrap();
        let error = Checkpoints::resume(&file, run("a = 1\nb = 2", 7), cadence).unwrap_err();
        assert!(error.to_string().contains("last.safetensors: not a whole safetensors file"), "{error}");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn time_and_interrupts_save_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last.safetensors");
        let often = Cadence { steps: None, time: Some(Duration::ZERO) };
        let mut checkpoints = Checkpoints::start(&file, run("", 0), often).unwrap();
        checkpoints.after_step(1, |_| ()).unwrap();
        assert!(file.exists());
        std::fs::remove_file(&file).unwrap();
        let interrupt = Interrupt::new();
        let start = Checkpoints::start(&file, run("", 0), Cadence::default()).unwrap();
        let mut checkpoints = start.interrupted_by(interrupt.clone());
        checkpoints.after_step(1, |_| panic!("nothing asks for it")).unwrap();
        interrupt.request();
        let error = checkpoints.after_step(2, |checkpoint| checkpoint.set("step", 2)).unwrap_err();
        assert_eq!((error.exit_code(), file.exists()), (75, true));
        assert!(error.to_string().contains("interrupted after step 2; saved to "), "{error}");
        let mut none = Checkpoints::none().interrupted_by(interrupt);
        let error = none.after_step(2, |_| panic!("nothing is saved")).unwrap_err();
        assert_eq!(error.to_string(), "interrupted after step 2; nothing was saved");
    }

    #[test]
    fn a_checkpoint_that_is_not_finite_does_not_replace_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last.safetensors");
        let mut checkpoints = Checkpoints::start(&file, run("", 0), Cadence::default()).unwrap();
        let mut params = patchgrad::Params::new();
        let id = params.add("encoder.weight", patchgrad::Tensor::zeros([2, 2]));
        checkpoints.save(1, |checkpoint| checkpoint.put_params("", &params)).unwrap();
        let good = std::fs::read(&file).unwrap();
        params.get_mut(id).as_mut_slice()[3] = f32::INFINITY;
        let error = checkpoints.save(2, |checkpoint| checkpoint.put_params("", &params)).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().starts_with("encoder.weight diverged: the loss of step 1"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), good);
    }
}
