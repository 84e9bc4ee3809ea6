//! A feature table, sample by sample.

use x_simd::{Error, Result};

/// Samples × features in compressed rows.
pub struct Counts {
    pub features: usize,
    /// Where each sample's entries begin; one more than samples.
    pub indptr: Vec<usize>,
    /// Features, ascending within a sample.
    pub indices: Vec<u32>,
    pub values: Vec<f64>,
    /// Sum of each sample.
    pub totals: Vec<f64>,
}

impl Counts {
    /// `TABLE_SHAPE` when the arrays do not fit together, `TABLE_VALUE` for a count that is negative or not finite.
    pub fn new(features: usize, indptr: &[f64], indices: &[u32], values: &[f64]) -> Result<Self> {
        let shape = |what: &str| Error::new("TABLE_SHAPE", format!("this is no compressed table: {what}"));
        let ends = indptr.first() == Some(&0.0) && indptr.last() == Some(&(values.len() as f64));
        if !ends || indices.len() != values.len() || indptr.windows(2).any(|w| w[0] > w[1] || w[1].fract() != 0.0) {
            return Err(shape("pointers do not cover the entries"));
        }
        let indptr: Vec<usize> = indptr.iter().map(|&p| p as usize).collect();
        let mut totals = Vec::with_capacity(indptr.len() - 1);
        for (sample, w) in indptr.windows(2).enumerate() {
            let row = &indices[w[0]..w[1]];
            if row.windows(2).any(|p| p[0] >= p[1]) || row.last().is_some_and(|&f| f as usize >= features) {
                return Err(
                    shape("features of a sample are not ascending, or there are fewer").with("sample", sample as f64)
                );
            }
            let entries = &values[w[0]..w[1]];
            if let Some(at) = entries.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
                let message = format!("count {} is negative or not finite", entries[at]);
                let e = Error::new("TABLE_VALUE", message).with("sample", sample as f64);
                return Err(e.with("feature", f64::from(row[at])));
            }
            totals.push(entries.iter().sum());
        }
        Ok(Self { features, indptr, indices: indices.to_vec(), values: values.to_vec(), totals })
    }

    pub fn samples(&self) -> usize {
        self.totals.len()
    }

    pub fn row(&self, sample: usize) -> (&[u32], &[f64]) {
        let range = self.indptr[sample]..self.indptr[sample + 1];
        (&self.indices[range.clone()], &self.values[range])
    }
}

/// The positive entries of some samples, feature by feature; samples are numbered by their place in the choice.
pub struct ByFeature {
    start: Vec<usize>,
    samples: Vec<u32>,
    values: Vec<f64>,
}

impl ByFeature {
    pub fn new(counts: &Counts, chosen: &[u32]) -> Self {
        let positive = |s: u32| {
            let (features, values) = counts.row(s as usize);
            features.iter().zip(values).filter(|(_, v)| **v > 0.0)
        };
        let mut start = vec![0usize; counts.features + 1];
        for &s in chosen {
            positive(s).for_each(|(&f, _)| start[f as usize + 1] += 1);
        }
        for f in 0..counts.features {
            start[f + 1] += start[f];
        }
        let mut next = start.clone();
        let (mut samples, mut values) = (vec![0; start[counts.features]], vec![0.0; start[counts.features]]);
        for (place, &s) in chosen.iter().enumerate() {
            for (&f, &v) in positive(s) {
                let at = &mut next[f as usize];
                samples[*at] = place as u32;
                values[*at] = v;
                *at += 1;
            }
        }
        Self { start, samples, values }
    }

    /// Places in the choice, ascending, and counts.
    pub fn feature(&self, feature: usize) -> (&[u32], &[f64]) {
        let range = self.start[feature]..self.start[feature + 1];
        (&self.samples[range.clone()], &self.values[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_a_choice_and_drops_zeros() {
        let counts = Counts::new(3, &[0.0, 2.0, 2.0, 4.0], &[0, 2, 1, 2], &[1.0, 2.0, 0.0, 4.0]).unwrap();
        assert_eq!(counts.totals, [3.0, 0.0, 4.0]);
        let by = ByFeature::new(&counts, &[2, 0]);
        assert_eq!(by.feature(2), (&[0u32, 1][..], &[4.0, 2.0][..]));
        assert!(by.feature(1).0.is_empty());
    }

    #[test]
    fn refuses_what_is_no_table() {
        let code = |p: &[f64], i: &[u32], v: &[f64]| Counts::new(2, p, i, v).err().map(|e| e.code);
        assert_eq!(code(&[0.0, 1.0], &[0], &[-1.0]), Some("TABLE_VALUE"));
        assert_eq!(code(&[0.0, 1.0], &[0], &[f64::NAN]), Some("TABLE_VALUE"));
        assert_eq!(code(&[0.0, 1.0], &[2], &[1.0]), Some("TABLE_SHAPE"));
        assert_eq!(code(&[0.0, 2.0], &[1, 0], &[1.0, 1.0]), Some("TABLE_SHAPE"));
        assert_eq!(code(&[0.0, 2.0], &[1], &[1.0]), Some("TABLE_SHAPE"));
    }
}
