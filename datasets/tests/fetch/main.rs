//! Downloads from servers that work, break off, lie, stall and send something else.
//!
//! The sets here are small and made up; their servers run on this machine.
#![forbid(unsafe_code)]

mod packed;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use patchgrad_datasets::fetch::{Event, FetchError, FetchOptions, Proxies, fetch};
use patchgrad_datasets::upstream::{Content, Packing, Published, Upstream};
use server::{Reply, Request, Server};
use sha2::{Digest, Sha256};

/// Enough for several reads and writes.
const SIZE: usize = 300_000;

/// Bytes that no shift and no cut leaves as they are.
fn payload(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    (0..SIZE).map(|_| next()).collect()
}

fn sha256(bytes: &[u8]) -> &'static str {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>().leak()
}

/// A set of one plain file, offered by these servers.
fn plain_set(bytes: &[u8], servers: &[&Server]) -> Upstream {
    let (size, sha256) = (bytes.len() as u64, sha256(bytes));
    let contents = vec![Content { path: "file.mat", size, sha256 }].leak();
    set(vec![Published { name: "file.mat", size, sha256, packing: Packing::Plain, contents }], servers)
}

fn set(files: Vec<Published>, servers: &[&Server]) -> Upstream {
    let mirrors: Vec<&str> = servers.iter().map(|server| &*format!("{}/data/", server.address).leak()).collect();
    Upstream { folder: "made-up", mirrors: mirrors.leak(), files: files.leak(), counts: [0, 0] }
}

/// A data folder, what happened, and how it ended.
struct Run {
    folder: tempfile::TempDir,
    events: Vec<String>,
    outcome: Result<PathBuf, FetchError>,
    /// The largest part that was ever on the disk, seen at every event.
    largest: u64,
}

impl Run {
    fn new(upstream: &Upstream) -> Self {
        Self::with(upstream, &options(), |_| {})
    }

    fn with(upstream: &Upstream, options: &FetchOptions, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(&folder.path().join(upstream.folder));
        Self { folder, events: Vec::new(), outcome: Ok(PathBuf::new()), largest: 0 }.again(upstream, options)
    }

    /// Fetches again into the same folder.
    fn again(mut self, upstream: &Upstream, options: &FetchOptions) -> Self {
        let parts = self.folder.path().join(upstream.folder);
        self.events.clear();
        self.outcome = fetch(upstream, self.folder.path(), options, &mut |event| {
            let entries = fs::read_dir(&parts).unwrap().map(|entry| entry.unwrap());
            let sizes = entries.filter(|entry| entry.path().extension().is_some_and(|part| part == "part"));
            self.largest = sizes.map(|entry| entry.metadata().unwrap().len()).max().unwrap_or(0).max(self.largest);
            self.events.push(match event {
                Event::Kept { file } => format!("kept {file}"),
                Event::Started { at, .. } => format!("started at {at}"),
                Event::Failed { reason, .. } => format!("failed: {reason}"),
                Event::Waiting { .. } => "waiting".to_owned(),
                Event::Placed { path } => format!("placed {}", path.file_name().unwrap().display()),
                Event::Unpacking { file } => format!("unpacking {file}"),
                Event::Received { .. } => return,
            });
        });
        self
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = fs::read_dir(self.folder.path().join("made-up"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        files
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("made-up").join(name)).unwrap()
    }

    /// The file is there, complete, and nothing else.
    fn assert_placed(&self, bytes: &[u8]) {
        assert!(self.outcome.is_ok(), "{:?}", self.outcome);
        assert_eq!(self.files(), ["file.mat"]);
        assert!(self.read("file.mat") == bytes);
        assert!(self.largest <= bytes.len() as u64, "{} bytes on the disk", self.largest);
    }

    /// Nothing has the final name; returns the message.
    fn assert_failed(&self, size: usize) -> String {
        assert!(!self.files().contains(&"file.mat".to_owned()), "{:?}", self.files());
        assert!(self.largest <= size as u64, "{} bytes on the disk", self.largest);
        self.outcome.as_ref().unwrap_err().to_string()
    }
}

/// Without the pauses of real life.
fn options() -> FetchOptions {
    FetchOptions {
        pause: Duration::from_millis(1),
        stall_timeout: Duration::from_millis(200),
        connect_timeout: Duration::from_secs(5),
        ..FetchOptions::default()
    }
}

#[test]
fn right_bytes_are_placed_and_kept() {
    let bytes = payload(1);
    let sent = bytes.clone();
    let server = Server::start(move |_| Reply::Whole(sent.clone()));
    let upstream = plain_set(&bytes, &[&server]);
    let run = Run::new(&upstream);
    run.assert_placed(&bytes);
    assert_eq!(run.events, ["started at 0", "placed file.mat"]);
    let run = run.again(&upstream, &options());
    run.assert_placed(&bytes);
    assert_eq!(run.events, ["kept file.mat"]);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].target, "/data/file.mat");
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let bytes = payload(2);
    let sent = bytes.clone();
    let server = Server::start(move |_| Reply::Cut(sent.clone(), 70_000));
    let run = Run::new(&plain_set(&bytes, &[&server]));
    run.assert_placed(&bytes);
    let from: Vec<_> = server.requests().iter().map(|request| request.from).collect();
    assert_eq!(from, [None, Some(70_000), Some(140_000), Some(210_000), Some(280_000)]);
    assert!(!run.events.contains(&"waiting".to_owned()), "{:?}", run.events);
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let bytes = payload(3);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.before {
        0 => Reply::Cut(sent.clone(), 100_000),
        1..6 => Reply::Status("503 Service Unavailable"),
        _ => Reply::Whole(sent.clone()),
    });
    let upstream = plain_set(&bytes, &[&server]);
    let run = Run::new(&upstream);
    let message = run.assert_failed(SIZE);
    assert!(message.contains("503 Service Unavailable"), "{message}");
    assert!(run.read("file.mat.part") == bytes[..100_000]);
    let run = run.again(&upstream, &options());
    run.assert_placed(&bytes);
    assert_eq!(run.events, ["started at 100000", "placed file.mat"]);
}

