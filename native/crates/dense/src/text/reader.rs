//! Numbers of a square matrix from text that arrives in chunks cut anywhere.

use x_simd::{Error, Result};

use crate::SquareMatrix;

/// Longest number that may be cut by a chunk border: a bound on what is carried over.
const LONGEST: usize = 4096;

/// Rows of n numbers separated by blanks, tabs or commas; LF or CRLF; an UTF-8 byte order mark may come first.
pub struct MatrixReader {
    matrix: SquareMatrix,
    row: usize,
    column: usize,
    line: u64,
    carry: Vec<u8>,
    /// Bytes of a byte order mark seen so far; 3 = no longer looking.
    mark: usize,
    failed: Option<Error>,
}

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl MatrixReader {
    pub fn new(n: usize) -> Result<Self> {
        let matrix = SquareMatrix::zeros(n)?;
        Ok(Self { matrix, row: 0, column: 0, line: 1, carry: Vec::new(), mark: 0, failed: None })
    }

    /// Takes the next bytes of the file. After an error every later call repeats it.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        if let Some(e) = &self.failed {
            return Err(e.clone());
        }
        self.feed(chunk).inspect_err(|e| self.failed = Some(e.clone()))
    }

    fn feed(&mut self, mut chunk: &[u8]) -> Result<()> {
        while self.mark < 3 && !chunk.is_empty() {
            if chunk[0] == MARK[self.mark] {
                self.mark += 1;
                chunk = &chunk[1..];
            } else {
                // Bytes that only looked like a mark belong to the first number.
                self.carry.extend_from_slice(&MARK[..self.mark]);
                self.mark = 3;
            }
        }
        let mut at = 0;
        if !self.carry.is_empty() {
            at = token_end(chunk, 0);
            self.carry.extend_from_slice(&chunk[..at]);
            if at == chunk.len() {
                return self.limit();
            }
            let token = std::mem::take(&mut self.carry);
            self.number(&token)?;
        }
        while at < chunk.len() {
            match chunk[at] {
                b'\n' => {
                    self.end_line()?;
                    at += 1;
                }
                b' ' | b'\t' | b',' | b'\r' => at += 1,
                _ => {
                    let end = token_end(chunk, at);
                    if end == chunk.len() {
                        self.carry.extend_from_slice(&chunk[at..]);
                        return self.limit();
                    }
                    self.number(&chunk[at..end])?;
                    at = end;
                }
            }
        }
        Ok(())
    }

    /// The matrix, once every row has come.
    pub fn finish(mut self) -> Result<SquareMatrix> {
        if let Some(e) = self.failed {
            return Err(e);
        }
        if self.mark < 3 {
            self.carry.extend_from_slice(&MARK[..self.mark]);
        }
        if !self.carry.is_empty() && self.carry != MARK {
            let token = std::mem::take(&mut self.carry);
            self.number(&token)?;
        }
        let n = self.matrix.n();
        if self.column > 0 && self.column < n {
            return Err(Error::new(
                "KIN_TRUNCATED",
                format!("line {}: the file ends after {} of {n} values", self.line, self.column),
            )
            .with("line", self.line as f64)
            .with("found", self.column as f64)
            .with("expected", n as f64));
        }
        if self.column > 0 {
            self.end_line()?;
        }
        if self.row < n {
            return Err(Error::new("KIN_TRUNCATED", format!("the file ends after {} of {n} rows", self.row))
                .with("found", self.row as f64)
                .with("expected", n as f64));
        }
        Ok(self.matrix)
    }

    fn limit(&self) -> Result<()> {
        if self.carry.len() <= LONGEST { Ok(()) } else { Err(self.unreadable(&self.carry)) }
    }

    fn number(&mut self, token: &[u8]) -> Result<()> {
        let n = self.matrix.n();
        let x = parse_number(token).ok_or_else(|| self.unreadable(token))?;
        if !x.is_finite() {
            let (row, column) = (self.row + 1, self.column + 1);
            let text = String::from_utf8_lossy(&token[..token.len().min(40)]);
            return Err(Error::new("KIN_NAN", format!("row {row}, column {column}: {text} is not a finite number"))
                .with("row", row as f64)
                .with("column", column as f64));
        }
        if self.row >= n {
            return Err(Error::new("KIN_SHAPE", format!("line {}: more than {n} rows", self.line))
                .with("line", self.line as f64)
                .with("found", (n + 1) as f64)
                .with("expected", n as f64));
        }
        // Values beyond the last column are only counted: the error at the end of the line tells how many.
        if self.column < n {
            let at = self.row * n + self.column;
            self.matrix.data_mut()[at] = x;
        }
        self.column += 1;
        Ok(())
    }

    fn end_line(&mut self) -> Result<()> {
        let n = self.matrix.n();
        if self.row < n {
            if self.column != n {
                return Err(Error::new(
                    "KIN_SHAPE",
                    format!("line {}: {} values, {n} expected", self.line, self.column),
                )
                .with("line", self.line as f64)
                .with("found", self.column as f64)
                .with("expected", n as f64));
            }
            self.row += 1;
        }
        self.column = 0;
        self.line += 1;
        Ok(())
    }

    fn unreadable(&self, token: &[u8]) -> Error {
        let (line, column) = (self.line, self.column + 1);
        let text = String::from_utf8_lossy(&token[..token.len().min(40)]).into_owned();
        Error::new("KIN_PARSE", format!("line {line}, column {column}: {text:?} is not a number"))
            .with("line", line as f64)
            .with("column", column as f64)
    }
}

