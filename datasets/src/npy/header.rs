//! The header text of an npy file: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.

use crate::Problem;

/// What the header tells about the elements that follow it.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub element: ElementType,
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

#[derive(Debug, PartialEq)]
pub(super) struct ElementType {
    pub kind: ElementKind,
    /// Bytes per element: 1, 2, 4 or 8; 4 or 8 for floats.
    pub size: usize,
    pub big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ElementKind {
    Float,
    Signed,
    /// Booleans are counted here, as 0 and 1.
    Unsigned,
}

/// The text for a little-endian f4 array in C order.
pub(super) fn text(shape: &[usize]) -> String {
    let dims: String = match shape {
        [only] => format!("{only},"),
        dims => dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({dims}), }}")
}

impl Header {
    /// Reads the three keys, in any order, each exactly once. No recursion: hostile nesting is just a wrong value.
    pub fn parse(text: &[u8]) -> Result<Header, Problem> {
        let mut cursor = Cursor { text, position: 0 };
        let (mut element, mut fortran_order, mut shape) = (None, None, None);
        cursor.expect(b'{', "'{'")?;
        while !cursor.accept(b'}') {
            let before_key = cursor.position;
            let key = cursor.string()?;
            cursor.expect(b':', "':'")?;
            match key {
                b"descr" if element.is_none() => element = Some(ElementType::parse(cursor.string()?)?),
                b"fortran_order" if fortran_order.is_none() => fortran_order = Some(cursor.boolean()?),
                b"shape" if shape.is_none() => shape = Some(cursor.shape()?),
                _ => {
                    cursor.position = before_key;
                    return Err(cursor.wrong("'descr', 'fortran_order' or 'shape', each once,"));
                }
            }
            if !cursor.accept(b',') {
                cursor.expect(b'}', "',' or '}'")?;
                break;
            }
        }
        match (element, fortran_order, shape) {
            (Some(element), Some(fortran_order), Some(shape)) if cursor.at_end() => {
                Ok(Header { element, fortran_order, shape })
            }
            (Some(_), Some(_), Some(_)) => Err(cursor.wrong("nothing after '}'")),
            _ => Err(cursor.wrong("'descr', 'fortran_order' and 'shape'")),
        }
    }
}

impl ElementType {
    /// Understands `<f4`, `>i8`, `|u1`, `|b1` and the like.
    fn parse(descr: &[u8]) -> Result<ElementType, Problem> {
        let (kind, size, order) = match *descr {
            [order, b'f', size @ (b'4' | b'8')] => (ElementKind::Float, size, order),
            [order, b'i', size @ (b'1' | b'2' | b'4' | b'8')] => (ElementKind::Signed, size, order),
            [order, b'u', size @ (b'1' | b'2' | b'4' | b'8')] => (ElementKind::Unsigned, size, order),
            [order, b'b', size @ b'1'] => (ElementKind::Unsigned, size, order),
            _ => return Err(unsupported(descr)),
        };
        let size = usize::from(size - b'0');
        match order {
            b'<' | b'>' => Ok(ElementType { kind, size, big_endian: order == b'>' }),
            b'|' if size == 1 => Ok(ElementType { kind, size, big_endian: false }),
            _ => Err(unsupported(descr)),
        }
    }
}

fn unsupported(descr: &[u8]) -> Problem {
    Problem::NpyType { descr: excerpt(descr) }
}

/// At most 24 characters, so that a hostile header does not flood the message.
fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(24)]).into_owned()
}

/// A place in the header text. Every method skips white space before it looks.
struct Cursor<'a> {
    text: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    fn wrong(&mut self, expected: &'static str) -> Problem {
        let excerpt = excerpt(self.rest());
        Problem::NpyHeader { expected, position: self.position, excerpt }
    }

    fn rest(&mut self) -> &'a [u8] {
        while self.text.get(self.position).is_some_and(u8::is_ascii_whitespace) {
            self.position += 1;
        }
        &self.text[self.position..]
    }

    fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), Problem> {
        if self.accept(byte) { Ok(()) } else { Err(self.wrong(name)) }
    }

    /// A string in single or double quotes; the keys and type names needed here contain no escapes.
    fn string(&mut self) -> Result<&'a [u8], Problem> {
        let [quote @ (b'\'' | b'"'), rest @ ..] = self.rest() else { return Err(self.wrong("a quoted string")) };
        let Some(length) = rest.iter().position(|byte| byte == quote) else {
            return Err(self.wrong("a closing quote"));
        };
        self.position += length + 2;
        Ok(&rest[..length])
    }

    fn boolean(&mut self) -> Result<bool, Problem> {
        let rest = self.rest();
        for (word, value) in [("True", true), ("False", false)] {
            if rest.starts_with(word.as_bytes()) {
                self.position += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("True or False"))
    }

    /// `()`, `(3,)`, `(3, 4)` or `(3, 4,)`.
    fn shape(&mut self) -> Result<Vec<usize>, Problem> {
        self.expect(b'(', "'('")?;
        let mut dims = Vec::new();
        while !self.accept(b')') {
            dims.push(self.integer()?);
            if !self.accept(b',') {
                self.expect(b')', "',' or ')'")?;
                break;
            }
        }
        Ok(dims)
    }

    fn integer(&mut self) -> Result<usize, Problem> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
        let value = value.ok_or_else(|| self.wrong("a whole number that fits this machine"))?;
        self.position += digits;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Header::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn written_headers_are_read() {
        for shape in [vec![], vec![7], vec![3, 0, 5], vec![usize::MAX, 2]] {
            let header = Header::parse(text(&shape).as_bytes()).unwrap();
            let element = ElementType { kind: ElementKind::Float, size: 4, big_endian: false };
            assert_eq!(header, Header { element, fortran_order: false, shape });
        }
    }

    #[test]
    fn other_spellings_of_the_same_dictionary_are_read() {
        let text = b" {\"shape\":( 3 ,4 , ) ,\"fortran_order\":True,'descr':'>i2'} \n";
        let element = ElementType { kind: ElementKind::Signed, size: 2, big_endian: true };
        assert_eq!(Header::parse(text).unwrap(), Header { element, fortran_order: true, shape: vec![3, 4] });
    }

    #[test]
    fn errors_point_at_the_place() {
        let cases = [
            ("[]", "'{' expected at byte 0 of \"[]\""),
            ("{'descr': '<f4', 'shape': (3.5,)}", "',' or ')' expected at byte 28 of \".5,)}\""),
            ("{'descr': '<f4', 'fortran_order': Maybe", "True or False expected at byte 34"),
            ("{'descr': '<f4', 'fortran_order': False}", "'descr', 'fortran_order' and 'shape' expected at byte 40"),
            ("{'shape': (1,), 'shape': (2,)}", "each once, expected at byte 16"),
            ("{'shape': (99999999999999999999999,)}", "a whole number that fits this machine expected at byte 11"),
            ("{'descr': '<f4", "a closing quote expected at byte 10"),
            ("{'descr': [('a', '<f4')]}", "a quoted string expected at byte 10"),
            (&format!("{}x", text(&[1])), "nothing after '}' expected at byte"),
        ];
        for (text, expected) in cases {
            let message = problem(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn other_element_types_are_named() {
        for descr in ["<c8", "|O", "<U3", "<f2", "|f4", "=f4", "<f16", ""] {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
            assert!(problem(&text).contains(&format!("{descr:?} is not supported")), "{descr}");
        }
    }
}