#[test]
fn a_part_that_is_complete_needs_no_server() {
    let bytes = payload(4);
    let server = Server::start(|_| Reply::Status("500 Internal Server Error"));
    let upstream = plain_set(&bytes, &[&server]);
    let run = Run::with(&upstream, &options(), |folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("file.mat.part"), &bytes).unwrap();
    });
    run.assert_placed(&bytes);
    assert_eq!(server.requests(), []);
}

#[test]
fn parts_of_something_else_are_thrown_away() {
    let bytes = payload(5);
    for left in [payload(6)[..1000].to_vec(), payload(6), [payload(6), payload(7)].concat()] {
        let sent = bytes.clone();
        let server = Server::start(move |_| Reply::Whole(sent.clone()));
        let upstream = plain_set(&bytes, &[&server]);
        let run = Run::with(&upstream, &options(), |folder| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("file.mat.part"), &left).unwrap();
        });
        assert!(run.outcome.is_ok() && run.read("file.mat") == bytes, "{:?}", run.outcome);
        assert_eq!(run.events.last().unwrap(), "placed file.mat");
    }
}

#[test]
fn servers_without_ranges_start_again_and_are_left_in_the_end() {
    let bytes = payload(8);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.before {
        0 => Reply::CutIgnoringRange(sent.clone(), 200_000),
        _ => Reply::IgnoringRange(sent.clone()),
    });
    let run = Run::new(&plain_set(&bytes, &[&server]));
    run.assert_placed(&bytes);
    assert_eq!(server.requests()[1].from, Some(200_000));
    assert!(run.events.contains(&"started at 0".to_owned()));

    // Always cut at the same place, it never gets further: no endless loop, and no more tries than asked for.
    let sent = bytes.clone();
    let server = Server::start(move |_| Reply::CutIgnoringRange(sent.clone(), 200_000));
    let message = Run::new(&plain_set(&bytes, &[&server])).assert_failed(SIZE);
    assert!(message.contains("200000 of 300000 bytes"), "{message}");
    assert!(server.requests().len() <= 6, "{} requests", server.requests().len());
}

#[test]
fn ranges_nobody_asked_for_are_not_glued_together() {
    let bytes = payload(9);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.from {
        None if request.before == 0 => Reply::Cut(sent.clone(), 50_000),
        None => Reply::Whole(sent.clone()),
        Some(_) => {
            let head = "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: bytes 40000-299999/300000\r\n\
                        Content-Length: 250000\r\n\r\n";
            Reply::Raw([head.as_bytes(), &sent[40_000..290_000]].concat())
        }
    });
    let run = Run::new(&plain_set(&bytes, &[&server]));
    run.assert_placed(&bytes);
    assert!(run.events.contains(&"failed: cannot continue at byte 50000".to_owned()), "{:?}", run.events);

    // A server that refuses every range and cuts every answer does not keep the program busy for ever.
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.from {
        None => Reply::Cut(sent.clone(), 50_000),
        Some(_) => Reply::Status("416 Range Not Satisfiable"),
    });
    Run::new(&plain_set(&bytes, &[&server])).assert_failed(SIZE);
    assert!(server.requests().len() <= 20, "{} requests", server.requests().len());
}

