//! Requests: proxies, time limits, TLS, and what a server's answer means for a download.

use std::env;
use std::io::{self, Read};

use ureq::http::{Response, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, Error, Proxy};

use super::{FetchError, FetchOptions};

/// Redirections that are followed; the publishers need one.
const MAX_REDIRECTS: u32 = 5;

/// Which proxies to go through, each as `http://host:port`.
///
/// Every connection is a tunnel (`CONNECT`), also to an `http:` address. Where a proxy allows tunnels to port 443 only, the
/// `https:` addresses serve, of which every set has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For addresses that begin with `http:`.
    pub http: Option<String>,
    /// For addresses that begin with `https:`.
    pub https: Option<String>,
    /// Hosts to reach without a proxy, separated by commas; a host stands for its subdomains, too, and `*` for all.
    pub none_for: Option<String>,
}

impl Proxies {
    /// What the environment asks for: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in small or capital letters.
    pub fn from_env() -> Self {
        Proxies::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let values = names.iter().flat_map(|name| [variable(name), variable(&name.to_uppercase())]);
            values.flatten().map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        Proxies {
            http: first(&["http_proxy", "all_proxy"]),
            https: first(&["https_proxy", "all_proxy"]),
            none_for: first(&["no_proxy"]),
        }
    }

    fn resolve(&self, address: &Option<String>, variable: &'static str) -> Result<Option<Proxy>, FetchError> {
        let Some(address) = address else { return Ok(None) };
        let unusable = |_| FetchError::Proxy { variable, address: address.clone() };
        let plain = Proxy::new(address).map_err(unusable)?;
        let mut proxy = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
        if let Some(name) = plain.username() {
            proxy = proxy.username(name);
        }
        if let Some(password) = plain.password() {
            proxy = proxy.password(password);
        }
        let hosts = self.none_for.as_deref().unwrap_or_default().split(',').map(str::trim);
        for host in hosts.filter(|host| !host.is_empty()) {
            proxy = proxy.no_proxy(host);
            if !host.starts_with(['.', '*']) {
                proxy = proxy.no_proxy(&format!(".{host}"));
            }
        }
        proxy.build().map(Some).map_err(unusable)
    }
}

/// Sends requests.
pub(super) struct Client {
    http: Agent,
    /// `None` where the built-in TLS does not run.
    https: Option<Agent>,
}

/// Why a request gave no bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It may work later.
    Passing(String),
    /// It will not work.
    Final(String),
    /// The server has nothing from the byte on that was asked for.
    NoSuchRange,
}

/// A server's answer that carries bytes of the file.
pub(super) struct Answer {
    /// Offset in the file of the first byte that follows.
    pub start: u64,
    /// Number of bytes that follow, if announced.
    pub length: Option<u64>,
    /// These bytes.
    pub body: Box<dyn Read>,
}

impl Client {
    pub fn new(options: &FetchOptions) -> Result<Self, FetchError> {
        let proxies = &options.proxies;
        let agent = |proxy, tls| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(MAX_REDIRECTS)
                .user_agent(concat!("patchgrad/", env!("CARGO_PKG_VERSION")))
                // The bytes of the file itself, not compressed once more on their way.
                .accept_encoding("identity")
                .timeout_resolve(Some(options.connect_timeout))
                .timeout_connect(Some(options.connect_timeout))
                .timeout_recv_response(Some(options.stall_timeout))
                .timeout_per_read(Some(options.stall_timeout))
                .proxy(proxy);
            Agent::new_with_config(match tls {
                Some(tls) => config.tls_config(tls).build(),
                None => config.build(),
            })
        };
        let http = agent(proxies.resolve(&proxies.http, "http_proxy")?, tls());
        let https_proxy = proxies.resolve(&proxies.https, "https_proxy")?;
        Ok(Client { http, https: tls().map(|tls| agent(https_proxy, Some(tls))) })
    }

    /// Asks for the bytes of `url` from `start` on.
    pub fn get(&self, url: &str, start: u64) -> Result<Answer, Refusal> {
        let no_tls = || Refusal::Final("the built-in TLS does not run on this processor; use an http: address".into());
        let agent = if url.starts_with("https:") { self.https.as_ref().ok_or_else(no_tls)? } else { &self.http };
        let mut request = agent.get(url);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(refusal)?;
        answer(response, start)
    }
}

