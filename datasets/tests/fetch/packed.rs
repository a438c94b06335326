//! Files that are packed, and archives: what is published is not what is kept.

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn repacked_and_unpacked_content_is_kept() {
    let bytes = payload(24);
    let packed = gzip(&bytes);
    let contents = vec![Content { path: "idx", size: SIZE as u64, sha256: sha256(&bytes) }].leak();
    let (size, sum) = (packed.len() as u64, sha256(&packed));
    let file = Published { name: "idx.gz", size, sha256: sum, packing: Packing::Gzip, contents };
    let server = Server::start(move |_| Reply::Whole(packed.clone()));
    let upstream = set(vec![file], &[&server]);
    let mut otherwise = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut otherwise, &bytes).unwrap();
    let otherwise = otherwise.finish().unwrap();
    for (name, stored) in [("idx", &bytes), ("idx.gz", &otherwise)] {
        let run = Run::with(&upstream, &options(), |folder| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), stored).unwrap();
        });
        assert_eq!((run.events, server.requests().len()), (vec!["kept idx.gz".to_owned()], 0));
    }
    let run = Run::new(&upstream);
    assert_eq!((run.files(), run.outcome.is_ok()), (vec!["idx.gz".to_owned()], true));
}

/// An archive with these entries, and the set it is published for: `bin/one` and `bin/two` of these contents.
fn archive_set(entries: &[(&str, &[u8])], one: &[u8], two: &[u8]) -> (Vec<u8>, Published) {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // As an attacker would write it: the crate's own setter refuses such paths.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    let archive = gzip(&builder.into_inner().unwrap());
    let content = |path, bytes: &[u8]| Content { path, size: bytes.len() as u64, sha256: sha256(bytes) };
    let contents = vec![content("bin/one", one), content("bin/two", two)].leak();
    let (size, sum) = (archive.len() as u64, sha256(&archive));
    (archive, Published { name: "bin.tar.gz", size, sha256: sum, packing: Packing::TarGz, contents })
}

#[test]
fn archives_are_unpacked_and_nothing_but_the_table() {
    let (one, two) = (payload(25), b"two".to_vec());
    let evil: &[(&str, &[u8])] = &[
        ("../escaped", b"evil"),
        ("/tmp/patchgrad-escaped", b"evil"),
        ("bin/readme.html", b"unwanted"),
        ("bin/one", &one),
        ("./bin/two", &two),
    ];
    let (archive, file) = archive_set(evil, &one, &two);
    let server = Server::start(move |_| Reply::Whole(archive.clone()));
    let upstream = set(vec![file], &[&server]);
    let run = Run::new(&upstream);
    assert!(run.outcome.is_ok(), "{:?}", run.outcome);
    assert_eq!(run.events, ["started at 0", "placed bin.tar.gz", "unpacking bin.tar.gz"]);
    assert_eq!(run.files(), ["bin"], "the archive is gone");
    let folder = run.folder.path().join("made-up/bin");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["one", "two"]);
    assert!(fs::read(folder.join("one")).unwrap() == one && fs::read(folder.join("two")).unwrap() == two);
    assert!(!run.folder.path().join("escaped").exists() && !Path::new("/tmp/patchgrad-escaped").exists());
    let run = run.again(&upstream, &options());
    assert_eq!(run.events, ["kept bin.tar.gz"]);
}

#[test]
fn an_archive_put_there_by_hand_is_unpacked() {
    let (one, two) = (payload(26), b"two".to_vec());
    let (archive, file) = archive_set(&[("bin/one", &one), ("bin/two", &two)], &one, &two);
    let server = Server::start(|_| Reply::Status("404 Not Found"));
    let run = Run::with(&set(vec![file], &[&server]), &options(), |folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("bin.tar.gz"), &archive).unwrap();
    });
    assert!(run.outcome.is_ok(), "{:?}", run.outcome);
    assert_eq!(
        (run.events, server.requests().len()),
        (vec!["kept bin.tar.gz".into(), "unpacking bin.tar.gz".into()], 0)
    );
}

/// What is missing must not hide what is foreign.
#[test]
fn a_foreign_file_among_missing_ones_is_not_overwritten() {
    let (one, two) = (payload(29), b"two".to_vec());
    let (archive, file) = archive_set(&[("bin/one", &one), ("bin/two", &two)], &one, &two);
    let server = Server::start(move |_| Reply::Whole(archive.clone()));
    let run = Run::with(&set(vec![file], &[&server]), &options(), |folder| {
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join("bin/two"), b"precious").unwrap();
    });
    let message = run.outcome.as_ref().unwrap_err().to_string();
    assert!(message.contains("is there, but it is not the published file"), "{message}");
    assert_eq!(fs::read(run.folder.path().join("made-up/bin/two")).unwrap(), b"precious");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_content_that_is_being_written_is_left_to_its_writer() {
    let (one, two) = (payload(30), b"two".to_vec());
    let (archive, file) = archive_set(&[("bin/one", &one), ("bin/two", &two)], &one, &two);
    let server = Server::start(move |_| Reply::Whole(archive.clone()));
    let mut other = None;
    let run = Run::with(&set(vec![file], &[&server]), &options(), |folder| {
        fs::create_dir_all(folder.join("bin")).unwrap();
        let file = fs::File::create(folder.join("bin/one.part")).unwrap();
        file.lock().unwrap();
        other = Some(file);
    });
    let message = run.outcome.as_ref().unwrap_err().to_string();
    assert!(message.contains("one.part is being written by another process"), "{message}");
}

#[test]
fn archives_that_do_not_hold_the_table_are_told() {
    let (one, two) = (payload(27), b"two".to_vec());
    let other = b"owt".to_vec();
    type Entries<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(Entries, &str); 4] = [
        (&[("bin/one", &one)], "bin/two is not in it"),
        (&[("bin/one", &one), ("bin/two", &other)], "bin/two: SHA-256"),
        (&[("bin/one", &one[1..]), ("bin/two", &two)], "bin/one has 299999 bytes, expected 300000"),
        (&[("bin/one", &one), ("bin/two", &one)], "bin/two has more than 3 bytes"),
    ];
    for (entries, expected) in cases {
        let (archive, file) = archive_set(entries, &one, &two);
        let server = Server::start(move |_| Reply::Whole(archive.clone()));
        let run = Run::new(&set(vec![file], &[&server]));
        let message = run.outcome.as_ref().unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        let left = run.folder.path().join("made-up/bin");
        let parts = fs::read_dir(left).into_iter().flatten().map(|entry| entry.unwrap().path());
        assert!(parts.into_iter().all(|path| path.extension().is_none()), "no part is left");
    }
}
