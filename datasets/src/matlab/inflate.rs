//! zlib that does not take a cut stream for a finished one.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// Unpacks one zlib stream.
///
/// `flate2`'s own reader answers "end of data" when its input ends in the middle of the stream. Here that is an
/// error, so whoever reads to the end knows that the checksum was there and right.
pub(super) struct Inflate<R> {
    input: R,
    state: Decompress,
    finished: bool,
}

impl<R: BufRead> Inflate<R> {
    pub fn new(input: R) -> Self {
        Inflate { input, state: Decompress::new(true), finished: false }
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.finished || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let packed = self.input.fill_buf()?;
            let is_last = packed.is_empty();
            let (consumed, produced) = (self.state.total_in(), self.state.total_out());
            let flush = if is_last { FlushDecompress::Finish } else { FlushDecompress::None };
            let status = self.state.decompress(packed, buffer, flush);
            let consumed = (self.state.total_in() - consumed) as usize;
            let produced = (self.state.total_out() - produced) as usize;
            self.input.consume(consumed);
            match status {
                Ok(Status::StreamEnd) => {
                    self.finished = true;
                    return Ok(produced);
                }
                Ok(_) if produced > 0 => return Ok(produced),
                Ok(_) if is_last => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the zlib stream ends too early"));
                }
                // Input was left and room for output, and still nothing happened.
                Ok(_) if consumed == 0 => return Err(corrupt("the zlib stream is stuck")),
                Ok(_) => {}
                Err(error) => return Err(corrupt(&error.to_string())),
            }
        }
    }
}

fn corrupt(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // Seven bytes at a time: every state of the decompressor meets the end of a piece.
        Inflate::new(io::BufReader::with_capacity(7, bytes)).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn every_cut_and_a_wrong_checksum_are_errors() {
        let content: Vec<u8> = (0..9_000u32).map(|i| (i * i / 700) as u8).collect();
        let bytes = packed(&content);
        assert_eq!(unpack(&bytes).unwrap(), content);
        for length in 0..bytes.len() {
            let error = unpack(&bytes[..length]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length} of {}", bytes.len());
        }
        let mut wrong = bytes.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(unpack(&wrong).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn what_follows_the_stream_is_left_alone() {
        let content = [5; 100];
        let bytes = [packed(&content), b"more".to_vec()].concat();
        assert_eq!(unpack(&bytes).unwrap(), content);
    }
}
