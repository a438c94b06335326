//! Folders of pictures: decoding against files of Pillow (fixtures), classes by folder and by first character, pairs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use patchgrad_datasets::pairs;
use patchgrad_datasets::pictures::{self, Channels, Options, PictureProblem};
use patchgrad_datasets::{DataError, ImageShape, Problem};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name)
}

fn shape(channels: usize) -> ImageShape {
    ImageShape { height: 4, width: 6, channels }
}

/// The values of the PNG fixtures.
fn values(channels: usize) -> Vec<u8> {
    (0..24 * channels)
        .map(|position| {
            let (row, column, channel) = (position / channels / 6, position / channels % 6, position % channels);
            (10 * row + column + 80 * channel) as u8
        })
        .collect()
}

fn with(channels: Channels) -> Options {
    Options { channels, ..Options::default() }
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, DataError>) -> PictureProblem {
    match outcome.unwrap_err().problem {
        Problem::Picture(problem) => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn png_of_every_kind_has_its_values() {
    for (name, channels) in
        [("grey.png", 1), ("grey_16.png", 1), ("colour.png", 3), ("colour_alpha.png", 3), ("palette.png", 3)]
    {
        let picture = pictures::read(fixture(name), &Options::default()).unwrap();
        assert_eq!((picture.shape(), picture.pixels()), (shape(channels), values(channels).as_slice()), "{name}");
    }
}

#[test]
fn jpeg_has_its_colours_to_within_a_rounding() {
    for (name, colour) in [
        ("grey_200.jpg", &[200u8][..]),
        ("colour_200_100_50.jpeg", &[200, 100, 50]),
        ("progressive.jpg", &[200, 100, 50]),
    ] {
        let picture = pictures::read(fixture(name), &Options::default()).unwrap();
        assert_eq!(picture.shape(), shape(colour.len()), "{name}");
        for (position, value) in picture.pixels().iter().enumerate() {
            assert!(value.abs_diff(colour[position % colour.len()]) <= 2, "{name}: {value} at {position}");
        }
    }
}

#[test]
fn channels_are_converted_when_asked_for() {
    let grey = pictures::read(fixture("colour.png"), &with(Channels::Grey)).unwrap();
    let mean = values(3)
        .as_chunks::<3>()
        .0
        .iter()
        .map(|c| (c.iter().map(|&v| f64::from(v)).sum::<f64>() / 3.0).round() as u8)
        .collect::<Vec<_>>();
    assert_eq!((grey.shape(), grey.pixels()), (shape(1), mean.as_slice()));
    let colour = pictures::read(fixture("grey.png"), &with(Channels::Colour)).unwrap();
    assert_eq!(colour.shape(), shape(3));
    assert!(colour.pixels().as_chunks::<3>().0.iter().zip(values(1)).all(|(pixel, grey)| *pixel == [grey; 3]));
}

#[test]
fn resizing_keeps_flat_pictures_flat_and_averages_when_it_shrinks() {
    let options = |size| Options { size: Some(size), ..Options::default() };
    let wide = pictures::read(fixture("grey_200.jpg"), &options([3, 17])).unwrap();
    assert_eq!(wide.shape(), ImageShape { height: 3, width: 17, channels: 1 });
    assert!(wide.pixels().iter().all(|value| value.abs_diff(200) <= 2));
    // Down to one pixel: every pixel has a part in it, so it is near the mean of 17.5.
    let one = pictures::read(fixture("grey.png"), &options([1, 1])).unwrap();
    assert!(one.pixels()[0].abs_diff(17) <= 2, "{}", one.pixels()[0]);
    let same = pictures::read(fixture("colour.png"), &options([4, 6])).unwrap();
    assert_eq!(same.pixels(), values(3));
    assert!(matches!(
        problem(pictures::read(fixture("grey.png"), &options([0, 4]))),
        PictureProblem::EmptySize { height: 0, width: 4 }
    ));
    let huge = problem(pictures::read(fixture("grey.png"), &options([4, 20_000])));
    assert!(matches!(huge, PictureProblem::LargeSize { height: 4, width: 20_000 }));
    assert!(huge.to_string().contains("4x20000 pixels were asked for; both may be at most 16384"), "{huge}");
}

/// A folder with copies of fixtures under other names.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(fixture(source), path).unwrap();
    }
    folder
}

