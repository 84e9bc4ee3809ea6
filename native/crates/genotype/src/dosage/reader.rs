//! Rows of BIMBAM's mean genotype file from text that arrives in chunks cut anywhere: id, counted allele, other allele,
//! then one dosage a person; separated by commas, blanks or tabs; `NA` is missing.

use x_simd::{Error, Result};

/// Whole rows.
#[derive(Debug, Default, PartialEq)]
pub struct DosageRows {
    /// Row after row, NaN where missing.
    pub values: Vec<f64>,
    /// Id, counted allele and other allele of each row, tab separated, newline ended.
    pub labels: Vec<u8>,
}

pub struct DosageReader {
    samples: usize,
    line: u64,
    carry: Vec<u8>,
    failed: Option<Error>,
}

/// Longest id or allele and number: a bound on what is carried over.
const LONGEST: usize = 1 << 16;

impl DosageReader {
    pub fn new(samples: usize) -> Self {
        Self { samples, line: 0, carry: Vec::new(), failed: None }
    }

    /// The rows that this chunk completes. After an error every later call repeats it. Errors: BIMBAM_SHAPE,
    /// BIMBAM_PARSE, BIMBAM_RANGE with `line` and `column`.
    pub fn push(&mut self, chunk: &[u8]) -> Result<DosageRows> {
        if let Some(e) = &self.failed {
            return Err(e.clone());
        }
        self.read(chunk).inspect_err(|e| self.failed = Some(e.clone()))
    }

    /// What is left when the text has ended without a line end.
    pub fn finish(&mut self) -> Result<DosageRows> {
        if self.carry.iter().all(u8::is_ascii_whitespace) { Ok(DosageRows::default()) } else { self.push(b"\n") }
    }

    fn read(&mut self, chunk: &[u8]) -> Result<DosageRows> {
        let mut out = DosageRows::default();
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|&b| b == b'\n') {
            self.line += 1;
            if self.carry.is_empty() {
                self.row(&rest[..end], &mut out)?;
            } else {
                let mut line = std::mem::take(&mut self.carry);
                line.extend_from_slice(&rest[..end]);
                self.row(&line, &mut out)?;
            }
            rest = &rest[end + 1..];
        }
        self.carry.extend_from_slice(rest);
        // Ids and alleles aside, a number takes 32 bytes at the very most.
        if self.carry.len() > 4 * LONGEST + 32 * self.samples {
            self.line += 1;
            return Err(self.shape(self.samples + 4));
        }
        Ok(out)
    }

    fn row(&self, line: &[u8], out: &mut DosageRows) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let mut fields = Fields { rest: line };
        for column in 1..=3 {
            let text = fields.next().ok_or_else(|| self.shape(column - 1))?;
            if text.is_empty() || text.len() > LONGEST {
                return Err(self.bad("BIMBAM_PARSE", column, text, "is no id or allele"));
            }
            out.labels.extend_from_slice(text);
            out.labels.push(if column == 3 { b'\n' } else { b'\t' });
        }
        let mut found = 0;
        for text in fields {
            found += 1;
            // Values beyond the last person are only counted: the error tells how many there are.
            if found <= self.samples {
                out.values.push(self.number(text, found + 3)?);
            }
        }
        if found == self.samples { Ok(()) } else { Err(self.shape(found + 3)) }
    }

    fn number(&self, text: &[u8], column: usize) -> Result<f64> {
        // Most genotypes are one digit.
        if let [d @ b'0'..=b'2'] = text {
            return Ok(f64::from(d - b'0'));
        }
        if text == b"NA" {
            return Ok(f64::NAN);
        }
        match x_dense::text::parse_number(text) {
            Some(x) if (0.0..=2.0).contains(&x) => Ok(x),
            Some(x) if x.is_finite() => Err(self.bad("BIMBAM_RANGE", column, text, "is no dosage from 0 to 2")),
            _ => Err(self.bad("BIMBAM_PARSE", column, text, "is no dosage; a missing one is written NA")),
        }
    }

    fn bad(&self, code: &'static str, column: usize, text: &[u8], what: &str) -> Error {
        let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
        Error::new(code, format!("line {}, column {column}: {shown:?} {what}", self.line))
            .with("line", self.line as f64)
            .with("column", column as f64)
    }

    fn shape(&self, found: usize) -> Error {
        let expected = self.samples + 3;
        let text = format!(
            "line {}: {found} fields, {expected} expected (id, two alleles, {} people)",
            self.line, self.samples
        );
        Error::new("BIMBAM_SHAPE", text)
            .with("line", self.line as f64)
            .with("found", found as f64)
            .with("expected", expected as f64)
    }
}

