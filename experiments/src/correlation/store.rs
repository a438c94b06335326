//! Networks that are trained once. E1 to E4 look at the same members of the populations: where there is a folder for them,
//! whoever comes first leaves a trained member there and the others read it, with the same bits.

use super::{
    population::Member,
    training::{start_of, start_rate, train_member},
};
use crate::{
    files::write_atomically, linear_algebra::decomposition_instructions, scae::Scae, suite::Setup,
    training::TrainingError, units::Trained,
};
use patchgrad::{
    Isa, Tensor, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    random::stream,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// What training makes of a member; raised by every change that gives a network other bits, so that networks of before are not taken.
/// `experiments/tests/codes_and_decoders.rs` notices, but for starts by principal components.
const TRAINED_AS: u32 = 1;

/// A folder for trained members, or none.
#[derive(Debug, Default)]
pub struct NetworkStore {
    folder: Option<PathBuf>,
    failure: OnceLock<String>,
}

impl NetworkStore {
    /// Nothing is kept: every experiment trains its networks.
    pub fn none() -> Self {
        Self::default()
    }

    /// Networks are kept in `folder`, which is made where it does not exist.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: Some(folder.to_path_buf()), failure: OnceLock::new() })
    }

    /// Why the first network that was not kept could not be written; results do not depend on it.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }
}

/// Trains the members of one data set, or reads those that a [`NetworkStore`] has.
#[derive(Debug)]
pub struct Trainer<'a> {
    pictures: &'a Tensor,
    store: &'a NetworkStore,
    /// Folder of the data set, profile and seed, below that of the store.
    folder: String,
    /// What a network depends on beside its member.
    origin: String,
}

impl<'a> Trainer<'a> {
    /// For the training pictures of a set.
    pub fn new(setup: &Setup<'a>) -> Self {
        let examples = setup.examples;
        let checksum = examples.checksums.first().map_or("computed", String::as_str);
        let pictures = examples.train.pictures();
        Self {
            pictures,
            store: setup.networks,
            folder: format!("{}-{checksum}-{}-{}", setup.set, setup.profile.name(), setup.seed),
            origin: format!(
                "trained as {TRAINED_AS}, kernels {}, decompositions {}, {} {:?}, {} pictures",
                Isa::active(),
                decomposition_instructions(),
                examples.name,
                examples.checksums,
                examples.train.count()
            ),
        }
    }

    /// The member before training: what it starts from.
    pub fn untrained(member: &Member) -> Scae {
        Scae::new(member.spec.clone(), &mut stream(member.training.seed, "init", 0))
    }

    /// The trained member, and the training errors of its layers, lowest first.
    ///
    /// # Errors
    /// When a loss is not finite, or a decomposition has no result.
    pub fn train(&self, member: &Member, workspace: &mut Workspace) -> Result<(Scae, Vec<Trained>), TrainingError> {
        let kept = self.store.folder.as_ref().map(|folder| {
            let name = format!("{:?}-{}.safetensors", member.population, member.index);
            folder.join(&self.folder).join(name)
        });
        // A file that is damaged, or of another network, is written anew.
        let bytes = kept.as_ref().and_then(|file| fs::read(file).ok());
        if let Some(network) = bytes.and_then(|bytes| self.read(&bytes, member).ok().flatten()) {
            return Ok(network);
        }
        let mut scae = Self::untrained(member);
        let trained = train_member(&mut scae, member, self.pictures, workspace)?;
        if let Some(file) = kept
            && let Err(error) = self.write(&file, member, &scae, &trained)
        {
            // The first reason is enough: the others are most often the same.
            let _ = self.store.failure.set(error);
        }
        Ok((scae, trained))
    }

    /// What the network of a member depends on; the units that its layers start as have settings that the member does not hold.
    fn key(&self, member: &Member) -> String {
        let starts: Vec<_> = (0..member.spec.layers.len())
            .filter_map(|layer| start_of(member, layer))
            .map(|unit| (unit, start_rate(unit, member.training.lr)))
            .collect();
        format!("{}, {member:?}, starts {starts:?}", self.origin)
    }

    /// The network of a file; `None` if it is another one.
    fn read(&self, bytes: &[u8], member: &Member) -> Result<Option<(Scae, Vec<Trained>)>, CheckpointError> {
        let mut checkpoint = Checkpoint::from_bytes(bytes)?;
        checkpoint.check_version()?;
        if checkpoint.entry("network") != Some(&self.key(member)) {
            return Ok(None);
        }
        let [last, all] = ["final_error", "mean_error"].map(|key| checkpoint.get_list::<f64>(key));
        let (last, all) = (last?, all?);
        if [last.len(), all.len()] != [member.spec.layers.len(); 2] {
            return Ok(None);
        }
        let mut scae = Self::untrained(member);
        checkpoint.take_params("", scae.params_mut())?;
        // Files of versions that did not write one are taken as they are.
        let whole = checkpoint.entry("crc32").is_none_or(|written| *written == checksum(&scae, [&last, &all]));
        checkpoint.finish()?;
        if !whole {
            return Ok(None);
        }
        let errors = last.into_iter().zip(all);
        Ok(Some((scae, errors.map(|(final_error, mean_error)| Trained { final_error, mean_error }).collect())))
    }