#[test]
fn class_folders_are_read_in_the_order_of_names() {
    let folder = folder_of(&[
        ("zebra/2.PNG", "grey.png"),
        ("zebra/10.jpg", "grey_200.jpg"),
        ("ape/x.png", "grey.png"),
        ("ape/notes.txt", "make_fixtures.py"),
        (".hidden/x.png", "colour.png"),
        ("top.png", "colour.png"),
    ]);
    let set = pictures::read_class_folders(folder.path(), &Options::default()).unwrap();
    assert_eq!(set.class_names, ["ape", "zebra"]);
    assert_eq!(set.images.labels(), [0, 1, 1]);
    let files: Vec<_> =
        set.files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(files, ["ape/x.png", "zebra/10.jpg", "zebra/2.PNG"]);
    assert_eq!(set.images.images().image(2), values(1));

    fs::create_dir(folder.path().join("empty")).unwrap();
    let error = pictures::read_class_folders(folder.path(), &Options::default()).unwrap_err();
    assert_eq!(error.path, folder.path().join("empty"));
    assert!(matches!(error.problem, Problem::Picture(PictureProblem::Nothing { .. })));
}

#[test]
fn the_first_character_is_the_class_by_the_other_rule() {
    let folder =
        folder_of(&[("7_a.png", "grey.png"), ("3.png", "grey.png"), ("7.png", "grey.png"), ("ä1.png", "grey.png")]);
    let set = pictures::read_by_first_character(folder.path(), &Options::default()).unwrap();
    assert_eq!(set.class_names, ["3", "7", "ä"]);
    assert_eq!(set.images.labels(), [0, 1, 1, 2]);
    assert!(set.files[1].ends_with("7.png") && set.files[2].ends_with("7_a.png"));
}

#[test]
fn pictures_of_different_shape_are_refused_with_both_names() {
    let folder = folder_of(&[("a/1.png", "grey.png"), ("a/2.png", "colour.png")]);
    let error = pictures::read_class_folders(folder.path(), &Options::default()).unwrap_err();
    assert_eq!(error.path, folder.path().join("a/2.png"));
    assert!(
        error.to_string().contains("the picture is 4x6x3") && error.to_string().contains("1.png is 4x6x1"),
        "{error}"
    );
    let set = pictures::read_class_folders(folder.path(), &with(Channels::Colour)).unwrap();
    assert_eq!(set.images.count(), 2);
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(
        problem(pictures::read_class_folders(nothing.path(), &Options::default())),
        PictureProblem::Nothing { .. }
    ));
    assert!(pictures::read_class_folders("no-such-folder", &Options::default()).is_err());
}

#[test]
fn pictures_beyond_the_limit_or_their_size_are_refused_before_decoding() {
    let options = Options { max_pixels: 23, ..Options::default() };
    for name in ["grey.png", "colour_200_100_50.jpeg"] {
        let refused = problem(pictures::read(fixture(name), &options));
        assert!(matches!(refused, PictureProblem::TooLarge { width: 6, height: 4, limit: 23 }), "{refused}");
    }
    // A header that claims 4000 x 4000 pixels, with the checksum a PNG chunk has to have.
    let mut bomb = fs::read(fixture("colour.png")).unwrap();
    bomb[16..20].copy_from_slice(&4000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&4000u32.to_be_bytes());
    let checksum = patchgrad_datasets::Checksum::of(&[&bomb[12..29]]).0;
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    let refused = problem(pictures::from_bytes("memory", &bomb, &Options::default()));
    assert!(matches!(refused, PictureProblem::ImpossibleClaim { claimed: 48_000_000, .. }), "{refused}");
}

/// Of one bit a pixel: what a scanned page or a mask often is.
#[test]
fn a_blank_page_is_no_damaged_picture() {
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..512 {
        // A line without a filter, 512 bits long.
        deflated.write_all(&[0]).and_then(|()| deflated.write_all(&[0xff; 64])).unwrap();
    }
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&512u32.to_be_bytes()[..], &512u32.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    for (name, content) in [(b"IHDR", header), (b"IDAT", deflated.finish().unwrap()), (b"IEND", Vec::new())] {
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend([&name[..], &content].concat());
        bytes.extend(patchgrad_datasets::Checksum::of(&[name, &content]).0.to_be_bytes());
    }
    let picture = pictures::from_bytes("memory", &bytes, &Options::default()).unwrap();
    assert_eq!((picture.shape().height, picture.shape().channels), (512, 1));
    assert!(bytes.len() < 300, "{}", bytes.len());
}

