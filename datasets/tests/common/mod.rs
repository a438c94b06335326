//! Writers of the formats that the crate only reads: written after the formats' descriptions, without a look at the
//! readers.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Compresses as gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The value of picture `index` at a place: nowhere near the same.
pub fn pixel(index: usize, row: usize, column: usize, colour: usize) -> u8 {
    (index * 91 + row * 37 + column * 5 + colour * 101) as u8
}

/// Whether the pictures [N, 32, 32, 3] are those of [`pixel`], counted from `first`.
pub fn is_as_written(pixels: &[u8], first: usize) -> bool {
    pixels.iter().enumerate().all(|(position, &value)| {
        let (index, place) = (position / 3072, position % 3072);
        value == pixel(first + index, place / 96, place / 3 % 32, place % 3)
    })
}

/// A record of a CIFAR batch: labels, then three planes row by row.
pub fn cifar_record(index: usize, labels: &[u8]) -> Vec<u8> {
    let mut bytes = labels.to_vec();
    for colour in 0..3 {
        for row in 0..32 {
            bytes.extend((0..32).map(|column| pixel(index, row, column, colour)));
        }
    }
    bytes
}

/// A tar archive (ustar) of plain files.
pub fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        let mut block = [0u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..108].copy_from_slice(b"0000644\0");
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[136..148].copy_from_slice(b"00000000000\0");
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// How a MATLAB file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatStyle {
    /// Byte order.
    pub big_endian: bool,
    /// Each variable as zlib.
    pub compressed: bool,
}

/// All four ways.
pub const MAT_STYLES: [MatStyle; 4] = [
    MatStyle { big_endian: false, compressed: false },
    MatStyle { big_endian: false, compressed: true },
    MatStyle { big_endian: true, compressed: false },
    MatStyle { big_endian: true, compressed: true },
];

/// A MATLAB file of level 5 in the making.
pub struct MatWriter {
    style: MatStyle,
    bytes: Vec<u8>,
}

impl MatWriter {
    /// The header.
    pub fn new(style: MatStyle) -> Self {
        let mut bytes = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
        bytes.resize(124, b' ');
        bytes.extend(if style.big_endian { *b"\x01\x00MI" } else { *b"\x00\x01IM" });
        MatWriter { style, bytes }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        if self.style.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// A tag, and the content padded to a multiple of eight; small where that is possible.
    fn element(&self, kind: u32, content: &[u8]) -> Vec<u8> {
        let size = content.len() as u32;
        let mut bytes = if (1..=4).contains(&size) {
            self.u32(size << 16 | kind).to_vec()
        } else {
            [self.u32(kind), self.u32(size)].concat()
        };
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// Appends a variable. `class` and the element type of each of `parts` are MATLAB's codes; `flags` are the bits above
    /// the class: 0x0800 complex, 0x0200 logical.
    pub fn variable(mut self, name: &str, class: u32, flags: u32, dims: &[i32], parts: &[(u32, Vec<u8>)]) -> Self {
        let dims: Vec<u8> = dims.iter().flat_map(|&dim| self.u32(dim as u32)).collect();
        let mut content = self.element(6, &[self.u32(flags | class), self.u32(0)].concat());
        content.extend(self.element(5, &dims));
        content.extend(self.element(1, name.as_bytes()));
        for (kind, numbers) in parts {
            content.extend(self.element(*kind, numbers));
        }
        let matrix = [&self.u32(14)[..], &self.u32(content.len() as u32), &content].concat();
        if self.style.compressed {
            let packed = zlib(&matrix);
            let size = self.u32(packed.len() as u32);
            self.bytes.extend(self.u32(15));
            self.bytes.extend(size);
            self.bytes.extend(packed);
        } else {
            self.bytes.extend(matrix);
        }
        self
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Cropped digits as SVHN publishes them: first `X`, then `y` as doubles stored in bytes.
pub fn svhn(style: MatStyle, classes: &[u8]) -> Vec<u8> {
    let mut pictures = Vec::new();
    for index in 0..classes.len() {
        for colour in 0..3 {
            for column in 0..32 {
                pictures.extend((0..32).map(|row| pixel(index, row, column, colour)));
            }
        }
    }
    let count = classes.len() as i32;
    MatWriter::new(style)
        .variable("X", 9, 0, &[32, 32, 3, count], &[(2, pictures)])
        .variable("y", 6, 0, &[count, 1], &[(2, classes.to_vec())])
        .finish()
}
