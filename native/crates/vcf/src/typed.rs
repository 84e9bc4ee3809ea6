//! BCF's typed values: a byte with type and length, then the numbers or characters.

use x_simd::{Error, Result};

use crate::bcf::header_name;
use crate::header::Header;

pub const FLOAT: u8 = 5;
pub const TEXT: u8 = 7;
const FLOAT_MISSING: u32 = 0x7f80_0001;
const FLOAT_END: u32 = 0x7f80_0002;

pub fn cut(what: &str) -> Error {
    Error::new("BCF_RECORD", format!("{what}: the file is damaged"))
}

pub fn dictionary(what: &str, index: i64) -> Error {
    Error::new("BCF_DICT", format!("{what} number {index} is not in the header's dictionary"))
        .with("index", index as f64)
}

/// Reads forward through a block; never past its end.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            return Err(cut("a value is longer than its record"));
        }
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        Ok(head)
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.bytes(4)?.try_into().unwrap_or_default()))
    }

    pub fn i32(&mut self) -> Result<i32> {
        Ok(self.u32()? as i32)
    }

    /// Type and count.
    fn descriptor(&mut self) -> Result<(u8, usize)> {
        let byte = self.bytes(1)?[0];
        let (kind, mut len) = (byte & 15, usize::from(byte >> 4));
        if len == 15 {
            let long = self.typed()?;
            let number = if long.len == 1 { long.int(0)? } else { None };
            len = number.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| cut("a length is no number"))?;
        }
        Ok((kind, len))
    }

    pub fn typed(&mut self) -> Result<Typed<'a>> {
        self.typed_vectors(1)
    }

    /// `n` vectors of one type and length.
    pub fn typed_vectors(&mut self, n: usize) -> Result<Typed<'a>> {
        let (kind, len) = self.descriptor()?;
        let size = width(kind)?;
        let total = len.checked_mul(size).and_then(|b| b.checked_mul(n)).ok_or_else(|| cut("a length overflows"))?;
        Ok(Typed { kind, len, bytes: self.bytes(total)? })
    }

    /// A dictionary number, as its name.
    pub fn name<'h>(&mut self, header: &'h Header) -> Result<&'h str> {
        let key = self.typed()?;
        let index = if key.len == 1 { key.int(0)? } else { None };
        header_name(header, index.map_or(-1, i64::from))
    }
}

fn width(kind: u8) -> Result<usize> {
    Ok(match kind {
        0 => 0,
        1 | TEXT => 1,
        2 => 2,
        3 | FLOAT => 4,
        _ => return Err(cut("a value has an unknown type")),
    })
}

#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub kind: u8,
    /// Numbers of one vector.
    pub len: usize,
    pub bytes: &'a [u8],
}

