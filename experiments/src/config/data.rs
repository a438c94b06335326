//! `[data]`: what is learnt from, and reading it.

use super::{ConfigError, Examples, Part, read::deserialize};
use crate::{
    data::{Labelled, Limits},
    finetune::pages::Pages,
    pictures::Pictures,
};
use anyhow::{Context, Result, ensure};
use patchgrad::{Tensor, random::stream};
use patchgrad_datasets::{
    ColourSpace, Images, LabelledImages, Scaling, SetName, bundled, fixed_split,
    folder::default_data_dir,
    open, pairs,
    pictures::{self, Channels, Options},
    shuffled, svhn,
    synthetic::{
        controlled::{Controlled, ControlledSpec},
        pages::{self, PageSpec},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// A set of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetKind {
    /// Handwritten digits; a sample is part of the build.
    Mnist,
    /// Articles of clothing; a sample is part of the build.
    FashionMnist,
    /// Photographs, ten classes.
    #[serde(rename = "cifar-10")]
    Cifar10,
    /// Photographs, a hundred classes.
    #[serde(rename = "cifar-100")]
    Cifar100,
    /// House numbers cut into digits.
    Svhn,
    /// The first 1,083 crops of SVHN's training part, of `svhn/train_32x32.mat` or of a file with just these,
    /// `svhn-1083/train_first1083_32x32.mat`: the last sixth, by position, is the test part, as crops of one house number overlap.
    #[serde(rename = "svhn-1083")]
    Svhn1083,
    /// Small pictures with a class pattern of known variance.
    SyntheticS1,
    /// Pages of a book, with the class of every pixel.
    SyntheticPages,
    /// A folder of PNG and JPEG files with a folder for each class.
    Folders,
    /// A folder of PNG and JPEG files whose class is the first character of the name.
    FirstCharacter,
    /// Two folders of PNG and JPEG files, clean and noisy: denoising, without classes.
    Pairs,
}

/// What pictures of one's own are converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnChannels {
    /// One channel: the mean of the colours.
    Grey,
    /// Three: red, green, blue.
    Colour,
}

/// The range of the values that a network sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueRange {
    /// [-1, 1].
    #[default]
    MinusOneToOne,
    /// [0, 1].
    ZeroToOne,
}

impl ValueRange {
    pub(super) fn scaling(self) -> Scaling {
        match self {
            Self::MinusOneToOne => Scaling::MinusOneToOne,
            Self::ZeroToOne => Scaling::ZeroToOne,
        }
    }
}

/// What is learnt from. Keys that the set does not use stand at 0 or are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Which pictures.
    pub set: SetKind,
    /// The folder with `mnist/`, `cifar-10/` and so on. Without it MNIST and Fashion-MNIST are the samples of the build,
    /// and other sets come from the usual data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Pictures of one's own: the folder; of pairs the clean ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Pairs: the folder of the noisy pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noisy_folder: Option<PathBuf>,
    /// Pictures of one's own: height and width that they are resized to (bilinear).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Pictures of one's own: what all are converted to; without it all have to be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<OwnChannels>,
    /// The colours that a network sees, of sets in colour.
    #[serde(default = "rgb", with = "colour_space")]
    pub color_space: ColourSpace,
    /// The range of the values that a network sees.
    #[serde(default)]
    pub range: ValueRange,
    /// Training pictures at most; 0 for all. Of synthetic sets how many are drawn, 0 for 4,000 (pages: 8).
    #[serde(default)]
    pub train: usize,
    /// Validation pictures at most; 0 for all.
    #[serde(default)]
    pub validation: usize,
    /// Test pictures at most; 0 for all.
    #[serde(default)]
    pub test: usize,
    /// S1: the share of the variance that tells the classes apart.
    #[serde(default = "class_share")]
    pub class_share: f64,
    /// S1: how many classes.
    #[serde(default = "classes")]
    pub classes: usize,
    /// Synthetic pages: height and width.
    #[serde(default = "page_size")]
    pub page_size: [usize; 2],
}