#[test]
fn a_jpeg_that_is_cut_short_is_refused_wherever_it_ends() {
    for name in ["grey_200.jpg", "progressive.jpg"] {
        let whole = fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            assert!(pictures::from_bytes("memory", &whole[..length], &Options::default()).is_err(), "{name} {length}");
        }
    }
}

#[test]
fn pairs_are_aligned_by_sorted_name_and_their_sizes_checked() {
    let folder = folder_of(&[
        ("clean/b.png", "grey.png"),
        ("clean/a.jpg", "grey_200.jpg"),
        ("noisy/n1.png", "grey.png"),
        ("noisy/n2.png", "grey_16.png"),
    ]);
    let [clean, noisy] = ["clean", "noisy"].map(|name| folder.path().join(name));
    let set = pairs::read(&clean, &noisy, &Options::default()).unwrap();
    assert_eq!((set.count(), set.clean.shape(), set.noisy.shape()), (2, shape(1), shape(1)));
    assert!(set.files[0][0].ends_with("a.jpg") && set.files[0][1].ends_with("n1.png"));
    assert_eq!((set.clean.image(1), set.noisy.image(1)), (values(1).as_slice(), values(1).as_slice()));

    fs::copy(fixture("colour.png"), noisy.join("n2.png")).unwrap();
    let error = pairs::read(&clean, &noisy, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("n2.png: the picture is 4x6x3, but its clean partner"), "{error}");
    fs::copy(fixture("grey.png"), noisy.join("n3.png")).unwrap();
    assert!(matches!(
        problem(pairs::read(&clean, &noisy, &Options::default())),
        PictureProblem::Pairs { clean: 2, noisy: 3, .. }
    ));
}

#[test]
fn pairs_of_different_size_are_refused_even_if_resized_alike() {
    let folder = folder_of(&[("clean/1.png", "grey.png"), ("noisy/1.png", "grey.png")]);
    let [clean, noisy] = ["clean", "noisy"].map(|name| folder.path().join(name));
    let options = Options { size: Some([2, 3]), ..Options::default() };
    let set = pairs::read(&clean, &noisy, &options).unwrap();
    assert_eq!(
        (set.clean.shape(), set.noisy.shape()),
        (ImageShape { height: 2, width: 3, channels: 1 }, set.clean.shape())
    );

    image::GrayImage::new(6, 5).save(noisy.join("1.png")).unwrap();
    let error = pairs::read(&clean, &noisy, &options).unwrap_err();
    assert!(error.to_string().contains("the picture is 5x6x1, but its clean partner"), "{error}");
    image::GrayImage::new(6, 5).save(clean.join("1.png")).unwrap();
    for folder in [&clean, &noisy] {
        fs::copy(fixture("grey.png"), folder.join("2.png")).unwrap();
    }
    assert_eq!(pairs::read(&clean, &noisy, &options).unwrap().count(), 2);
    let error = pairs::read(&clean, &noisy, &Options::default()).unwrap_err();
    assert_eq!(error.path, clean.join("2.png"));
}

#[test]
fn each_picture_of_a_pair_is_decoded_once() {
    let folder = folder_of(&[("clean/1.jpg", "progressive.jpg"), ("noisy/1.jpg", "progressive.jpg")]);
    let [clean, noisy] = ["clean", "noisy"].map(|name| folder.path().join(name));
    let options = Options::default();
    let one = allocation_counter::measure(|| drop(pictures::read(clean.join("1.jpg"), &options).unwrap()));
    let pair = allocation_counter::measure(|| drop(pairs::read(&clean, &noisy, &options).unwrap()));
    let shares = pair.bytes_total as f64 / one.bytes_total as f64;
    assert!((2.0..2.5).contains(&shares), "a pair takes {shares} times what one picture does");
}
