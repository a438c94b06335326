//! Killed at any moment, a run leaves its last good checkpoint and goes on from it to the bytes of a run that was never
//! stopped.
//!
//! The runs are child processes: this test binary again, with its one ignored test, told what to do by the environment.
#![forbid(unsafe_code)]

use patchgrad::{Tensor, Workspace, ops::Activation, optim::Schedule, parallel::with_threads, random::stream};
use pitfall::{
    cae::{CaeSpec, Code, ConvAutoencoder, Examples},
    data::Labelled,
    files::{Fault, FaultyDisk},
    finetune::{CentralClassifier, Classifier, ClassifierSpec, Hidden, Loss, Sharing},
    scae::{
        Descent, Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, TrainConfig, train_decoders_resumable,
        train_resumable,
    },
    training::{Cadence, Checkpoints, Clip, FitSpec, Interrupt, Run, TrainingError},
    units::{HebbianRule, Noise, UnitSpec, VisibleRange},
};
use rand::RngExt;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// What a child trains.
const KINDS: [&str; 10] =
    ["scae", "decoders", "cae", "fine-tune", "noise and draws", "closed forms", "labels", "vae", "central", "unshared"];

fn data() -> Labelled {
    let pictures = Tensor::from_fn([24, 8, 8, 1], |i| {
        let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
        0.6 * (y as f32 * 0.5 + n as f32).sin() + 0.3 * (x as f32 * 0.7 + n as f32 * 0.3).cos()
    });
    Labelled { pictures: pictures.into(), labels: (0..24).map(|n| n % 3).collect() }
}

fn scae() -> Scae {
    let standard = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    stack([standard, standard])
}

/// A stack of two units.
fn stack(units: [UnitSpec; 2]) -> Scae {
    let geometries = [(4, 2, 6), (3, 3, 8)];
    let layer =
        |((kernel, offset, features), unit)| LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit };
    let layers = geometries.into_iter().zip(units).map(layer).collect();
    Scae::new(ScaeSpec { picture: [8, 8, 1], layers }, &mut stream(1, "init", 0))
}

/// Trains a tiny network to the end, saving it every step.
fn train(kind: &str, checkpoints: &mut Checkpoints) -> Result<(), TrainingError> {
    let (data, mut workspace) = (data(), Workspace::new());
    // Batches of 5 from 24 pictures: epochs end within a batch of patches, and with a short batch of pictures.
    let greedy = TrainConfig {
        samples_per_layer: 40,
        batch_size: 5,
        descent: Descent::Adam,
        lr: 0.01,
        weight_decay: 1e-4,
        seed: 5,
    };
    let fit = FitSpec {
        schedule: Schedule::Cosine { t_max: 15, eta_min: 1e-4 }.after_warm_up(3, 0.1),
        clip: Some(Clip::Norm(1.0)),
        patience: Some(10),
        ..FitSpec::new(3, 5, 0.02, 6)
    };
    let mut greedily = |mut scae: Scae, labels: Labels| {
        train_resumable(&mut scae, &data.pictures, labels, &greedy, checkpoints, &mut Workspace::new()).map(drop)
    };
    match kind {
        "scae" => greedily(scae(), Labels::None)?,
        "noise and draws" => {
            let [encoder, decoder] = [Activation::Softsign, Activation::Linear];
            let denoising = UnitSpec::Denoising { encoder, decoder, noise: Noise::Gaussian { sd: 0.2 } };
            let rbm = UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric };
            greedily(stack([denoising, rbm]), Labels::None)?;
        }
        "closed forms" => {
            let [encoder, decoder] = [Activation::Linear; 2];
            let oja = UnitSpec::Oja { rule: HebbianRule::Oja, encoder, decoder };
            greedily(stack([UnitSpec::Pca { encoder, decoder }, oja]), Labels::None)?;
        }
        "labels" => {
            let units = [
                UnitSpec::standard(Activation::Tanh, Activation::Linear),
                UnitSpec::Lda { encoder: Activation::Linear },
            ];
            greedily(stack(units), Labels::Pictures(&data.labels))?;
        }
        "decoders" => {
            drop(train_decoders_resumable(&mut scae(), &data.pictures, &greedy, checkpoints, &mut workspace)?)
        }
        "cae" => {
            let mut cae = ConvAutoencoder::new(CaeSpec::new([8, 8, 1], &[3, 4], 5), 1);
            let mut adam = patchgrad::optim::Adam::new(patchgrad::optim::AdamConfig::adamw(0.02));
            cae.fit(
                Examples::of(&data.pictures),
                Some(Examples::of(&data.pictures)),
                &fit,
                &mut adam,
                checkpoints,
                &mut workspace,
            )?;
        }
        "fine-tune" => {
            let momentum = patchgrad::optim::SgdConfig { momentum: 0.9, ..patchgrad::optim::SgdConfig::new(0.02) };
            let mut classifier = Classifier::new(scae(), 3, 1);
            let mut sgd = patchgrad::optim::Sgd::new(momentum);
            classifier.fit(&data, Some(&data), &fit, &mut sgd, checkpoints, &mut workspace)?;
        }
        "vae" => {
            let spec = CaeSpec { code: Code::Variational { beta: 0.1 }, ..CaeSpec::new([8, 8, 1], &[3, 4], 5) };
            let mut adam = patchgrad::optim::Adam::new(patchgrad::optim::AdamConfig::new(0.02));
            let mut vae = ConvAutoencoder::new(spec, 1);
            vae.fit(Examples::of(&data.pictures), None, &fit, &mut adam, checkpoints, &mut workspace)?;
        }
        "central" => {
            let hidden = [Hidden { features: 5, activation: Activation::Tanh }];
            let mut central = CentralClassifier::new(scae(), &hidden, 3, Loss::CrossEntropy, 1);
            let mut sgd = patchgrad::optim::Sgd::new(patchgrad::optim::SgdConfig::new(0.02));
            central.fit(&data, Some(&data), &fit, &mut sgd, checkpoints, &mut workspace)?;
        }
        "unshared" => {
            let spec = ClassifierSpec { sharing: Sharing::Unshared, ..ClassifierSpec::new(3) };
            let mut classifier = Classifier::with_spec(scae(), spec, 1).unwrap();
            let mut sgd = patchgrad::optim::Sgd::new(patchgrad::optim::SgdConfig::new(0.02));
            classifier.fit(&data, None, &fit, &mut sgd, checkpoints, &mut workspace)?;
        }
        other => panic!("no kind {other}"),
    }
    Ok(())
}

