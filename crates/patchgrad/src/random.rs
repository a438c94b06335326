//! One seed, many named and independent streams of random numbers.

use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng as Stream;
use std::{fmt, str::FromStr};

/// The stream `name` of `seed`.
///
/// Every use has its own name ("init", "shuffle", "patches"), so that drawing more numbers for one does not shift the
/// others. The numbers are the same on every machine and pinned by a test: the 32-byte key of a ChaCha8 generator is the
/// seed, the 64-bit FNV-1a hash of the name, and `index`, each little-endian, and eight zero bytes.
pub fn stream(seed: u64, name: &str, index: u64) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&fnv1a(name).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    Stream::from_seed(key)
}

/// Where a stream stands: everything that decides the numbers it will give.
///
/// Its text, `<key in hex>:<stream number>:<words drawn>`, is what checkpoints keep.
///
/// ```
/// use patchgrad::random::{StreamState, stream};
/// use rand::RngExt;
/// let mut first = stream(1, "patches", 0);
/// let _: [u32; 5] = first.random();
/// let saved = StreamState::of(&first).to_string();
/// let mut again = saved.parse::<StreamState>().unwrap().stream();
/// assert_eq!(again.random::<u64>(), first.random::<u64>());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState {
    key: [u8; 32],
    number: u64,
    /// 32-bit words drawn; below 2^68.
    words: u128,
}

impl StreamState {
    /// Where `stream` stands.
    pub fn of(stream: &Stream) -> Self {
        Self { key: stream.get_seed(), number: stream.get_stream(), words: stream.get_word_pos() }
    }

    /// A stream that stands there.
    pub fn stream(&self) -> Stream {
        let mut stream = Stream::from_seed(self.key);
        stream.set_stream(self.number);
        stream.set_word_pos(self.words);
        stream
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.key {
            write!(f, "{byte:02x}")?;
        }
        write!(f, ":{}:{}", self.number, self.words)
    }
}

/// A text that is not the state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the state of a random stream, <64 hex digits>:<number>:<words drawn, below 2^68>")]
pub struct StreamStateError;

impl FromStr for StreamState {
    type Err = StreamStateError;

    fn from_str(text: &str) -> Result<Self, StreamStateError> {
        let mut parts = text.split(':');
        let (Some(hex), Some(number), Some(words), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(StreamStateError);
        };
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StreamStateError);
        }
        let mut key = [0; 32];
        for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| StreamStateError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| StreamStateError)?;
        }
        let number = number.parse().map_err(|_| StreamStateError)?;
        let words: u128 = words.parse().map_err(|_| StreamStateError)?;
        if words >> 68 != 0 {
            return Err(StreamStateError);
        }
        Ok(Self { key, number, words })
    }
}

/// Fowler, Noll and Vo's 64-bit hash, variant 1a.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn fnv1a_matches_its_published_vectors() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn streams_differ_by_seed_name_and_index() {
        let draw = |seed, name, index| stream(seed, name, index).random::<u64>();
        let first = draw(1, "init", 0);
        assert_eq!(first, draw(1, "init", 0));
        for other in [draw(2, "init", 0), draw(1, "shuffle", 0), draw(1, "init", 1)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn the_numbers_are_pinned() {
        let mut stream = stream(42, "init", 7);
        let drawn: Vec<u32> = (0..3).map(|_| stream.random()).collect();
        assert_eq!(drawn, GOLDEN);
    }

    #[test]
    fn a_saved_stream_goes_on_with_the_same_numbers_wherever_it_stood() {
        // A block has 16 words and the generator makes four at a time: all offsets around both, with draws of all sizes.
        for drawn in 0..200 {
            let mut first = stream(9, "patches", 3);
            for i in 0..drawn {
                match i % 7 {
                    3 => drop(first.random::<u64>()),
                    5 => drop(first.random_range(0..1000_u32)),
                    _ => drop(first.random::<u32>()),
                }
            }
            let saved: StreamState = StreamState::of(&first).to_string().parse().unwrap();
            assert_eq!(saved, StreamState::of(&first));
            let mut again = saved.stream();
            for _ in 0..80 {
                assert_eq!(again.random::<u64>(), first.random::<u64>(), "after {drawn} draws");
            }
            assert_eq!(StreamState::of(&again), StreamState::of(&first));
        }
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let good = StreamState::of(&stream(1, "init", 0)).to_string();
        assert!(good.parse::<StreamState>().is_ok());
        let long = format!("{}:0:{}", "0".repeat(64), 1u128 << 68);
        let bad =
            ["", "::", "0:0:0", &good[1..], &good.replacen('0', "g", 1), &format!("{good}:1"), &good.replace(':', ";")];
        for bad in bad.into_iter().chain([&long[..]]) {
            assert_eq!(bad.parse::<StreamState>(), Err(StreamStateError), "{bad}");
        }
    }

    /// A change here changes every result of every run: it needs a new version of the project.
    const GOLDEN: [u32; 3] = [3_445_695_331, 1_427_037_470, 2_212_541_331];
}