fn rgb() -> ColourSpace {
    ColourSpace::Rgb
}

fn class_share() -> f64 {
    ControlledSpec::default().class_share
}

fn classes() -> usize {
    4
}

fn page_size() -> [usize; 2] {
    [256, 192]
}

mod colour_space {
    use patchgrad_datasets::ColourSpace;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(space: &ColourSpace, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(space)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ColourSpace, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl DataConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, rule: String| Err(ConfigError::value(format!("data.{key}"), rule));
        let own = matches!(self.set, SetKind::Folders | SetKind::FirstCharacter | SetKind::Pairs);
        if own && self.folder.is_none() {
            return wrong("folder", "must name the folder of the pictures".to_string());
        }
        let of_own =
            [("folder", self.folder.is_some()), ("size", self.size.is_some()), ("channels", self.channels.is_some())];
        if let Some((key, _)) = of_own.into_iter().find(|(_, given)| !own && *given) {
            return wrong(key, "is for the sets folders, first-character and pairs; other sets have `dir`".to_string());
        }
        if (self.set == SetKind::Pairs) != self.noisy_folder.is_some() {
            return wrong("noisy_folder", "must be given for the set pairs, and for no other".to_string());
        }
        if self.size.is_some_and(|size| size.contains(&0)) {
            return wrong("size", "height and width must be at least 1".to_string());
        }
        if self.set == SetKind::SyntheticS1 {
            Controlled::new(self.controlled(), 0).map_err(|error| ConfigError::value("data", error.to_string()))?;
        }
        if self.set == SetKind::SyntheticPages && self.page_size.iter().any(|side| !(64..=4096).contains(side)) {
            return wrong("page_size", "height and width must be 64 to 4096".to_string());
        }
        Ok(())
    }

    /// A set by its name, with `limits` on training, validation and test pictures (0 for none), from `dir` or from where it is
    /// usually found. For commands that take no configuration; `option` is what the name was given with.
    ///
    /// # Errors
    /// If there is no such set; the message has those there are.
    pub fn named(option: &str, set: &str, limits: [usize; 3], dir: Option<&Path>) -> Result<Self, ConfigError> {
        let [train, validation, test] = limits;
        let mut table = toml::Table::new();
        table.insert("set".to_string(), set.into());
        for (key, limit) in [("train", train), ("validation", validation), ("test", test)] {
            table.insert(key.to_string(), toml::Value::Integer(limit as i64));
        }
        table.extend(dir.map(|dir| ("dir".to_string(), dir.display().to_string().into())));
        let config: Self = deserialize(toml::Value::Table(table), option)?;
        config.check()?;
        Ok(config)
    }

    /// Whether it is one of the samples that come with the project, a part of the set whose name it has.
    pub fn is_bundled(&self) -> bool {
        self.dir.is_none() && self.known().is_some_and(|set| SetName::BUNDLED.contains(&set))
    }

    fn controlled(&self) -> ControlledSpec {
        ControlledSpec { classes: self.classes, class_share: self.class_share, ..ControlledSpec::default() }
    }

    fn limits(&self) -> Limits {
        let most = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        Limits { train: most(self.train), validation: most(self.validation), test: most(self.test) }
    }

    /// The pictures of one known set.
    fn known(&self) -> Option<SetName> {
        Some(match self.set {
            SetKind::Mnist => SetName::Mnist,
            SetKind::FashionMnist => SetName::FashionMnist,
            SetKind::Cifar10 => SetName::Cifar10,
            SetKind::Cifar100 => SetName::Cifar100,
            SetKind::Svhn => SetName::Svhn,
            _ => return None,
        })
    }