fn checkpoints(file: &Path) -> Result<Checkpoints, TrainingError> {
    let run = Run { config: "tiny = true\n".to_string(), seed: 5 };
    Checkpoints::resume(file, run, Cadence { steps: Some(1), time: None })
}

/// The child: trains `RESUME_KIND` into `RESUME_FILE`.
#[test]
#[ignore = "the other tests start it as a process of its own"]
fn child() {
    let variable = |name: &str| std::env::var(name).ok();
    let (kind, file) = (variable("RESUME_KIND").unwrap(), PathBuf::from(variable("RESUME_FILE").unwrap()));
    if variable("RESUME_HANG").is_some() {
        let _interrupt = Interrupt::on_signals().unwrap();
        fs::write(&file, "ready").unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }
    let run = || -> Result<(), TrainingError> {
        let mut checkpoints = checkpoints(&file)?;
        if let Some(at) = variable("RESUME_ABORT_AT") {
            checkpoints = checkpoints.on_disk(FaultyDisk::new(at.parse().unwrap(), Fault::Abort));
        }
        if variable("RESUME_SIGNALS").is_some() {
            checkpoints = checkpoints.interrupted_by(Interrupt::on_signals().unwrap());
            // A run that is long enough to be interrupted.
            loop {
                train(&kind, &mut checkpoints)?;
            }
        }
        train(&kind, &mut checkpoints)
    };
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(error.exit_code().into());
    }
}

struct Runner<'a> {
    kind: &'a str,
    file: PathBuf,
}

impl Runner<'_> {
    fn start(&self, more: &[(&str, String)]) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("RESUME_KIND", self.kind).env("RESUME_FILE", &self.file).envs(more.iter().cloned());
        command.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn run(&self, more: &[(&str, String)]) -> ExitStatus {
        self.start(more).wait().unwrap()
    }

    /// Runs to the end and gives the bytes of the last checkpoint; nothing else may be in the folder.
    fn finish(&self) -> Vec<u8> {
        assert!(self.run(&[]).success(), "{}: the run does not end", self.kind);
        let files: Vec<_> =
            fs::read_dir(self.file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, std::slice::from_ref(&self.file));
        fs::read(&self.file).unwrap()
    }

    fn forget(&self) {
        fs::remove_dir_all(self.file.parent().unwrap()).unwrap();
    }
}