fn token_end(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    from + rest.iter().position(|b| matches!(b, b' ' | b'\t' | b',' | b'\n' | b'\r')).unwrap_or(rest.len())
}

const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Decimal text to the nearest double; `NA` counts as NaN.
pub fn parse_number(token: &[u8]) -> Option<f64> {
    simple(token).or_else(|| {
        let text = std::str::from_utf8(token).ok()?;
        if text.eq_ignore_ascii_case("na") { Some(f64::NAN) } else { text.parse().ok() }
    })
}

/// Clinger's fast path: up to 2^53 and a power of ten up to 22 are both exact, so one operation rounds correctly.
fn simple(token: &[u8]) -> Option<f64> {
    let (negative, digits) = match token.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, token),
    };
    let (mut m, mut count, mut point, mut at) = (0u64, 0, None, 0);
    while at < digits.len() {
        match digits[at] {
            d @ b'0'..=b'9' => {
                m = m.wrapping_mul(10).wrapping_add(u64::from(d - b'0'));
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            b'e' | b'E' => break,
            _ => return None,
        }
        at += 1;
    }
    if count == 0 || count > 19 || m > 1 << 53 {
        return None;
    }
    let mut scale = point.map_or(0, |p| p - count);
    if at < digits.len() {
        let rest = &digits[at + 1..];
        let (down, rest) = match rest.split_first()? {
            (b'-', r) => (true, r),
            (b'+', r) => (false, r),
            _ => (false, rest),
        };
        if rest.is_empty() || rest.len() > 4 || !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let e = rest.iter().fold(0, |e, d| e * 10 + i32::from(d - b'0'));
        scale += if down { -e } else { e };
    }
    let x = match scale {
        0..=22 => m as f64 * TENS[scale as usize],
        -22..=-1 => m as f64 / TENS[-scale as usize],
        _ => return None,
    };
    Some(if negative { -x } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(n: usize, text: &[u8], step: usize) -> Result<SquareMatrix> {
        let mut r = MatrixReader::new(n)?;
        for chunk in text.chunks(step) {
            r.push(chunk)?;
        }
        r.finish()
    }

    #[test]
    fn any_chunking_gives_the_same_matrix() {
        let text = b"\xef\xbb\xbf1 2.5e-3\t-3\t\r\n4,5,+6e2 \n 7e-400\t8\t0.1234567890123456789012";
        let want = [1.0, 2.5e-3, -3.0, 4.0, 5.0, 600.0, 0.0, 8.0, 0.12345678901234568];
        for step in 1..=text.len() {
            assert_eq!(read(3, text, step).unwrap().data(), want, "{step}");
        }
        assert_eq!(read(0, b"\n", 1).unwrap().n(), 0);
    }

    #[test]
    fn errors_have_a_code_and_a_place_for_any_chunking() {
        let cases: [(&[u8], &str, (&str, f64)); 10] = [
            (b"1 2\n3\n", "KIN_SHAPE", ("line", 2.0)),
            (b"1 2 3\n3 4\n", "KIN_SHAPE", ("found", 3.0)),
            (b"1 2\n\n3 4\n", "KIN_SHAPE", ("found", 0.0)),
            (b"1 2\n3 4\n5 6\n", "KIN_SHAPE", ("line", 3.0)),
            (b"1 2\n3 nan\n", "KIN_NAN", ("column", 2.0)),
            (b"1 2\n1e999 3\n", "KIN_NAN", ("row", 2.0)),
            (b"1 2\nNA 3\n", "KIN_NAN", ("row", 2.0)),
            (b"1 2\n3 x4\n", "KIN_PARSE", ("column", 2.0)),
            (b"1 2\n", "KIN_TRUNCATED", ("found", 1.0)),
            (b"1 2\n3", "KIN_TRUNCATED", ("line", 2.0)),
        ];
        for (text, code, (key, value)) in cases {
            for step in 1..=text.len() {
                let e = read(2, text, step).unwrap_err();
                assert_eq!(e.code, code);
                let found = e.details.iter().find(|d| d.0 == key).map(|d| d.1);
                assert_eq!(found, Some(value), "{e}");
            }
        }
    }

    #[test]
    fn the_short_path_rounds_like_the_standard_library() {
        let mut s = 7u64;
        for _ in 0..200_000 {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let x = ((s >> 12) as f64 / (1u64 << 40) as f64 - 2048.0) * 10f64.powi((s % 30) as i32 - 20);
            for text in [format!("{x:.9e}"), format!("{x}"), format!("{x:.6}")] {
                assert_eq!(parse_number(text.as_bytes()), text.parse().ok(), "{text}");
            }
        }
    }

    #[test]
    fn text_round_trip() {
        let mut m = SquareMatrix::zeros(3).unwrap();
        m.data_mut().copy_from_slice(&[0.25, -1e-7, 3.0, 1e12, 0.0, 5.5, -0.125, 7.0, 1e-300]);
        let mut out = Vec::new();
        crate::text::write_rows(&m, 0..3, &mut out);
        assert!(out.starts_with(b"0.25\t-1e-07\t3\n1e+12\t"));
        assert_eq!(crate::text::format_rows(&m, 0, 3, 2, &x_simd::Job::default()).unwrap(), out);
        assert_eq!(crate::text::format_rows(&m, 2, 2, 2, &x_simd::Job::default()).unwrap_err().code, "SHAPE");
        assert_eq!(read(3, &out, 5).unwrap(), m);
    }
}