    /// Reads or computes the pictures.
    ///
    /// # Errors
    /// If files are missing (the message says which, and how to get them) or damaged, or the set is too small to be split.
    pub fn load(&self, seed: u64) -> Result<Examples> {
        match self.set {
            SetKind::SyntheticPages => self.load_pages(seed),
            SetKind::Pairs => self.load_pairs(seed),
            SetKind::SyntheticS1 => {
                let population = Controlled::new(self.controlled(), seed)?;
                let drawn = if self.train == 0 { 4_000 } else { self.train + self.train / 4 };
                let data = population.data_set(drawn, if self.test == 0 { 2_000 } else { self.test });
                Ok(self.examples(
                    data.name,
                    data.class_names,
                    [data.train, data.test],
                    Vec::new(),
                    data.licence.to_string(),
                ))
            }
            SetKind::Svhn1083 => {
                let folder = self.dir.clone().or_else(default_data_dir).unwrap_or_else(|| PathBuf::from("data"));
                let crops = first_crops_of_svhn(&folder)?;
                let test = crops.count() - crops.count() / 6;
                let select = |range: Range<usize>| crops.select(&range.collect::<Vec<usize>>());
                let parts = [select(0..test), select(test..crops.count())];
                let checksums = vec![crops.checksum().to_string()];
                let class_names = SetName::Svhn.class_names().iter().map(ToString::to_string).collect();
                let (name, licence) = (format!("SVHN, {} crops", crops.count()), SetName::Svhn.licence().to_string());
                Ok(self.examples(name, class_names, parts, checksums, licence))
            }
            SetKind::Folders | SetKind::FirstCharacter => {
                let folder = self.folder.as_deref().context("data.folder is missing")?;
                let options = self.picture_options();
                let set = match self.set {
                    SetKind::Folders => pictures::read_class_folders(folder, &options),
                    _ => pictures::read_by_first_character(folder, &options),
                }?;
                // The order is that of the names; the last sixth of a random one is the test.
                let count = set.images.count();
                ensure!(count >= 6, "{} holds {count} pictures; at least 6 are needed to split them", folder.display());
                let order = shuffled(count, &mut stream(seed, "split", 0));
                let (train, test) = order.split_at(count - count / 6);
                let parts = [set.images.select(train), set.images.select(test)];
                let checksums = vec![set.images.checksum().to_string()];
                let licence = "pictures of your own".to_string();
                Ok(self.examples(folder.display().to_string(), set.class_names, parts, checksums, licence))
            }
            _ => {
                let set = self.known().expect("the others are computed or one's own");
                let data = match &self.dir {
                    Some(dir) => open(set, dir),
                    None if self.is_bundled() => bundled(set),
                    None => open(set, default_data_dir().unwrap_or_else(|| PathBuf::from("data"))),
                };
                let hint = || {
                    format!(
                        "cannot read {}; `pitfall data fetch {set}` downloads it, data.dir or --data-dir names its folder",
                        set.title()
                    )
                };
                let data = data.with_context(hint)?;
                let checksums = vec![data.train.checksum().to_string(), data.test.checksum().to_string()];
                let class_names = data.class_names.iter().map(ToString::to_string).collect();
                Ok(self.examples(data.name, class_names, [data.train, data.test], checksums, data.licence.to_string()))
            }
        }
    }

    fn examples(
        &self,
        name: String,
        class_names: Vec<String>,
        [train, test]: [LabelledImages; 2],
        checksums: Vec<String>,
        licence: String,
    ) -> Examples {
        let limits = self.limits();
        let split = fixed_split(train.count());
        let first = |range: Range<usize>, limit: usize| range.start..range.end.min(range.start.saturating_add(limit));
        let color_space = self.colours_of(train.images());
        let part = |data: &LabelledImages, range: Range<usize>| {
            Part::Classes(Labelled {
                pictures: self.pictures(data.images(), range.clone()),
                labels: data.labels()[range].iter().map(|&label| u32::from(label)).collect(),
            })
        };
        Examples {
            name,
            class_names,
            train: part(&train, first(split.train, limits.train)),
            validation: part(&train, first(split.validation, limits.validation)),
            test: part(&test, first(0..test.count(), limits.test)),
            checksums,
            licence,
            color_space,
            range: self.range,
        }
    }

