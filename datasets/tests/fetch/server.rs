//! An HTTP server for one test, which misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The target of the request line: a path, or host and port of a tunnel when the server is used as a proxy.
    pub target: String,
    /// First byte asked for by `Range`.
    pub from: Option<usize>,
    /// All lines of the header.
    pub header: Vec<String>,
    /// How many requests came before, to any path.
    pub before: usize,
}

/// What it does then.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The bytes, from the offset asked for.
    Whole(Vec<u8>),
    /// The same, but all of them whatever range is asked for.
    IgnoringRange(Vec<u8>),
    /// `Whole`, but the connection ends after so many bytes of the body.
    Cut(Vec<u8>, usize),
    /// `Whole`, and nothing more comes after so many bytes of the body, though the connection stays open.
    Stall(Vec<u8>, usize),
    /// `IgnoringRange`, cut after so many bytes.
    CutIgnoringRange(Vec<u8>, usize),
    /// A body whose length is not announced: it ends with the connection.
    Unannounced(Vec<u8>),
    /// A body of another length than announced.
    Announcing(usize, Vec<u8>),
    /// A status line and nothing else.
    Status(&'static str),
    /// Another address.
    Redirect(String),
    /// These bytes, whatever they mean, and the end.
    Raw(Vec<u8>),
}

/// Serves until the test ends.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that answers as `reply` says.
    pub fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, reply) = (requests.clone(), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, reply) = (log.clone(), reply.clone());
                thread::spawn(move || {
                    if let Some(request) = read_request(&stream, &log) {
                        answer(stream, &request, reply(&request));
                    }
                });
            }
        });
        Server { address, requests }
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream, log_of_all: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let first = lines.next()?;
    let target = first.split_whitespace().nth(1)?.to_owned();
    let header: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let lower = header.iter().map(|line| line.to_lowercase());
    let range = lower.filter_map(|line| line.strip_prefix("range: bytes=").map(str::to_owned)).next();
    let from = range.and_then(|range| range.trim_end_matches('-').parse().ok());
    let mut log = log_of_all.lock().unwrap();
    let request = Request { target, from, header, before: log.len() };
    log.push(request.clone());
    drop(log);
    if first.starts_with("CONNECT ") {
        // A proxy: a tunnel to the host, behind which is this server itself.
        (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
        return read_request(stream, log_of_all);
    }
    Some(request)
}

fn answer(mut stream: TcpStream, request: &Request, reply: Reply) {
    // A client that hangs up early is what some tests are about.
    let mut send = |bytes: &[u8]| {
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    };
    let head = |status: &str, headers: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    let range = |bytes: &[u8]| match request.from {
        Some(from) if from >= bytes.len() => (head("416 Range Not Satisfiable", "Content-Length: 0\r\n"), bytes.len()),
        Some(from) => {
            let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            (head("206 Partial Content", &format!("{range}Content-Length: {}\r\n", bytes.len() - from)), from)
        }
        None => (head("200 OK", &format!("Content-Length: {}\r\n", bytes.len())), 0),
    };
    let all = |length: usize| head("200 OK", &format!("Content-Length: {length}\r\n"));
    match reply {
        Reply::Whole(bytes) => {
            let (head, from) = range(&bytes);
            send(head.as_bytes());
            send(&bytes[from..]);
        }
        Reply::Cut(bytes, after) => {
            let (head, from) = range(&bytes);
            send(head.as_bytes());
            send(&bytes[from..(from + after).min(bytes.len())]);
        }
        Reply::Stall(bytes, after) => {
            let (head, from) = range(&bytes);
            send(head.as_bytes());
            send(&bytes[from..(from + after).min(bytes.len())]);
            thread::sleep(Duration::from_secs(20));
        }
        Reply::IgnoringRange(bytes) => {
            send(all(bytes.len()).as_bytes());
            send(&bytes);
        }
        Reply::CutIgnoringRange(bytes, after) => {
            send(all(bytes.len()).as_bytes());
            send(&bytes[..after]);
        }
        Reply::Unannounced(bytes) => {
            send(head("200 OK", "").as_bytes());
            send(&bytes);
        }
        Reply::Announcing(length, bytes) => {
            send(all(length).as_bytes());
            send(&bytes);
        }
        Reply::Status(status) => send(head(status, "Content-Length: 0\r\n").as_bytes()),
        Reply::Redirect(to) => send(head("302 Found", &format!("Location: {to}\r\nContent-Length: 0\r\n")).as_bytes()),
        Reply::Raw(bytes) => send(&bytes),
    }
    let _ = stream.shutdown(Shutdown::Both);
}
