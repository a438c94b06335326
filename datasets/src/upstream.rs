//! What the publishers of the data sets offer: files, addresses, sizes and checksums.
//!
//! [`fetch`](crate::fetch) downloads by this table and [`verify`](crate::verify) judges a folder by it. The publishers print MD5
//! sums, which nobody should rely on any more; the SHA-256 sums here are of the same files. Those of MNIST's and
//! Fashion-MNIST's idx content and of the CIFAR-10 batches were also computed from files at hand.

use std::path::Path;

use crate::standing::holds_nothing;

/// A data set on its publisher's server.
#[derive(Debug, Clone, Copy)]
pub struct Upstream {
    /// The name of its folder inside a data folder.
    pub folder: &'static str,
    /// Addresses that the file names follow, the publisher's first.
    pub mirrors: &'static [&'static str],
    /// The files offered there.
    pub files: &'static [Published],
    /// Training and test images in them.
    pub counts: [usize; 2],
}

/// A file as it is offered.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Bytes as offered.
    pub size: u64,
    /// SHA-256 of these bytes, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// How its contents are packed.
    pub packing: Packing,
    /// What the readers want from it.
    pub contents: &'static [Content],
}

/// How a published file holds its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// It is its content.
    Plain,
    /// One compressed content, which the readers read as it is.
    Gzip,
    /// A compressed archive, which is unpacked after the download.
    TarGz,
}

/// A file that the readers want, uncompressed.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    /// Path below the folder of the set, with `/`.
    pub path: &'static str,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of these bytes, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
}

/// Which files of a set are in a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Every file that the readers need.
    Complete,
    /// Some, or others.
    Incomplete,
    /// The folder of the set is not there, or holds nothing but unfinished downloads.
    Nothing,
}

impl Upstream {
    /// The entry of the set with this folder name.
    pub fn of(folder: &str) -> Option<&'static Upstream> {
        ALL.iter().find(|upstream| upstream.folder == folder)
    }

    /// Whether the files are in `data_dir`, by their names alone: nothing is read.
    pub fn presence(&self, data_dir: &Path) -> Presence {
        let folder = data_dir.join(self.folder);
        let is_there = |file: &&Published| {
            let content = |content: &Content| {
                folder.join(content.path).is_file() || folder.join(format!("{}.gz", content.path)).is_file()
            };
            file.contents.iter().all(content) || folder.join(file.name).is_file()
        };
        match self.files.iter().filter(is_there).count() {
            count if count == self.files.len() => Presence::Complete,
            0 if holds_nothing(&folder) => Presence::Nothing,
            _ => Presence::Incomplete,
        }
    }

    /// Bytes of all files as offered.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Every set that can be fetched.
pub const ALL: &[Upstream] = &[MNIST, FASHION_MNIST, CIFAR_10, CIFAR_100, SVHN];

/// A compressed idx file. The arguments: content name, size and SHA-256 as offered, size and SHA-256 of the content.
macro_rules! idx {
    ($name:literal, $size:literal, $sha256:literal, $content_size:literal, $content_sha256:literal) => {
        Published {
            name: concat!($name, ".gz"),
            size: $size,
            sha256: $sha256,
            packing: Packing::Gzip,
            contents: &[Content { path: $name, size: $content_size, sha256: $content_sha256 }],
        }
    };
}

