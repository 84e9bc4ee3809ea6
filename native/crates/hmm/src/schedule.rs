//! The iteration string `3b,1p,1b,1p,1b,1p,24m`.

use x_simd::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `b`: sample, and forget.
    BurnIn,
    /// `p`: sample, then merge segments whose joint haplotypes are all but certain.
    Prune,
    /// `m`: sample, and add the probabilities to the final estimate.
    Main,
}

/// The stages in order, one an iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(pub Vec<Stage>);

impl Schedule {
    /// Parses a count and a letter (`b`, `p` or `m`) per item, separated by commas. `BAD_SCHEDULE` says which item is
    /// wrong; at least one `m` is needed, and nothing may follow the last run of `m`.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |item: &str| {
            Error::new(
                "BAD_SCHEDULE",
                format!("cannot read \"{item}\" in the schedule \"{text}\"; write it like 3b,1p,1b,1p,1b,1p,24m"),
            )
        };
        let mut stages = Vec::new();
        for item in text.split(',').map(str::trim) {
            let stage = match item.chars().last() {
                Some('b') => Stage::BurnIn,
                Some('p') => Stage::Prune,
                Some('m') => Stage::Main,
                _ => return Err(bad(item)),
            };
            let count: usize = item[..item.len() - 1].parse().map_err(|_| bad(item))?;
            if count > 10_000 {
                return Err(bad(item));
            }
            stages.extend(std::iter::repeat_n(stage, count));
        }
        let first = stages.iter().position(|&s| s == Stage::Main);
        match first {
            Some(first) if stages[first..].iter().all(|&s| s == Stage::Main) => Ok(Self(stages)),
            _ => Err(Error::new(
                "BAD_SCHEDULE",
                format!("the schedule \"{text}\" must end with its main iterations, e.g. 3b,1p,1b,1p,1b,1p,24m"),
            )),
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        use Stage::{BurnIn as B, Main as M, Prune as P};
        let mut stages = vec![B, B, B, P, B, P, B, P];
        stages.extend([M; 24]);
        Self(stages)
    }
}