#[test]
fn wrong_lengths_are_refused_before_a_byte_is_written() {
    let bytes = payload(10);
    for length in [SIZE - 1, SIZE + 1, usize::MAX >> 1] {
        let sent = bytes.clone();
        let server = Server::start(move |_| Reply::Announcing(length, sent.clone()));
        let run = Run::new(&plain_set(&bytes, &[&server]));
        let message = run.assert_failed(0);
        assert!(message.contains(&format!("announced {length} bytes, expected {SIZE}")), "{message}");
        assert_eq!(server.requests().len(), 1, "such a server is not asked again");
    }
}

#[test]
fn unannounced_bodies_end_at_the_published_size() {
    let bytes = payload(11);
    let sent = bytes.clone();
    let server = Server::start(move |_| Reply::Unannounced(sent.clone()));
    Run::new(&plain_set(&bytes, &[&server])).assert_placed(&bytes);

    let longer = [bytes.clone(), payload(12)].concat();
    let server = Server::start(move |_| Reply::Unannounced(longer.clone()));
    let message = Run::new(&plain_set(&bytes, &[&server])).assert_failed(SIZE);
    assert!(message.contains("sent more than the 300000 bytes"), "{message}");

    let shorter = bytes[..SIZE - 1].to_vec();
    let server = Server::start(move |_| Reply::Unannounced(shorter.clone()));
    let message = Run::new(&plain_set(&bytes, &[&server])).assert_failed(SIZE);
    assert!(message.contains("ended after 299999 of 300000 bytes"), "{message}");
}

#[test]
fn wrong_content_never_gets_the_name_and_the_next_mirror_is_asked() {
    let bytes = payload(13);
    let mut altered = bytes.clone();
    altered[SIZE / 2] ^= 1;
    let liar = Server::start(move |_| Reply::Whole(altered.clone()));
    let message = Run::new(&plain_set(&bytes, &[&liar])).assert_failed(SIZE);
    assert!(message.contains("sent other content: SHA-256"), "{message}");
    assert_eq!(liar.requests().len(), 1, "such a server is not asked again");

    let sent = bytes.clone();
    let honest = Server::start(move |_| Reply::Whole(sent.clone()));
    Run::new(&plain_set(&bytes, &[&liar, &honest])).assert_placed(&bytes);

    // The same liar, cutting connections: its halves are not believed either.
    let mut altered = bytes.clone();
    altered[10] ^= 1;
    let liar = Server::start(move |_| Reply::Cut(altered.clone(), 160_000));
    Run::new(&plain_set(&bytes, &[&liar, &honest])).assert_placed(&bytes);
    assert!(liar.requests().len() <= 8, "{} requests", liar.requests().len());
}

#[test]
fn a_web_page_in_place_of_the_file_is_refused() {
    let bytes = payload(14);
    let server = Server::start(|_| Reply::Whole(b"<html>Please accept our cookies</html>".to_vec()));
    let message = Run::new(&plain_set(&bytes, &[&server])).assert_failed(0);
    assert!(message.contains("announced 38 bytes"), "{message}");
}

#[test]
fn missing_files_send_to_the_next_mirror_and_errors_are_tried_again() {
    let bytes = payload(15);
    let gone = Server::start(|_| Reply::Status("404 Not Found"));
    let sent = bytes.clone();
    let shaky = Server::start(move |request| match request.before {
        0 => Reply::Status("500 Internal Server Error"),
        1 => Reply::Status("429 Too Many Requests"),
        _ => Reply::Whole(sent.clone()),
    });
    let run = Run::new(&plain_set(&bytes, &[&gone, &shaky]));
    run.assert_placed(&bytes);
    assert_eq!((gone.requests().len(), shaky.requests().len()), (1, 3));
    let waits = run.events.iter().filter(|event| *event == "waiting").count();
    assert_eq!(waits, 2, "{:?}", run.events);
}

#[test]
fn garbage_in_place_of_http_is_an_error() {
    let bytes = payload(16);
    for garbage in [&b"HTTP/1.1 200"[..], b"", b"\x16\x03\x01\x02\x00", b"HTTP/1.1 999999 ?\r\n\r\n", &[b'a'; 200_000]]
    {
        let server = Server::start(move |_| Reply::Raw(garbage.to_vec()));
        let message = Run::new(&plain_set(&bytes, &[&server])).assert_failed(0);
        assert!(message.contains(&server.address), "{message}");
        assert!(server.requests().len() <= 4);
    }
}

#[test]
fn redirections_are_followed_and_circles_are_not() {
    let bytes = payload(17);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.target.as_str() {
        "/data/file.mat" => Reply::Redirect("/elsewhere".to_owned()),
        _ if request.before == 1 => Reply::Cut(sent.clone(), 100_000),
        _ => Reply::Whole(sent.clone()),
    });
    Run::new(&plain_set(&bytes, &[&server])).assert_placed(&bytes);
    let ranges: Vec<_> = server.requests().iter().map(|request| request.from).collect();
    assert_eq!(ranges, [None, None, Some(100_000), Some(100_000)], "the range has to survive the redirection");

    let circle = Server::start(|_| Reply::Redirect("/data/file.mat".to_owned()));
    let message = Run::new(&plain_set(&bytes, &[&circle])).assert_failed(0);
    assert!(message.contains("redirect"), "{message}");
    assert!(circle.requests().len() <= 7);
}