impl<'a> Typed<'a> {
    /// The text without the padding of short strings.
    pub fn text(&self) -> Result<&'a [u8]> {
        match self.kind {
            TEXT => Ok(self.bytes.split(|&b| b == 0).next().unwrap_or(&[])),
            0 => Ok(&[]),
            _ => Err(cut("a text was expected")),
        }
    }

    /// Number `i`; `None` when missing or past a vector's end.
    pub fn int(&self, i: usize) -> Result<Option<i32>> {
        Ok(self.int_or_end(i)?.flatten())
    }

    /// Outer `None`: the vector ended before; inner `None`: missing.
    pub fn int_or_end(&self, i: usize) -> Result<Option<Option<i32>>> {
        let at = |n: usize| self.bytes.get(i * n..(i + 1) * n).ok_or_else(|| cut("a value is too short"));
        let (value, missing) = match self.kind {
            1 => (i32::from(at(1)?[0] as i8), i32::from(i8::MIN)),
            2 => (i32::from(i16::from_le_bytes(at(2)?.try_into().unwrap_or_default())), i32::from(i16::MIN)),
            3 => (i32::from_le_bytes(at(4)?.try_into().unwrap_or_default()), i32::MIN),
            _ => return Err(cut("a whole number was expected")),
        };
        Ok(if value == missing + 1 { None } else { Some((value != missing).then_some(value)) })
    }

    fn float_bits(&self, i: usize) -> Result<u32> {
        let bytes = self.bytes.get(4 * i..4 * i + 4).ok_or_else(|| cut("a value is too short"))?;
        Ok(u32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    pub fn float(&self, i: usize) -> Result<Option<f32>> {
        let bits = self.float_bits(i)?;
        Ok((bits != FLOAT_MISSING && bits != FLOAT_END).then(|| f32::from_bits(bits)))
    }

    /// As the text format writes it.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        if self.kind == TEXT {
            let text = self.text()?;
            out.extend_from_slice(if text.is_empty() { b"." } else { text });
            return Ok(());
        }
        for i in 0..self.len {
            let start = out.len();
            if i > 0 {
                out.push(b',');
            }
            if self.kind == FLOAT {
                match self.float_bits(i)? {
                    FLOAT_END => {
                        out.truncate(start);
                        break;
                    }
                    bits => write_float(bits, out),
                }
                continue;
            }
            match self.int_or_end(i)? {
                None => {
                    out.truncate(start);
                    break;
                }
                Some(None) => out.push(b'.'),
                Some(Some(value)) => out.extend_from_slice(value.to_string().as_bytes()),
            }
        }
        Ok(())
    }
}

/// The shortest text that reads back as the same float, with an exponent where C's `%g` has one; `.` when missing.
pub fn write_float(bits: u32, out: &mut Vec<u8>) {
    let value = f32::from_bits(bits);
    if bits == FLOAT_MISSING || bits == FLOAT_END {
        out.push(b'.');
        return;
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        out.extend_from_slice(value.to_string().as_bytes()); // inf, NaN
        return;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let count = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    if (-4..count.max(6)).contains(&exponent) {
        out.extend_from_slice(value.to_string().as_bytes());
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("{digits}e{sign}{:02}", exponent.abs()).as_bytes());
    }
}

/// Appends a type byte with its count.
pub fn put_descriptor(kind: u8, len: usize, out: &mut Vec<u8>) {
    if len < 15 {
        out.push((len as u8) << 4 | kind);
    } else {
        out.push(15 << 4 | kind);
        put_ints(&[Some(len as i32)], out);
    }
}

pub fn put_text(text: &[u8], out: &mut Vec<u8>) {
    put_descriptor(TEXT, text.len(), out);
    out.extend_from_slice(text);
}

/// Whole numbers in the narrowest width that holds them all.
pub fn put_ints(values: &[Option<i32>], out: &mut Vec<u8>) {
    let fits = |low: i32, high: i32| values.iter().flatten().all(|v| (low..=high).contains(v));
    // The eight lowest numbers of each width are reserved.
    if fits(-120, 127) {
        put_descriptor(1, values.len(), out);
        out.extend(values.iter().map(|v| v.map_or(i8::MIN, |v| v as i8) as u8));
    } else if fits(-32760, 32767) {
        put_descriptor(2, values.len(), out);
        values.iter().for_each(|v| out.extend_from_slice(&v.map_or(i16::MIN, |v| v as i16).to_le_bytes()));
    } else {
        put_descriptor(3, values.len(), out);
        values.iter().for_each(|v| out.extend_from_slice(&v.unwrap_or(i32::MIN).to_le_bytes()));
    }
}

pub fn put_floats(values: &[Option<f32>], out: &mut Vec<u8>) {
    put_descriptor(FLOAT, values.len(), out);
    values.iter().for_each(|v| out.extend_from_slice(&float_bits(*v).to_le_bytes()));
}

pub fn float_bits(value: Option<f32>) -> u32 {
    value.map_or(FLOAT_MISSING, f32::to_bits)
}