/// The bytes of an uninterrupted run in this process.
fn uninterrupted(kind: &str, folder: &Path, threads: usize) -> Vec<u8> {
    let file = folder.join(format!("{kind}-{threads}")).join("last.safetensors");
    with_threads(threads, || train(kind, &mut checkpoints(&file).unwrap()).unwrap());
    fs::read(&file).unwrap()
}

#[test]
fn any_number_of_threads_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let one = uninterrupted(kind, folder.path(), 1);
        for threads in [2, 8] {
            assert!(uninterrupted(kind, folder.path(), threads) == one, "{kind} with {threads} threads");
        }
    }
}

#[test]
fn killed_at_random_moments_a_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = stream(11, "kill", 0);
    let (mut kills, mut left_overs, mut runs) = (0, 0, 0);
    for kind in KINDS.iter().cycle() {
        let expected = uninterrupted(kind, folder.path(), 1);
        let runner = Runner { kind, file: folder.path().join("killed").join("last.safetensors") };
        let start = Instant::now();
        assert!(runner.finish() == expected, "{kind}: a child process ends in other bytes");
        let whole = start.elapsed();
        runner.forget();
        // Each start of the run gets a random part of the time that the whole takes, until one reaches the end.
        loop {
            let mut child = runner.start(&[]);
            std::thread::sleep(whole.mul_f64(0.2 + 0.7 * random.random::<f64>()));
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                break;
            }
            kills += 1;
            let names = fs::read_dir(runner.file.parent().unwrap()).into_iter().flatten();
            left_overs += names.filter(|name| name.as_ref().unwrap().path().extension().unwrap() == "partial").count();
        }
        assert!(runner.finish() == expected, "{kind}: other bytes after {kills} kills");
        runner.forget();
        runs += 1;
        if kills >= 50 && runs >= KINDS.len() {
            break;
        }
    }
    println!("{kills} kills in {runs} runs, {left_overs} of them within a write; all ended in the same bytes");
}

#[test]
fn killed_at_any_step_of_a_write_a_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let kind = "scae";
    let expected = uninterrupted(kind, folder.path(), 1);
    let runner = Runner { kind, file: folder.path().join("aborted").join("last.safetensors") };
    // Create, write, fsync, rename, fsync of the folder: the first, an early and the last checkpoint of 17.
    let steps = (0..5).chain(20..25).chain(80..85);
    let mut aborted = 0;
    for at in steps {
        let status = runner.run(&[("RESUME_ABORT_AT", at.to_string())]);
        assert!(!status.success(), "step {at} of writing was not reached");
        aborted += 1;
        assert!(runner.finish() == expected, "other bytes after an abort at step {at}");
        runner.forget();
    }
    let status = runner.run(&[("RESUME_ABORT_AT", "85".to_string())]);
    assert!(status.success(), "there are more steps than are tried");
    println!("{aborted} aborts within a write; all ended in the same bytes");
}

#[cfg(unix)]
#[test]
fn signals_end_a_run_after_its_step_with_exit_code_75() {
    use std::os::unix::process::ExitStatusExt;

    let folder = tempfile::tempdir().unwrap();
    for signal in ["INT", "TERM", "USR1"] {
        let runner = Runner { kind: "scae", file: folder.path().join(signal).join("last.safetensors") };
        let mut child = runner.start(&[("RESUME_SIGNALS", "yes".to_string())]);
        wait_for(&runner.file);
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(75), "SIG{signal}");
        // What it saved is whole, and of the run.
        assert!(checkpoints(&runner.file).unwrap().resumed().is_some());
    }
    // The second signal does not wait for a step: here none ever comes.
    let runner = Runner { kind: "scae", file: folder.path().join("ready") };
    let mut child = runner.start(&[("RESUME_HANG", "yes".to_string())]);
    wait_for(&runner.file);
    // As `timeout` sends it: to the process, and to the group that it is in.
    let both = format!("kill -INT {0}; kill -TERM {0}", child.id());
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the first signal waits for the step, whoever repeats it at once");
    let deadline = Instant::now() + Duration::from_secs(30);
    let ended = loop {
        send("TERM", &child);
        std::thread::sleep(Duration::from_millis(100));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        assert!(Instant::now() < deadline, "a later one ends the process");
    };
    assert_eq!(ended.signal(), Some(15));
}

#[cfg(unix)]
fn send(signal: &str, to: &Child) {
    assert!(Command::new("kill").args([format!("-{signal}"), to.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
fn wait_for(file: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !file.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", file.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}
