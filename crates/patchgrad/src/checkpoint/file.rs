//! The bytes of a file: eight for the length of the header, the header as JSON, the elements.
//!
//! The crate `safetensors` reads and checks them. It does not write them, because its metadata are in the order of a hash
//! map with a random seed, and the same checkpoint must be the same bytes.
//!
//! # References
//! <https://github.com/huggingface/safetensors#format>

use super::{Checkpoint, CheckpointError, Data, Stored};
use safetensors::{Dtype, SafeTensors};
use std::fmt::Write;

/// The name under which the header keeps the entries.
pub(super) const METADATA: &str = "__metadata__";

/// Headers are a few kilobytes. A parsed header takes a multiple of its size, so a damaged length must not reach the whole
/// file.
const LONGEST_HEADER: usize = 16 << 20;

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Panics
    /// If names and entries take more than 16 MiB, or a tensor that was read is neither f32 nor i32.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut header = String::from("{");
        write_json(&mut header, METADATA);
        header.push_str(":{");
        for (i, (key, value)) in self.entries.iter().enumerate() {
            header.push_str(if i > 0 { "," } else { "" });
            write_json(&mut header, key);
            header.push(':');
            write_json(&mut header, value);
        }
        header.push('}');
        let mut end = 0;
        for (name, stored) in &self.tensors {
            let start = end;
            end += 4 * stored.dims.iter().product::<usize>();
            header.push(',');
            write_json(&mut header, name);
            let (dtype, dims) = (stored.data.type_name(), &stored.dims);
            write!(header, r#":{{"dtype":"{dtype}","shape":{dims:?},"data_offsets":[{start},{end}]}}"#)
                .expect("a string takes everything");
        }
        header.push('}');
        // The elements start at a multiple of 8.
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        assert!(header.len() <= LONGEST_HEADER, "Checkpoint: a header of {} bytes", header.len());
        let mut bytes = Vec::with_capacity(8 + header.len() + end);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header.as_bytes());
        for stored in self.tensors.values() {
            match &stored.data {
                Data::F32(values) => values.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
                Data::I32(values) => values.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
                Data::Other(name) => panic!("Checkpoint: tensors of type {name} are read, never written"),
            }
        }
        bytes
    }

    /// Reads the bytes of a file, of this library or of any other that writes safetensors.
    ///
    /// # Errors
    /// If they are not in the format, or not all there.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let damaged = |message: String| CheckpointError::NotSafetensors(message);
        if let Some((length, rest)) = bytes.split_first_chunk() {
            let length = u64::from_le_bytes(*length);
            if length > rest.len() as u64 {
                return Err(damaged(format!("a header of {length} bytes in a file of {}", bytes.len())));
            }
            if length > LONGEST_HEADER as u64 {
                return Err(damaged(format!("a header of {length} bytes, more than {LONGEST_HEADER}")));
            }
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let entries = metadata.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        let tensors = file.iter().map(|(name, view)| {
            let data = match view.dtype() {
                Dtype::F32 => Data::F32(words(view.data()).map(f32::from_le_bytes).collect()),
                Dtype::I32 => Data::I32(words(view.data()).map(i32::from_le_bytes).collect()),
                other => Data::Other(other.to_string()),
            };
            (name.to_string(), Stored { dims: view.shape().to_vec(), data })
        });
        Ok(Self { entries, tensors: tensors.collect() })
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.as_chunks().0.iter().copied()
}

/// Appends `text` as a JSON string.
fn write_json(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            control if control < ' ' => {
                write!(json, "\\u{:04x}", control as u32).expect("a string takes everything");
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}