    fn write(&self, file: &Path, member: &Member, scae: &Scae, trained: &[Trained]) -> Result<(), String> {
        let mut checkpoint = Checkpoint::new();
        checkpoint.set("network", self.key(member));
        let last: Vec<f64> = trained.iter().map(|layer| layer.final_error).collect();
        let all: Vec<f64> = trained.iter().map(|layer| layer.mean_error).collect();
        checkpoint.set_list("final_error", &last);
        checkpoint.set_list("mean_error", &all);
        checkpoint.set("crc32", checksum(scae, [&last, &all]));
        checkpoint.put_params("", scae.params());
        fs::create_dir_all(file.parent().expect("the file is in a folder")).map_err(|error| error.to_string())?;
        write_atomically(file, &checkpoint.to_bytes()).map_err(|error| error.to_string())
    }
}

/// CRC-32 of everything that becomes a result: a disk that loses a bit would change results silently.
fn checksum(scae: &Scae, errors: [&[f64]; 2]) -> String {
    let mut crc = flate2::Crc::new();
    errors.concat().iter().for_each(|error| crc.update(&error.to_le_bytes()));
    for (_, _, tensor) in scae.params().iter() {
        tensor.as_slice().iter().for_each(|value| crc.update(&value.to_le_bytes()));
    }
    format!("{:08x}", crc.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{DataConfig, Examples},
        correlation::members,
        suite::Profile,
    };

    fn examples(count: usize) -> Examples {
        DataConfig::named("--data", "mnist", [count, 20, 20], None).unwrap().load(1).unwrap()
    }

    fn setup<'a>(examples: &'a Examples, networks: &'a NetworkStore) -> Setup<'a> {
        Setup { set: "mnist", examples, profile: Profile::Smoke, seed: 3, networks }
    }

    fn values(scae: &Scae) -> Vec<f32> {
        scae.params().iter().flat_map(|(_, _, tensor)| tensor.as_slice().to_vec()).collect()
    }

    #[test]
    fn a_kept_network_is_the_one_that_was_trained_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let (examples, none) = (examples(60), NetworkStore::none());
        let store = NetworkStore::in_folder(&folder.path().join("networks")).unwrap();
        let (trains, keeps) = (Trainer::new(&setup(&examples, &none)), Trainer::new(&setup(&examples, &store)));
        let member = &members(&setup(&examples, &none))[1];
        let workspace = &mut Workspace::new();
        let (scae, trained) = trains.train(member, workspace).unwrap();
        for _ in 0..2 {
            let (again, errors) = keeps.train(member, workspace).unwrap();
            assert_eq!((values(&again), &errors), (values(&scae), &trained));
        }
        // It is really read: with another error in the file, that one comes back.
        let file = folder.path().join("networks").join(&keeps.folder).join("P1-1.safetensors");
        let other: Vec<Trained> = trained.iter().map(|layer| Trained { final_error: 7.0, ..*layer }).collect();
        keeps.write(&file, member, &scae, &other).unwrap();
        assert_eq!(keeps.train(member, workspace).unwrap().1, other);
        // A damaged file is replaced, also one of which a single bit is wrong.
        let bytes = fs::read(&file).unwrap();
        let name = b"\"mean_error\":\"0.";
        let digit = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
        for at in [bytes.len() - 1, digit] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&file, &damaged).unwrap();
            let (again, errors) = keeps.train(member, workspace).unwrap();
            assert_eq!((values(&again), &errors), (values(&scae), &trained), "byte {at}");
        }
        fs::write(&file, &fs::read(&file).unwrap()[..100]).unwrap();
        assert_eq!(keeps.train(member, workspace).unwrap().1, trained);
        assert_eq!(keeps.train(member, workspace).unwrap().1, trained);
        assert_eq!(store.failure(), None);
    }

    #[test]
    fn a_network_of_other_pictures_or_another_member_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let store = NetworkStore::in_folder(folder.path()).unwrap();
        let (few, more) = (examples(60), examples(80));
        let (of_few, of_more) = (Trainer::new(&setup(&few, &store)), Trainer::new(&setup(&more, &store)));
        let member = &members(&setup(&few, &store))[0];
        let workspace = &mut Workspace::new();
        let (scae, _) = of_few.train(member, workspace).unwrap();
        let (other, _) = of_more.train(member, workspace).unwrap();
        assert_eq!(of_few.folder, of_more.folder);
        assert_ne!(values(&scae), values(&other));
        let mut longer = member.clone();
        longer.training.samples_per_layer *= 2;
        assert_ne!(values(&of_more.train(&longer, workspace).unwrap().0), values(&other));
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let examples = examples(60);
        let store = NetworkStore::in_folder(folder.path()).unwrap();
        let trainer = Trainer::new(&setup(&examples, &store));
        // A file stands where the folder of the set should be.
        fs::write(folder.path().join(&trainer.folder), "").unwrap();
        let member = &members(&setup(&examples, &store))[0];
        assert!(trainer.train(member, &mut Workspace::new()).is_ok());
        assert!(store.failure().is_some());
    }
}