/// Fields between commas or runs of blanks; blanks beside a comma belong to it.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|&b| !blank(b))?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(|&b| blank(b) || b == b',').unwrap_or(rest.len());
        let (field, mut after) = rest.split_at(end);
        // An empty field between two commas comes out empty: no number, so it is refused.
        let skip = after.iter().position(|&b| !blank(b)).unwrap_or(after.len());
        after = &after[skip..];
        self.rest = after.strip_prefix(b",").unwrap_or(after);
        Some(field)
    }
}

fn blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(n: usize, text: &[u8], step: usize) -> Result<DosageRows> {
        let mut reader = DosageReader::new(n);
        let mut all = DosageRows::default();
        for chunk in text.chunks(step) {
            let rows = reader.push(chunk)?;
            all.values.extend(rows.values);
            all.labels.extend(rows.labels);
        }
        let rows = reader.finish()?;
        all.values.extend(rows.values);
        all.labels.extend(rows.labels);
        Ok(all)
    }

    #[test]
    fn any_chunking_and_separator_gives_the_same_rows() {
        let text = b"\xef\xbb\xbfrs1, A, T, 0.02, 2, NA\r\nrs2\tC\tG\t1\t1.5e0 0\nrs3,G ,C,0 , 0,1";
        for step in 1..=text.len() {
            let rows = read(3, text, step).unwrap();
            assert_eq!(rows.labels, b"rs1\tA\tT\nrs2\tC\tG\nrs3\tG\tC\n", "{step}");
            assert_eq!(rows.values[..2], [0.02, 2.0]);
            assert!(rows.values[2].is_nan());
            assert_eq!(rows.values[3..], [1.0, 1.5, 0.0, 0.0, 0.0, 1.0]);
        }
        assert_eq!(read(3, b"", 1).unwrap(), DosageRows::default());
    }

    #[test]
    fn errors_have_a_code_and_a_place_for_any_chunking() {
        let cases: [(&[u8], &str, (&str, f64)); 11] = [
            (b"a A T 0 1\na A T 0\n", "BIMBAM_SHAPE", ("line", 2.0)),
            (b"a A T 0 1 2\n", "BIMBAM_SHAPE", ("found", 6.0)),
            (b"a A\n", "BIMBAM_SHAPE", ("found", 2.0)),
            (b"a A T 0 1\n\n", "BIMBAM_SHAPE", ("line", 2.0)),
            (b"a A T 0 x\n", "BIMBAM_PARSE", ("column", 5.0)),
            (b"a A T 0 nan\n", "BIMBAM_PARSE", ("column", 5.0)),
            (b"a A T inf 0\n", "BIMBAM_PARSE", ("column", 4.0)),
            (b"a,A,T,,0\n", "BIMBAM_PARSE", ("column", 4.0)),
            (b"a,,T,1,0\n", "BIMBAM_PARSE", ("column", 2.0)),
            (b"a A T 2.5 0\n", "BIMBAM_RANGE", ("column", 4.0)),
            (b"a A T 0 -0.5\n", "BIMBAM_RANGE", ("column", 5.0)),
        ];
        for (text, code, detail) in cases {
            for step in 1..=text.len() {
                let e = read(2, text, step).unwrap_err();
                assert_eq!((e.code, e.details.contains(&detail)), (code, true), "{step} {e:?}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_refused_before_memory_is() {
        let mut reader = DosageReader::new(2);
        let chunk = vec![b'1'; 1 << 16];
        let failed = (0..10).find_map(|_| reader.push(&chunk).err()).unwrap();
        assert_eq!(failed.code, "BIMBAM_SHAPE");
        assert_eq!(reader.push(b"\n").unwrap_err(), failed);
    }
}