#[test]
fn a_silent_server_is_left_after_the_time_limit() {
    let bytes = payload(18);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.before {
        0 => Reply::Stall(sent.clone(), 100_000),
        _ => Reply::Whole(sent.clone()),
    });
    let clock = Instant::now();
    let run = Run::new(&plain_set(&bytes, &[&server]));
    run.assert_placed(&bytes);
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    assert!(run.events.contains(&"failed: fell silent after 100000 of 300000 bytes".to_owned()), "{:?}", run.events);
    assert_eq!(server.requests()[1].from, Some(100_000));
}

#[test]
fn nobody_there_tells_what_to_put_where() {
    let bytes = payload(19);
    // A port that was free a moment ago.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut upstream = plain_set(&bytes, &[]);
    upstream.mirrors = vec![&*format!("http://{closed}/data/").leak(), "http://no-such-host.invalid/"].leak();
    let run = Run::new(&upstream);
    let message = run.assert_failed(0);
    assert_eq!(run.files(), [""; 0], "no empty part is left");
    for expected in [
        format!("http://{closed}/data/file.mat: "),
        "http://no-such-host.invalid/file.mat: ".to_owned(),
        format!("put it into {}:", run.folder.path().join("made-up").display()),
        format!("file.mat (300000 bytes, SHA-256 {})", sha256(&bytes)),
        "PATCHGRAD_DATA".to_owned(),
    ] {
        assert!(message.contains(&expected), "{expected:?} is not in {message}");
    }
    let Err(FetchError::Unreachable { by_hand, .. }) = run.outcome else { panic!("{message}") };
    assert_eq!(by_hand.len(), 1);
}

#[test]
fn other_mirrors_have_the_layout_of_a_data_folder() {
    let bytes = payload(20);
    let sent = bytes.clone();
    let server = Server::start(move |request| match request.target.as_str() {
        "/pub/made-up/file.mat" => Reply::Whole(sent.clone()),
        _ => Reply::Status("404 Not Found"),
    });
    let mirrors = vec![format!("{}/nothing", server.address), format!("{}/pub/", server.address)];
    let run = Run::with(&plain_set(&bytes, &[]), &FetchOptions { mirrors, ..options() }, |_| {});
    run.assert_placed(&bytes);
}

#[test]
fn proxies_are_used_and_hosts_excepted() {
    let bytes = payload(21);
    let sent = bytes.clone();
    let proxy = Server::start(move |request: &Request| match request.target.as_str() {
        "/file.mat" => Reply::Whole(sent.clone()),
        _ => Reply::Status("404 Not Found"),
    });
    let mut upstream = plain_set(&bytes, &[]);
    upstream.mirrors = &["http://data.example/"];
    let with_proxy = |none_for: Option<&str>| FetchOptions {
        proxies: Proxies { http: Some(proxy.address.clone()), https: None, none_for: none_for.map(str::to_owned) },
        ..options()
    };
    Run::with(&upstream, &with_proxy(None), |_| {}).assert_placed(&bytes);
    let targets: Vec<String> = proxy.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["data.example:80", "/file.mat"]);

    let asked = proxy.requests().len();
    Run::with(&upstream, &with_proxy(Some("example")), |_| {}).assert_failed(0);
    assert_eq!(proxy.requests().len(), asked, "the host is excepted");
}

#[test]
fn foreign_files_are_not_overwritten() {
    let bytes = payload(22);
    let sent = bytes.clone();
    let server = Server::start(move |_| Reply::Whole(sent.clone()));
    let upstream = plain_set(&bytes, &[&server]);
    let run = Run::with(&upstream, &options(), |folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("file.mat"), b"precious").unwrap();
    });
    let message = run.outcome.as_ref().unwrap_err().to_string();
    assert!(message.contains("file.mat is there, but it is not the published file"), "{message}");
    assert_eq!(run.read("file.mat"), b"precious");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_file_that_is_being_written_is_left_to_its_writer() {
    let bytes = payload(23);
    let server = Server::start(|_| Reply::Status("404 Not Found"));
    let upstream = plain_set(&bytes, &[&server]);
    let mut other = None;
    let run = Run::with(&upstream, &options(), |folder| {
        fs::create_dir_all(folder).unwrap();
        let file = fs::File::create(folder.join("file.mat.part")).unwrap();
        file.lock().unwrap();
        other = Some(file);
    });
    let message = run.assert_failed(0);
    assert!(message.contains("file.mat.part is being written by another process"), "{message}");
}
