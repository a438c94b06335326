//! The demonstration: from real pictures to the paper's question, in two minutes.
//!
//! For each data set a population of differing SCAEs is trained greedily, and for each network two things are measured on
//! test pictures: how well it reconstructs and how well a linear probe on its code tells the classes apart. Then the two are
//! compared over the networks. A fixed reference network is fine-tuned and decoded in several ways.

pub mod baselines;
pub mod config;
pub mod network;
pub mod output;
pub mod population;
pub mod record;
pub mod reference;
pub mod relations;

use crate::data::{Task, load};
use anyhow::{Result, bail};
use baselines::{Baseline, BaselineRow};
use config::{DemoConfig, Sizes};
use network::NetworkRow;
use patchgrad::parallel;
use patchgrad_datasets::SetName;
use population::Member;
use reference::Reference;
use relations::Relation;

/// The data sets, in the order of all tables.
pub const SETS: [SetName; 2] = [SetName::FashionMnist, SetName::Mnist];

/// What was found on one data set.
#[derive(Clone, Debug)]
pub struct SetResults {
    /// The pictures.
    pub task: Task,
    /// One row for each network of the population, in its order.
    pub networks: Vec<NetworkRow>,
    /// The baselines, in the order of [`baselines::baselines`].
    pub baselines: Vec<BaselineRow>,
    /// The correlations.
    pub relations: Vec<Relation>,
    /// The reference network.
    pub reference: Reference,
}

/// One piece of work that runs on one thread.
enum Job<'a> {
    Baseline(&'a Task, Baseline),
    Reference(&'a Task),
    Network(&'a Task, Member),
}

/// What a [`Job`] gives.
enum Done {
    Baseline(BaselineRow),
    Reference(Box<Reference>),
    Network(Box<NetworkRow>),
}

/// Runs everything; `progress(done, jobs)` is called from any thread after each piece of work.
///
/// # Errors
/// When data cannot be read or the reference network diverges. A diverged network of the population is a row.
pub fn run(config: &DemoConfig, progress: impl Fn(usize, usize) + Sync) -> Result<Vec<SetResults>> {
    let sizes = config.profile.sizes(config.seed);
    let tasks = SETS.iter().map(|&set| load(set, config.data_dir.as_deref(), sizes.limits));
    let tasks = tasks.collect::<Result<Vec<Task>>>()?;
    tasks.iter().try_for_each(check)?;
    let jobs: Vec<Job> = tasks.iter().flat_map(|task| jobs(task, config.seed, &sizes)).collect();
    let finished = std::sync::atomic::AtomicUsize::new(0);
    progress(0, jobs.len());
    let done = parallel::with_threads(config.threads, || {
        parallel::map_jobs(jobs.len(), |i| {
            let done = work(&jobs[i], config.seed, &sizes);
            progress(finished.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, jobs.len());
            done
        })
    });
    drop(jobs);
    let mut done = done.into_iter();
    tasks.into_iter().map(|task| collect(task, config.seed, &sizes, &mut done)).collect()
}

/// The geometries of the population are made for pictures of 28 x 28 grey pixels, and every part needs some.
fn check(task: &Task) -> Result<()> {
    let shape = task.train.pictures.shape();
    if shape.dims()[1..] != [28, 28, 1] {
        bail!("{}: the demonstration needs pictures of 28 x 28 x 1, got {shape} (N, H, W, C)", task.name);
    }
    let counts = [&task.train, &task.validation, &task.test].map(|part| part.count());
    if counts.iter().any(|&count| count < 2 * task.classes) {
        bail!(
            "{}: {counts:?} training, validation and test pictures are too few; at least {} of each are needed",
            task.name,
            2 * task.classes
        );
    }
    Ok(())
}

/// The work on one data set; the long pieces first, so that no thread is left alone with one at the end.
fn jobs<'a>(task: &'a Task, seed: u64, sizes: &Sizes) -> Vec<Job<'a>> {
    let mut jobs = vec![Job::Reference(task)];
    jobs.extend(baselines::baselines(task.train.pixels()).into_iter().map(|baseline| Job::Baseline(task, baseline)));
    let members = population::population(seed, task.set.folder(), &sizes.population);
    jobs.extend(members.into_iter().map(|member| Job::Network(task, member)));
    jobs
}

fn work(job: &Job, seed: u64, sizes: &Sizes) -> Result<Done> {
    Ok(match job {
        Job::Baseline(task, baseline) => Done::Baseline(baselines::measure(*baseline, task, seed, &sizes.end_to_end)?),
        Job::Reference(task) => {
            let reference = reference::run(task, seed, sizes.reference_samples, &sizes.fine_tuning)?;
            Done::Reference(Box::new(reference))
        }
        Job::Network(task, member) => Done::Network(Box::new(network::run(member, task))),
    })
}

/// Takes the results of one data set off `done`, in the order of [`jobs`].
fn collect(task: Task, seed: u64, sizes: &Sizes, done: &mut impl Iterator<Item = Result<Done>>) -> Result<SetResults> {
    let (mut networks, mut rows, mut reference) = (Vec::new(), Vec::new(), None);
    let count = jobs(&task, seed, sizes).len();
    for result in done.take(count) {
        match result? {
            Done::Baseline(row) => rows.push(row),
            Done::Reference(found) => reference = Some(*found),
            Done::Network(row) => networks.push(*row),
        }
    }
    let relations = relations::relations(task.set.folder(), &networks, seed);
    let reference = reference.expect("every data set has a reference network");
    Ok(SetResults { task, networks, baselines: rows, relations, reference })
}