    /// Grey pictures have no colours to choose.
    fn colours_of(&self, images: &Images) -> ColourSpace {
        if images.shape().channels == 3 { self.color_space } else { ColourSpace::Grayscale }
    }

    /// Pictures as a network sees them: bytes if their numbers are those of the files, scaled; numbers if colours are
    /// converted, which takes longer than memory is worth.
    fn pictures(&self, images: &Images, range: Range<usize>) -> Pictures {
        let as_stored = match images.shape().channels {
            3 => self.color_space == ColourSpace::Rgb,
            _ => true,
        };
        if as_stored {
            return Pictures::of_bytes(images.select(&range.collect::<Vec<usize>>()), self.range.scaling());
        }
        self.tensor(images, range).into()
    }

    /// The same as numbers.
    fn tensor(&self, images: &Images, range: Range<usize>) -> Tensor {
        let space = self.colours_of(images);
        // Pictures of other channels than one and three are none that a reader gives.
        let view = images.in_colour_space(space).expect("grey pictures are grey, others have every space");
        let shape = view.shape();
        let mut tensor = Tensor::zeros([range.len(), shape.height, shape.width, shape.channels]);
        view.gather(&range.collect::<Vec<usize>>(), self.range.scaling(), tensor.as_mut_slice());
        tensor
    }

    /// How pictures of one's own are read.
    fn picture_options(&self) -> Options {
        let channels = match self.channels {
            None => Channels::AsStored,
            Some(OwnChannels::Grey) => Channels::Grey,
            Some(OwnChannels::Colour) => Channels::Colour,
        };
        Options { channels, size: self.size, ..Options::default() }
    }

    fn load_pages(&self, seed: u64) -> Result<Examples> {
        let [height, width] = self.page_size;
        let spec = PageSpec { height, width };
        let most = |limit: usize, default: usize| if limit == 0 { default } else { limit };
        let counts = [most(self.train, 8), most(self.validation, 2), most(self.test, 4)];
        let mut next = 0;
        let parts = counts.map(|count| -> Result<Part> {
            let drawn = (next..next + count).map(|index| pages::page(spec, seed, index as u64));
            next += count;
            let drawn = drawn.collect::<Result<Vec<_>, _>>()?;
            let images = pages::images(&drawn);
            let labels = drawn.iter().flat_map(|page| page.labels.iter().copied()).collect();
            Ok(Part::Pages(Pages::new(self.tensor(&images, 0..count), labels, pages::CLASS_NAMES.len())?))
        });
        let [train, validation, test] = parts;
        Ok(Examples {
            name: "synthetic pages".to_string(),
            class_names: pages::CLASS_NAMES.map(str::to_string).to_vec(),
            train: train?,
            validation: validation?,
            test: test?,
            checksums: Vec::new(),
            licence: "computed by this project".to_string(),
            color_space: self.color_space,
            range: self.range,
        })
    }

    fn load_pairs(&self, seed: u64) -> Result<Examples> {
        let options = self.picture_options();
        let clean_folder = self.folder.as_deref().context("data.folder is missing")?;
        let noisy_folder = self.noisy_folder.as_deref().context("data.noisy_folder is missing")?;
        let pairs = pairs::read(clean_folder, noisy_folder, &options)?;
        let count = pairs.count();
        ensure!(count >= 6, "{} holds {count} pictures; at least 6 are needed to split them", clean_folder.display());
        let order = shuffled(count, &mut stream(seed, "split", 0));
        let limits = self.limits();
        let (train, test) = order.split_at(count - count / 6);
        let split = fixed_split(train.len());
        let part = |indices: &[usize], limit: usize| {
            let indices = &indices[..indices.len().min(limit)];
            let tensor = |images: &Images| self.tensor(&images.select(indices), 0..indices.len());
            Part::Pairs { noisy: tensor(&pairs.noisy), clean: tensor(&pairs.clean) }
        };
        Ok(Examples {
            name: clean_folder.display().to_string(),
            class_names: Vec::new(),
            train: part(&train[split.train], limits.train),
            validation: part(&train[split.validation], limits.validation),
            test: part(test, limits.test),
            checksums: Vec::new(),
            licence: "pictures of your own".to_string(),
            color_space: self.colours_of(&pairs.clean),
            range: self.range,
        })
    }
}

