//! Counts to the numbers that models are fitted to.

use x_simd::{Error, Result, try_zeroed};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    /// Shares of the sample's total.
    Relative,
    /// Square roots of the shares.
    Hellinger,
    /// Logarithms of counts plus this, each sample's centred.
    Clr(f64),
}

impl Transform {
    /// By the name users write. `OPTION_CHOICE` for another one.
    pub fn new(name: &str, pseudocount: f64) -> Result<Self> {
        Ok(match name {
            "relative" => Self::Relative,
            "hellinger" => Self::Hellinger,
            "clr" => Self::Clr(pseudocount),
            _ => return Err(Error::new("OPTION_CHOICE", format!("there is no transform {name}"))),
        })
    }
}

/// Samples × features row by row, from compressed rows. Samples without counts become 0 everywhere.
pub fn transform(
    features: usize,
    indptr: &[f64],
    indices: &[u32],
    values: &[f64],
    kind: Transform,
) -> Result<Vec<f64>> {
    let samples = indptr.len().saturating_sub(1);
    let fits = indices.len() == values.len() && indptr.last() == Some(&(values.len() as f64));
    if !fits || indptr.windows(2).any(|w| w[0] > w[1]) || indices.iter().any(|&f| f as usize >= features) {
        return Err(Error::new("TABLE_SHAPE", "this is no compressed table"));
    }
    let mut dense = try_zeroed(samples * features)?;
    for (row, w) in dense.chunks_exact_mut(features.max(1)).zip(indptr.windows(2)) {
        let range = w[0] as usize..w[1] as usize;
        let total: f64 = values[range.clone()].iter().sum();
        if total <= 0.0 {
            continue;
        }
        for (&f, &v) in indices[range.clone()].iter().zip(&values[range]) {
            row[f as usize] = match kind {
                Transform::Relative => v / total,
                Transform::Hellinger => (v / total).sqrt(),
                Transform::Clr(_) => v,
            };
        }
        if let Transform::Clr(pseudocount) = kind {
            row.iter_mut().for_each(|x| *x = (*x + pseudocount).ln());
            let mean = row.iter().sum::<f64>() / features as f64;
            row.iter_mut().for_each(|x| *x -= mean);
        }
    }
    Ok(dense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_roots_and_centred_logarithms() {
        let of = |kind| transform(2, &[0.0, 2.0, 2.0], &[0, 1], &[1.0, 3.0], kind).unwrap();
        assert_eq!(of(Transform::Relative), [0.25, 0.75, 0.0, 0.0]);
        assert_eq!(of(Transform::Hellinger), [0.5, 0.75f64.sqrt(), 0.0, 0.0]);
        let clr = of(Transform::Clr(1.0));
        assert!((clr[1] - 2f64.ln() / 2.0).abs() < 1e-15 && (clr[0] + clr[1]).abs() < 1e-15);
    }
}
