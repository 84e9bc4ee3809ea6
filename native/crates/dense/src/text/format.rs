//! C's `%.10g`, correctly rounded, by exact integer arithmetic for the usual range.

use std::ops::Range;

use rayon::prelude::*;
use x_simd::{Error, Job, Result, with_pool};

use crate::SquareMatrix;

/// Rows that one task formats.
const ROWS: usize = 16;

/// The text of `count` rows from `row` on.
pub fn format_rows(m: &SquareMatrix, row: usize, count: usize, threads: usize, job: &Job) -> Result<Vec<u8>> {
    let end = row.checked_add(count).filter(|&end| end <= m.n()).ok_or_else(|| {
        Error::new("SHAPE", format!("rows {row}+{count} lie outside a matrix of {} rows", m.n()))
            .with("row", row as f64)
            .with("rows", count as f64)
    })?;
    job.start(count as u64);
    with_pool(threads, || {
        let parts: Vec<Vec<u8>> = (0..count.div_ceil(ROWS))
            .into_par_iter()
            .map(|p| {
                job.check()?;
                let rows = row + p * ROWS..(row + (p + 1) * ROWS).min(end);
                let done = rows.len() as u64;
                let mut out = Vec::new();
                write_rows(m, rows, &mut out);
                job.advance(done);
                Ok(out)
            })
            .collect::<Result<_>>()?;
        Ok(parts.concat())
    })
}

/// Rows `rows` of the matrix: tab separated, newline ended, no trailing tab.
pub fn write_rows(m: &SquareMatrix, rows: Range<usize>, out: &mut Vec<u8>) {
    for i in rows {
        let row = m.row(i);
        out.reserve(row.len() * 20);
        for (j, &x) in row.iter().enumerate() {
            if j > 0 {
                out.push(b'\t');
            }
            write_number(x, out);
        }
        out.push(b'\n');
    }
}

const LOW: u64 = 1_000_000_000;
const HIGH: u64 = 10_000_000_000;

const FIVES: [u64; 28] = {
    let mut t = [1; 28];
    let mut i = 1;
    while i < 28 {
        t[i] = t[i - 1] * 5;
        i += 1;
    }
    t
};

/// What `printf("%.10g", x)` writes; NaN is `nan` whatever its sign.
pub fn write_number(x: f64, out: &mut Vec<u8>) {
    if !x.is_finite() {
        let text: &[u8] = if x.is_nan() {
            b"nan"
        } else if x > 0.0 {
            b"inf"
        } else {
            b"-inf"
        };
        return out.extend_from_slice(text);
    }
    if x.is_sign_negative() {
        out.push(b'-');
    }
    if x == 0.0 {
        return out.push(b'0');
    }
    let (digits, exponent) = exact(x.abs()).unwrap_or_else(|| slow(x.abs()));
    layout(digits, exponent, out);
}

/// Ten significant digits and the decimal exponent: x = m 2^e, so x 10^p = (m 5^p) 2^(e+p), an integer shifted right.
/// Nothing is lost before the one rounding (half to even) as long as m 5^p fits 128 bits, that is for p <= 27.
fn exact(x: f64) -> Option<(u64, i32)> {
    let bits = x.to_bits();
    let biased = (bits >> 52) as i32;
    if biased == 0 {
        return None;
    }
    let (m, e) = ((bits & ((1 << 52) - 1)) | (1 << 52), biased - 1075);
    // floor(log10 x) or one less; the loop settles it.
    let mut exponent = ((biased - 1023) * 1233) >> 12;
    for _ in 0..3 {
        let p = 9 - exponent;
        let shift = -(e + p);
        if !(0..28).contains(&p) || !(1..128).contains(&shift) {
            return None;
        }
        let scaled = u128::from(m) * u128::from(FIVES[p as usize]);
        let floor = (scaled >> shift) as u64;
        if floor >= HIGH {
            exponent += 1;
            continue;
        }
        if floor < LOW {
            exponent -= 1;
            continue;
        }
        let rest = scaled & ((1u128 << shift) - 1);
        let half = 1u128 << (shift - 1);
        let digits = floor + u64::from(rest > half || (rest == half && floor & 1 == 1));
        return Some(if digits == HIGH { (LOW, exponent + 1) } else { (digits, exponent) });
    }
    None
}

/// Through the standard library, which is exact for every double.
fn slow(x: f64) -> (u64, i32) {
    let text = format!("{x:.9e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).fold(0, |n, d| n * 10 + u64::from(d - b'0'));
    (digits, exponent.parse().unwrap_or(0))
}

fn layout(digits: u64, exponent: i32, out: &mut Vec<u8>) {
    let mut d = [0u8; 10];
    let (mut high, mut low) = ((digits / 100_000) as u32, (digits % 100_000) as u32);
    for i in (0..5).rev() {
        d[i] = b'0' + (high % 10) as u8;
        d[i + 5] = b'0' + (low % 10) as u8;
        high /= 10;
        low /= 10;
    }
    let used = 10 - d.iter().rev().take_while(|&&c| c == b'0').count();
    let used = used.max(1);
    if !(-4..10).contains(&exponent) {
        out.push(d[0]);
        if used > 1 {
            out.push(b'.');
            out.extend_from_slice(&d[1..used]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let e = exponent.unsigned_abs();
        if e >= 100 {
            out.push(b'0' + (e / 100) as u8);
        }
        out.extend_from_slice(&[b'0' + (e / 10 % 10) as u8, b'0' + (e % 10) as u8]);
    } else if exponent < 0 {
        out.extend_from_slice(&b"0.000"[..1 + (-exponent) as usize]);
        out.extend_from_slice(&d[..used]);
    } else {
        let whole = exponent as usize + 1;
        out.extend_from_slice(&d[..whole]);
        if used > whole {
            out.push(b'.');
            out.extend_from_slice(&d[whole..used]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(x: f64) -> String {
        let mut out = Vec::new();
        write_number(x, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_outputs_of_printf() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e9, "1000000000"),
            (1e10, "1e+10"),
            (9999999999.5, "1e+10"),
            (9999999998.5, "9999999998"),
            (9999999997.5, "9999999998"),
            (0.0001, "0.0001"),
            (0.00012345678905, "0.0001234567891"),
            (1e-300, "1e-300"),
            (5e-324, "4.940656458e-324"),
            (f64::MAX, "1.797693135e+308"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (100.0, "100"),
            (0.00099999999995, "0.001"),
            (-1.0 / 3.0, "-0.3333333333"),
            (123456.789, "123456.789"),
            (0.5, "0.5"),
        ];
        for (x, want) in cases {
            assert_eq!(text(x), want);
        }
    }

    #[test]
    fn the_integer_path_agrees_with_the_exact_one_on_a_million_values() {
        let mut s = 1u64;
        for i in 0..1_000_000u64 {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let unit = (s >> 11) as f64 / (1u64 << 53) as f64;
            let x = match i % 5 {
                0 => unit,
                1 => unit * 10f64.powi((s % 40) as i32 - 20),
                // Exact ties and their neighbours.
                2 => (((s >> 20) % 20_000_000_000) as f64 + 0.5) / (1u64 << (s % 20)) as f64,
                3 => f64::from_bits(s >> 1),
                _ => 10f64.powi((s % 30) as i32 - 15) * (1.0 + f64::EPSILON * ((s % 7) as f64 - 3.0)),
            };
            if let Some(fast) = exact(x.abs()) {
                assert_eq!(fast, slow(x.abs()), "{x:e}");
            }
        }
    }
}
