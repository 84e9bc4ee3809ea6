//! Kinship over people from rows of real numbers: what the bit planes of `PeopleGram` cannot hold, dosages and
//! standardised genotypes.

use x_dense::SquareMatrix;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

/// Kept variants a product. Part of the result's definition: it fixes where the sums are cut.
const BLOCK: usize = 384;

/// What a centred row is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Nothing.
    None,
    /// Its standard deviation over everyone, missing dosages counting as the mean (GEMMA's `-gk 2`).
    Deviation,
    /// sqrt(2 p (1 − p)), p = mean / 2: the deviation that Hardy-Weinberg proportions give.
    Hardy,
}

/// Sum of x x' over rows that are centred at their mean, filled with it, and scaled. The bytes do not depend on how the
/// caller cut its blocks, nor on threads.
pub struct DosageGram {
    samples: usize,
    scale: Scale,
    /// Lower triangle, not yet divided.
    k: SquareMatrix,
    rows: Vec<f64>,
    used: usize,
    broken: bool,
}

/// Bytes of a [`DosageGram`] over `n` people.
pub fn dosage_gram_bytes(n: usize) -> f64 {
    8.0 * n as f64 * (n + BLOCK) as f64
}

impl DosageGram {
    pub fn new(samples: usize, scale: Scale) -> Result<Self> {
        let rows = try_zeroed(BLOCK * samples)?;
        Ok(Self { samples, scale, k: SquareMatrix::zeros(samples)?, rows, used: 0, broken: false })
    }

    /// Adds the rows `rows` of a block of dosages of all people. Errors: SHAPE, STATE, CANCELLED.
    pub fn add(&mut self, values: &[f64], rows: &[u32], threads: usize, job: &Job) -> Result<()> {
        self.usable()?;
        let n = self.samples;
        if n == 0 || !values.len().is_multiple_of(n) || rows.iter().any(|&r| r as usize >= values.len() / n) {
            return Err(Error::new("SHAPE", "rows do not match the block of dosages"));
        }
        job.start(rows.len() as u64);
        for &row in rows {
            if self.used == BLOCK {
                self.flush(threads, job)?;
            }
            let to = &mut self.rows[self.used * n..][..n];
            standardise(&values[row as usize * n..][..n], self.scale, to);
            self.used += 1;
            job.advance(1);
        }
        Ok(())
    }

    /// What was added, divided by `snps`.
    pub fn finish(mut self, snps: u64, threads: usize, job: &Job) -> Result<SquareMatrix> {
        self.usable()?;
        if snps == 0 {
            return Err(Error::new("SHAPE", "a kinship needs at least one SNP"));
        }
        self.flush(threads, job)?;
        let (mut k, divisor) = (self.k, snps as f64);
        with_pool(threads, || crate::tiles::finish(&mut k, |x| x / divisor))?;
        Ok(k)
    }

    fn flush(&mut self, threads: usize, job: &Job) -> Result<()> {
        self.broken = true;
        let (n, used) = (self.samples, self.used);
        x_dense::syrk_add(n, used, &self.rows[..used * n], self.k.data_mut(), threads, job)?;
        self.used = 0;
        self.broken = false;
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        if self.broken {
            let text = "an earlier call on this kinship was cancelled or failed; start a new one";
            return Err(Error::new("STATE", text));
        }
        Ok(())
    }
}

/// Sums run over people in ascending order.
fn standardise(from: &[f64], scale: Scale, to: &mut [f64]) {
    let (mut sum, mut called) = (0.0, 0u32);
    for x in from.iter().filter(|x| !x.is_nan()) {
        sum += x;
        called += 1;
    }
    let mean = sum / f64::from(called.max(1));
    let mut square = 0.0;
    for (to, &x) in to.iter_mut().zip(from) {
        *to = if x.is_nan() { 0.0 } else { x - mean };
        square += *to * *to;
    }
    let variance = match scale {
        Scale::None => 1.0,
        Scale::Deviation => square / from.len() as f64,
        Scale::Hardy => mean * (1.0 - mean / 2.0),
    };
    if variance > 0.0 && variance != 1.0 {
        let by = 1.0 / variance.sqrt();
        to.iter_mut().for_each(|x| *x *= by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dosages(n: usize, p: usize) -> Vec<f64> {
        (0..n * p).map(|t| if t % 41 == 7 { f64::NAN } else { 1.0 + ((t * 7919 % 613) as f64 / 306.5).sin() }).collect()
    }

    fn kinship(n: usize, p: usize, scale: Scale, cut: usize, threads: usize) -> SquareMatrix {
        let x = dosages(n, p);
        let mut gram = DosageGram::new(n, scale).unwrap();
        for block in x.chunks(cut * n) {
            let rows: Vec<u32> = (0..(block.len() / n) as u32).collect();
            gram.add(block, &rows, threads, &Job::default()).unwrap();
        }
        gram.finish(p as u64, threads, &Job::default()).unwrap()
    }

    #[test]
    fn the_definition_for_every_scale() {
        let (n, p) = (37, 50);
        let x = dosages(n, p);
        for scale in [Scale::None, Scale::Deviation, Scale::Hardy] {
            let mut want = vec![0.0; n * n];
            for row in x.chunks_exact(n) {
                let called: Vec<f64> = row.iter().copied().filter(|x| !x.is_nan()).collect();
                let mean = called.iter().sum::<f64>() / called.len() as f64;
                let c: Vec<f64> = row.iter().map(|&x| if x.is_nan() { 0.0 } else { x - mean }).collect();
                let v = match scale {
                    Scale::None => 1.0,
                    Scale::Deviation => c.iter().map(|x| x * x).sum::<f64>() / n as f64,
                    Scale::Hardy => mean * (2.0 - mean) / 2.0,
                };
                for i in 0..n {
                    for j in 0..n {
                        want[i * n + j] += c[i] * c[j] / v / p as f64;
                    }
                }
            }
            let got = kinship(n, p, scale, 50, 1);
            for (a, b) in got.data().iter().zip(&want) {
                assert!((a - b).abs() < 1e-12, "{scale:?} {a} {b}");
            }
        }
    }

    #[test]
    fn blocks_and_threads_do_not_change_bytes() {
        let (n, p) = (210, 900);
        let one = kinship(n, p, Scale::Deviation, 900, 1);
        for (cut, threads) in [(1, 2), (7, 1), (385, 3)] {
            assert!(kinship(n, p, Scale::Deviation, cut, threads).data() == one.data(), "{cut} {threads}");
        }
    }

    #[test]
    fn a_cancelled_sum_is_not_taken_up_again() {
        let mut gram = DosageGram::new(3, Scale::None).unwrap();
        let x = vec![1.0; 3 * 500];
        let rows: Vec<u32> = (0..500).collect();
        let job = Job::default();
        job.cancel();
        assert_eq!(gram.add(&x, &rows, 1, &job).unwrap_err().code, "CANCELLED");
        assert_eq!(gram.add(&x, &rows, 1, &Job::default()).unwrap_err().code, "STATE");
        assert_eq!(DosageGram::new(3, Scale::None).unwrap().finish(0, 1, &job).unwrap_err().code, "SHAPE");
    }
}