fn answer(response: Response<Body>, asked: u64) -> Result<Answer, Refusal> {
    let status = response.status();
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let start = match status.as_u16() {
        200 => 0,
        206 => match text(header::CONTENT_RANGE).and_then(range_start) {
            Some(start) if start == asked => start,
            _ => return Err(Refusal::NoSuchRange),
        },
        416 => return Err(Refusal::NoSuchRange),
        408 | 425 | 429 | 500..=599 => return Err(Refusal::Passing(format!("answered {status}"))),
        _ => return Err(Refusal::Final(format!("answered {status}"))),
    };
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    Ok(Answer { start, length, body: Box::new(response.into_body().into_reader()) })
}

/// The first number of `bytes 500-999/1000`.
fn range_start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// Whether the server fell silent for too long.
pub(super) fn is_stall(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
        .is_some_and(|error| matches!(error, Error::Timeout(_)))
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::HostNotFound => Refusal::Final("the host name is not known (no network?)".to_owned()),
        Error::BadUri(_) | Error::Http(_) => Refusal::Final(format!("not an address: {error}")),
        Error::TooManyRedirects | Error::RedirectFailed => Refusal::Final(error.to_string()),
        Error::Timeout(_) => Refusal::Passing("did not answer in time".to_owned()),
        error => Refusal::Passing(error.to_string()),
    }
}

/// TLS by rustls with graviola's arithmetic: Rust and its inline assembly, nothing for a C compiler to do.
///
/// `None` on processors that it does not run on: graviola would panic there.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn tls() -> Option<TlsConfig> {
    #[cfg(target_arch = "x86_64")]
    let runs = is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("adx");
    #[cfg(target_arch = "aarch64")]
    let runs = std::arch::is_aarch64_feature_detected!("neon")
        && std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull")
        && std::arch::is_aarch64_feature_detected!("sha2");
    runs.then(|| {
        let provider = std::sync::Arc::new(rustls_graviola::default_provider());
        TlsConfig::builder().unversioned_rustls_crypto_provider(provider).build()
    })
}

/// graviola knows no other processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn tls() -> Option<TlsConfig> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses_proxies_as_elsewhere() {
        let env = |pairs: &'static [(&str, &str)]| {
            Proxies::from_variables(move |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(env(&[("HTTP_PROXY", " "), ("http_proxy", "")]), Proxies::default());
        let proxies = env(&[("http_proxy", "http://a"), ("HTTPS_PROXY", "http://b"), ("NO_PROXY", "x,y")]);
        assert_eq!(proxies, Proxies { http: some("http://a"), https: some("http://b"), none_for: some("x,y") });
        let proxies = env(&[("ALL_PROXY", "http://c"), ("https_proxy", "http://b")]);
        assert_eq!(proxies, Proxies { http: some("http://c"), https: some("http://b"), none_for: None });
    }

    #[test]
    fn hosts_without_proxy_stand_for_their_subdomains() {
        let proxies = Proxies { none_for: Some("local.net, .org,127.0.0.1".into()), ..Proxies::default() };
        let proxy = proxies.resolve(&Some("http://me:secret@proxy:3128".into()), "http_proxy").unwrap().unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy", 3128));
        assert_eq!((proxy.username(), proxy.password()), (Some("me"), Some("secret")));
        let direct = |url: &str| proxy.is_no_proxy(&url.parse().unwrap());
        for url in ["http://local.net/a", "http://data.local.net/a", "http://a.org/", "http://127.0.0.1:80/"] {
            assert!(direct(url), "{url}");
        }
        for url in ["http://notlocal.net/", "http://org/", "http://10.0.0.1/"] {
            assert!(!direct(url), "{url}");
        }
        let error = proxies.resolve(&Some("ftp:/nowhere".into()), "http_proxy").unwrap_err().to_string();
        assert!(error.contains("\"ftp:/nowhere\" (from http_proxy)"), "{error}");
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(range_start("bytes 500-999/1000"), Some(500));
        assert_eq!(range_start("bytes 0-0/*"), Some(0));
        for text in ["", "bytes */1000", "lines 1-2/3", "bytes x-1/2"] {
            assert_eq!(range_start(text), None, "{text}");
        }
    }
}
