//! What a distance is made of: sums over branches, and how they become the distance.

use x_simd::{Error, Result};

/// p is the share of a sample's counts below a branch of length l, I whether there are any.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// Σ l |I_A − I_B| / Σ l (I_A or I_B). On a table without a tree this is Jaccard's distance.
    Unweighted,
    /// Σ l |p_A − p_B|.
    Weighted,
    /// Σ l |p_A − p_B| / Σ l (p_A + p_B).
    WeightedNormalized,
    /// Σ l (p_A + p_B)^α |p_A − p_B| / (p_A + p_B) over Σ l (p_A + p_B)^α.
    Generalized(f64),
    /// Every term of both sums divided by √(m (n − m)), m the counts of both samples below the branch, n all of theirs.
    UnweightedAdjusted,
    WeightedNormalizedAdjusted,
    /// Σ |a − b| / Σ (a + b) of counts.
    BrayCurtis,
    /// Euclidean distance of the logarithms of counts plus this, each sample's centred.
    Aitchison(f64),
}

impl Metric {
    /// By the name users write. `OPTION_CHOICE` for another one.
    pub fn new(name: &str, parameter: f64) -> Result<Self> {
        Ok(match name {
            "unweighted" | "jaccard" => Self::Unweighted,
            "weighted" => Self::Weighted,
            "weighted-normalized" => Self::WeightedNormalized,
            "generalized" if parameter == 1.0 => Self::WeightedNormalized,
            "generalized" => Self::Generalized(parameter),
            "unweighted-vaw" => Self::UnweightedAdjusted,
            "weighted-normalized-vaw" => Self::WeightedNormalizedAdjusted,
            "bray-curtis" => Self::BrayCurtis,
            "aitchison" => Self::Aitchison(parameter),
            _ => return Err(Error::new("OPTION_CHOICE", format!("there is no metric {name}"))),
        })
    }

    /// Sums a pair needs.
    pub fn sums(self) -> usize {
        match self {
            Self::Generalized(_) | Self::UnweightedAdjusted | Self::WeightedNormalizedAdjusted => 2,
            _ => 1,
        }
    }

    /// Is every branch looked at for every pair, also where one of both samples has nothing?
    pub fn either(self) -> bool {
        matches!(self, Self::UnweightedAdjusted | Self::WeightedNormalizedAdjusted | Self::Aitchison(_))
    }

    /// What a sample's count below a branch of length `l` counts as in the sums.
    pub fn value(self, l: f64, count: f64, total: f64) -> f64 {
        match self {
            Self::Unweighted => l,
            Self::Weighted | Self::WeightedNormalized => l * (count / total),
            Self::Generalized(_) => count / total,
            Self::UnweightedAdjusted | Self::WeightedNormalizedAdjusted | Self::BrayCurtis | Self::Aitchison(_) => {
                count
            }
        }
    }

    /// What it adds to the sample's own sum, see `finish`.
    pub fn own(self, l: f64, count: f64, total: f64) -> f64 {
        match self {
            Self::Generalized(alpha) => l * power(count / total, alpha),
            _ => self.value(l, count, total),
        }
    }

    /// The distance from the sums of a pair and the own sums of both samples. What two samples share is summed, not what
    /// they differ in: then branches that one of them lacks need no look. Two samples alike give exactly 0, as their
    /// shared sum is made of the same numbers in the same order as their own.
    pub fn finish(self, sum: f64, second: f64, a: f64, b: f64) -> f64 {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
        match self {
            Self::Unweighted => ratio(a + b - 2.0 * sum, a + b - sum),
            Self::Weighted => (a + b - 2.0 * sum).max(0.0),
            Self::WeightedNormalized | Self::BrayCurtis => ratio(a + b - 2.0 * sum, a + b),
            Self::Generalized(_) => ratio(a + b - sum, a + b - second),
            Self::UnweightedAdjusted | Self::WeightedNormalizedAdjusted => ratio(sum, second),
            Self::Aitchison(_) => sum.sqrt(),
        }
    }
}

/// x^α; the square root, which is by far the most used one, is faster and rounds correctly.
#[inline(always)]
pub fn power(x: f64, alpha: f64) -> f64 {
    if alpha == 0.5 {
        x.sqrt()
    } else if alpha == 0.0 {
        1.0
    } else {
        x.powf(alpha)
    }
}
