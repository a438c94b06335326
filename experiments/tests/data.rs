//! `pitfall data` as a user meets it: lines, files, messages and exit codes. The network is a server in this file.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use patchgrad_datasets::{SetName, bundled, catalog};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    thread,
};

/// `pitfall data` in this folder, without the data and the proxies of whoever runs the test.
fn data(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder).env("PATCHGRAD_DATA", folder.join("usual")).arg("data").args(arguments);
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command
}

/// Standard output and standard error of a command that ends with this exit code.
fn ends(code: i32, folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = data(folder, arguments).assert().code(code).get_output().clone();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A data folder `full` with a small sample of MNIST.
fn with_sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut set = bundled(SetName::Mnist).unwrap();
    set.train = set.train.select(&(0..50).collect::<Vec<_>>());
    set.test = set.test.select(&(0..10).collect::<Vec<_>>());
    catalog::save(&set, folder.path().join("full/mnist")).unwrap();
    folder
}

fn png_size(path: &Path) -> [u32; 2] {
    let reader = png::Decoder::new(BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
    [reader.info().height, reader.info().width]
}

/// A server that answers every request with these bytes; returns its address.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[test]
fn the_list_names_every_set_its_terms_and_its_place() {
    let folder = with_sample();
    let (list, _) = ends(0, folder.path(), &["list", "--dir", "full"]);
    for set in SetName::ALL {
        assert!(list.contains(&format!("\n{set}\n  {}: ", set.title())), "{list}");
        assert!(list.contains(set.licence()), "{list}");
    }
    assert!(list.contains("  where: full/mnist\n"), "{list}");
    assert!(
        list.contains("bundled sample of 10,000 and 2,000; the full set: pitfall data fetch fashion-mnist"),
        "{list}"
    );
    assert!(list.contains("not here: pitfall data fetch svhn --dir full (247 MB)"), "{list}");
    assert!(list.contains("\nsynthetic-s1\n") && list.contains("\nsynthetic-pages\n"), "{list}");

    let (list, _) = ends(0, folder.path(), &["list"]);
    assert!(list.starts_with("data folder: ") && list.contains("usual\n"), "{list}");
    fs::remove_file(folder.path().join("full/mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    let (list, _) = ends(0, folder.path(), &["list", "--dir", "full"]);
    assert!(list.contains("  where: incomplete in full/mnist (pitfall data verify tells more)"), "{list}");
}

#[test]
fn a_sound_folder_is_verified_and_a_damaged_one_is_not() {
    let folder = with_sample();
    let (lines, _) = ends(0, folder.path(), &["verify", "full"]);
    assert_eq!(lines.lines().count(), SetName::ALL.len());
    let expected = "ok: 50 training and 10 test pictures of 28x28x1, 10 classes; checksums not known";
    assert!(lines.lines().next().unwrap().contains(expected), "{lines}");
    assert!(lines.contains("svhn           not there"), "{lines}");

    let file = folder.path().join("full/mnist/train-images-idx3-ubyte.gz");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).unwrap();
    let (lines, message) = ends(1, folder.path(), &["verify", "full"]);
    assert!(lines.starts_with("mnist          DAMAGED: ") && lines.contains("train-images-idx3-ubyte.gz"), "{lines}");
    assert_eq!(message, "error: damaged or incomplete in full: mnist\n");
}

#[test]
fn folders_without_data_are_told() {
    let folder = with_sample();
    let (_, message) = ends(2, folder.path(), &["verify", "ful"]);
    assert!(message.contains("there is no data folder ful; a data folder holds mnist/, fashion-mnist/"), "{message}");
    let (_, message) = ends(1, folder.path(), &["verify", "full/mnist"]);
    assert!(message.contains("full/mnist holds no data set; a data folder holds mnist/"), "{message}");
}

#[test]
fn contact_sheets_are_drawn_from_the_sample_a_folder_or_nothing() {
    let folder = with_sample();
    let path = |name| folder.path().join(name);
    let (text, _) = ends(0, folder.path(), &["show", "fashion-mnist", "--count", "3"]);
    assert!(
        text.contains("rows from the top: T-shirt/top, Trouser") && text.ends_with("\nfashion-mnist.png\n"),
        "{text}"
    );
    assert_eq!(png_size(&path("fashion-mnist.png")), [10 * 56 + 9 * 3, 3 * 56 + 2 * 3]);
    let (text, _) = ends(0, folder.path(), &["show", "mnist", "--dir", "full", "--out", "sheet.png", "--count", "2"]);
    assert!(text.starts_with("MNIST: 50 training pictures of 28x28x1") && text.ends_with("\nsheet.png\n"), "{text}");
    ends(0, folder.path(), &["show", "synthetic-s1", "--count", "5"]);
    assert_eq!(png_size(&path("synthetic-s1.png")), [4 * 64 + 3 * 3, 5 * 64 + 4 * 3]);
    let (text, _) = ends(0, folder.path(), &["show", "synthetic-pages", "--count", "1", "--seed", "7"]);
    assert!(text.contains("of seed 7") && text.contains("periphery (grey)"), "{text}");
    assert_eq!(png_size(&path("synthetic-pages.png")), [2 * 512 + 8, 384]);
}

#[test]
fn sheets_that_cannot_be_drawn_leave_everything_as_it_is() {
    let folder = with_sample();
    fs::write(folder.path().join("mnist.png"), b"mine").unwrap();
    let (_, message) = ends(2, folder.path(), &["show", "mnist"]);
    assert!(message.contains("mnist.png exists; nothing was written"), "{message}");
    assert_eq!(fs::read(folder.path().join("mnist.png")).unwrap(), b"mine");
    ends(0, folder.path(), &["show", "mnist", "--force", "--count", "1"]);
    assert_eq!(png_size(&folder.path().join("mnist.png"))[1], 56);

    let (_, message) = ends(2, folder.path(), &["show", "svhn"]);
    assert!(message.contains("SVHN is not here") && message.contains("pitfall data fetch svhn"), "{message}");
    let (_, message) = ends(1, folder.path(), &["show", "cifar-10", "--dir", "full"]);
    assert!(message.contains("cannot read CIFAR-10: ") && message.contains("data_batch_1.bin"), "{message}");
    let (_, message) = ends(2, folder.path(), &["show", "mnits"]);
    assert!(message.contains("a similar value exists: 'mnist'"), "{message}");
    ends(2, folder.path(), &["show", "mnist", "--count", "0"]);
    ends(1, folder.path(), &["show", "mnist", "--out", "no/such/folder.png"]);
}

#[cfg(feature = "fetch")]
#[test]
fn downloads_that_fail_say_what_to_do_and_leave_no_file() {
    let folder = with_sample();
    let gone = server(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let page = server(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>");
    let arguments = ["fetch", "fashion-mnist", "--dir", "got", "--mirror", &gone, "--mirror", &page];
    let (out, message) = ends(1, folder.path(), &arguments);
    assert_eq!(out, "");
    for expected in [
        &format!("{gone}/fashion-mnist/train-images-idx3-ubyte.gz: answered 404 Not Found"),
        &format!("{page}/fashion-mnist/train-images-idx3-ubyte.gz: announced 6 bytes, expected 26421880"),
        "put them into got/fashion-mnist:",
        "t10k-labels-idx1-ubyte.gz (5148 bytes, SHA-256 67da17c76eaf",
        "raw.githubusercontent.com/zalandoresearch/fashion-mnist",
    ] {
        assert!(message.contains(expected), "{expected:?} is not in {message}");
    }
    assert_eq!(fs::read_dir(folder.path().join("got/fashion-mnist")).unwrap().count(), 0);

    let (_, message) = ends(1, folder.path(), &["fetch", "mnist", "--dir", "full", "--mirror", &gone, "--quiet"]);
    assert!(message.contains("is there, but it is not the published file"), "{message}");
}

#[cfg(feature = "fetch")]
#[test]
fn downloads_go_through_the_proxy_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = server(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let fetch = ["fetch", "svhn", "--dir", "got", "--mirror", "http://data.invalid", "--quiet"];
    let (_, message) = {
        let output = data(folder.path(), &fetch).env("http_proxy", "nowhere:x:y").assert().code(1).get_output().clone();
        ((), String::from_utf8(output.stderr).unwrap())
    };
    assert!(message.contains("the proxy address \"nowhere:x:y\" (from http_proxy) cannot be used"), "{message}");
    let output = data(folder.path(), &fetch).env("http_proxy", &proxy).env("no_proxy", "").assert().code(1);
    let message = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(message.contains("CONNECT proxy failed"), "{message}");
}

#[cfg(feature = "fetch")]
#[test]
fn requests_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, message) = ends(2, folder.path(), &["fetch", "fashion-mnits"]);
    assert!(message.contains("a similar value exists: 'fashion-mnist'"), "{message}");
    let (_, message) = ends(2, folder.path(), &["fetch", "synthetic-s1"]);
    assert!(message.contains("possible values: mnist"), "{message}");
    let (_, message) = ends(2, folder.path(), &["fetch", "mnist", "--mirror", "server/data"]);
    assert!(message.contains("an address such as https://server/data"), "{message}");
    ends(2, folder.path(), &["fetch"]);
    let (_, message) = ends(2, folder.path(), &["verfy"]);
    assert!(message.contains("a similar subcommand exists: 'verify'"), "{message}");
}