/// How many crops of SVHN the small set has.
const CROPS: usize = 1_083;

/// The first crops of the training part of SVHN, from the folder of the data sets.
fn first_crops_of_svhn(folder: &Path) -> Result<LabelledImages> {
    let few = folder.join("svhn-1083").join("train_first1083_32x32.mat");
    let published = folder.join("svhn").join("train_32x32.mat");
    let file = if few.is_file() || !published.is_file() { few } else { published };
    let crops = svhn::read(&file).context(
        "cannot read the first 1,083 crops of SVHN; `pitfall data fetch svhn` downloads all of it, of which they are taken, and \
         data.dir or --data-dir names the folder that svhn/ is in",
    )?;
    Ok(if crops.count() > CROPS { crops.select(&(0..CROPS).collect::<Vec<usize>>()) } else { crops })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A part of a MATLAB file: its kind and its bytes, up to a multiple of eight.
    fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
        let padding = bytes.len().next_multiple_of(8) - bytes.len();
        [&kind.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), bytes, &vec![0; padding]].concat()
    }

    /// A MATLAB file with `count` crops: picture `i` has the value `i % 251` and the class `i % 10`.
    fn svhn_file(count: usize) -> Vec<u8> {
        let variable = |name: &str, dims: &[usize], values: Vec<u8>| {
            let dims: Vec<u8> = dims.iter().flat_map(|&dim| (dim as u32).to_le_bytes()).collect();
            let uint8 = element(6, &[9, 0, 0, 0, 0, 0, 0, 0]);
            element(14, &[uint8, element(5, &dims), element(1, name.as_bytes()), element(2, &values)].concat())
        };
        let pixels = (0..count).flat_map(|i| vec![(i % 251) as u8; 32 * 32 * 3]).collect();
        let digits = (0..count).map(|i| if i % 10 == 0 { 10 } else { (i % 10) as u8 }).collect();
        let mut file = [&[b' '; 124][..], &[0, 1], b"IM"].concat();
        file.extend(variable("X", &[32, 32, 3, count], pixels));
        file.extend(variable("y", &[count, 1], digits));
        file
    }

    #[test]
    fn the_first_crops_of_the_published_file_are_those_of_the_small_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataConfig::named("--data", "svhn-1083", [0; 3], Some(folder.path())).unwrap();
        let error = format!("{:#}", data.load(1).unwrap_err());
        assert!(error.contains("`pitfall data fetch svhn`") && error.contains("train_first1083_32x32.mat"), "{error}");
        let put = |set: &str, file: &str, count: usize| {
            fs::create_dir_all(folder.path().join(set)).unwrap();
            fs::write(folder.path().join(set).join(file), svhn_file(count)).unwrap();
        };
        put("svhn", "train_32x32.mat", CROPS + 7);
        let published = data.load(1).unwrap();
        assert_eq!((published.name.as_str(), published.test.count()), ("SVHN, 1083 crops", CROPS / 6));
        put("svhn-1083", "train_first1083_32x32.mat", CROPS);
        let small = data.load(1).unwrap();
        assert_eq!(small.checksums, published.checksums);
    }

    #[test]
    fn a_bundled_sample_is_told_from_the_whole_set() {
        let is_bundled = |set, dir| DataConfig::named("--data", set, [0; 3], dir).unwrap().is_bundled();
        assert!(is_bundled("mnist", None) && !is_bundled("cifar-10", None));
        assert!(!is_bundled("mnist", Some(Path::new("data"))));
    }
}