const MNIST: Upstream = Upstream {
    folder: "mnist",
    mirrors: &[
        "http://yann.lecun.com/exdb/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    counts: [60_000, 10_000],
    files: &[
        // MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873
        idx!(
            "train-images-idx3-ubyte",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        // MD5 d53e105ee54ea40749a09fcbcd1e9432
        idx!(
            "train-labels-idx1-ubyte",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        // MD5 9fb629c4189551a2d022fa330f9573f3
        idx!(
            "t10k-images-idx3-ubyte",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        // MD5 ec29112dd5afa0611ce80d1b7f02629c
        idx!(
            "t10k-labels-idx1-ubyte",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    ],
};

const FASHION_MNIST: Upstream = Upstream {
    folder: "fashion-mnist",
    mirrors: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    counts: [60_000, 10_000],
    files: &[
        // MD5 8d4fb7e6c68d591d4c3dfef9ec88bf0d
        idx!(
            "train-images-idx3-ubyte",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            47_040_016,
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        // MD5 25c81989df183df01b3e8a0aad5dffbe
        idx!(
            "train-labels-idx1-ubyte",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            60_008,
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        // MD5 bef4ecab320f06d8554ea6380940ec79
        idx!(
            "t10k-images-idx3-ubyte",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            7_840_016,
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        // MD5 bb300cfdad3c16e7a12a480ee83cd310
        idx!(
            "t10k-labels-idx1-ubyte",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            10_008,
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    ],
};

/// One of the six batches of CIFAR-10: 10,000 records of a label and 3,072 pixels.
macro_rules! cifar_10_batch {
    ($name:literal, $sha256:literal) => {
        Content { path: concat!("cifar-10-batches-bin/", $name), size: 30_730_000, sha256: $sha256 }
    };
}

const CIFAR_10: Upstream = Upstream {
    folder: "cifar-10",
    mirrors: &[
        "https://www.cs.toronto.edu/~kriz/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
    ],
    counts: [50_000, 10_000],
    // MD5 c32a1d4ab5d03f1284b67883e8d87530
    files: &[Published {
        name: "cifar-10-binary.tar.gz",
        size: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        packing: Packing::TarGz,
        contents: &[
            cifar_10_batch!("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
            cifar_10_batch!("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
            cifar_10_batch!("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
            cifar_10_batch!("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
            cifar_10_batch!("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
            cifar_10_batch!("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
        ],
    }],
};

const CIFAR_100: Upstream = Upstream {
    folder: "cifar-100",
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    counts: [50_000, 10_000],
    // MD5 03b5dce01913d631647c71ecec9e9cb8
    files: &[Published {
        name: "cifar-100-binary.tar.gz",
        size: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        packing: Packing::TarGz,
        contents: &[
            Content {
                path: "cifar-100-binary/train.bin",
                size: 153_700_000,
                sha256: "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
            },
            Content {
                path: "cifar-100-binary/test.bin",
                size: 30_740_000,
                sha256: "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
            },
        ],
    }],
};

/// A file that is its own content.
macro_rules! plain {
    ($name:literal, $size:literal, $sha256:literal) => {
        Published {
            name: $name,
            size: $size,
            sha256: $sha256,
            packing: Packing::Plain,
            contents: &[Content { path: $name, size: $size, sha256: $sha256 }],
        }
    };
}

const SVHN: Upstream = Upstream {
    folder: "svhn",
    mirrors: &["http://ufldl.stanford.edu/housenumbers/", "https://ufldl.stanford.edu/housenumbers/"],
    counts: [73_257, 26_032],
    files: &[
        // MD5 e26dedcc434d2e4c54c9b2d4a06d8373
        plain!("train_32x32.mat", 182_040_794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
        // MD5 eb5a983be6a315427106f1b164d9cef3
        plain!("test_32x32.mat", 64_275_384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        for upstream in ALL {
            assert!(upstream.mirrors.iter().all(|mirror| mirror.starts_with("http") && mirror.ends_with('/')));
            for file in upstream.files {
                for sum in file.contents.iter().map(|content| content.sha256).chain([file.sha256]) {
                    assert!(sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{sum}");
                }
                if file.packing == Packing::Gzip {
                    assert_eq!(file.name, format!("{}.gz", file.contents[0].path));
                }
            }
        }
    }

    #[test]
    fn presence_goes_by_names() {
        let dir = tempfile::tempdir().unwrap();
        let set = Upstream::of("svhn").unwrap();
        assert_eq!(set.presence(dir.path()), Presence::Nothing);
        std::fs::create_dir(dir.path().join("svhn")).unwrap();
        assert_eq!(set.presence(dir.path()), Presence::Nothing);
        std::fs::write(dir.path().join("svhn/train_32x32.mat"), b"").unwrap();
        assert_eq!(set.presence(dir.path()), Presence::Incomplete);
        std::fs::write(dir.path().join("svhn/test_32x32.mat"), b"").unwrap();
        assert_eq!(set.presence(dir.path()), Presence::Complete);
        std::fs::create_dir(dir.path().join("cifar-10")).unwrap();
        std::fs::write(dir.path().join("cifar-10/cifar-10-binary.tar.gz"), b"").unwrap();
        assert_eq!(Upstream::of("cifar-10").unwrap().presence(dir.path()), Presence::Complete);
    }

    #[test]
    fn sizes_follow_from_the_counts() {
        let content = |folder, path| {
            let contents = Upstream::of(folder).unwrap().files.iter().flat_map(|file| file.contents);
            contents.filter(|content| content.path.contains(path)).map(|content| content.size).sum::<u64>()
        };
        for folder in ["mnist", "fashion-mnist"] {
            let [train, test] = Upstream::of(folder).unwrap().counts.map(|count| count as u64);
            assert_eq!(content(folder, "train-images"), 16 + train * 28 * 28);
            assert_eq!(content(folder, "train-labels"), 8 + train);
            assert_eq!(content(folder, "t10k-images"), 16 + test * 28 * 28);
            assert_eq!(content(folder, "t10k-labels"), 8 + test);
        }
        assert_eq!(content("cifar-10", "data_batch"), 50_000 * 3073);
        assert_eq!(content("cifar-10", "test_batch"), 10_000 * 3073);
        assert_eq!(content("cifar-100", "train"), 50_000 * 3074);
        assert_eq!(content("cifar-100", "test"), 10_000 * 3074);
    }
}
