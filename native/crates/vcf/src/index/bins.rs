//! The binning scheme both indexes share: `8^depth` smallest bins of `2^shift` bases, each level eight times wider.

#[derive(Clone, Copy, Debug)]
pub struct Bins {
    pub shift: u32,
    pub depth: u32,
}

impl Bins {
    /// TBI's fixed scheme: 16 kb bins, positions below 2^29.
    pub const TBI: Self = Self { shift: 14, depth: 5 };

    /// 16 kb bins, as deep as the longest contig needs.
    pub fn for_length(length: u64) -> Self {
        let mut bins = Self::TBI;
        while bins.span() < length {
            bins.depth += 1;
        }
        bins
    }

    /// Positions it can hold.
    pub fn span(self) -> u64 {
        1 << (self.shift + 3 * self.depth)
    }

    /// Number of the first bin of a level; level 0 is the whole contig.
    fn first(level: u32) -> u64 {
        ((1u64 << (3 * level)) - 1) / 7
    }

    /// The bin that holds no records but counts.
    pub fn pseudo(self) -> u64 {
        Self::first(self.depth + 1) + 1
    }

    /// The smallest bin with all of `from..to` (from 0, end outside).
    pub fn bin(self, from: u64, to: u64) -> u64 {
        let last = to.max(from + 1) - 1;
        for level in (0..=self.depth).rev() {
            let shift = self.shift + 3 * (self.depth - level);
            if from >> shift == last >> shift {
                return Self::first(level) + (from >> shift);
            }
        }
        0
    }

    /// True when a bin shares a position with `from..to`.
    pub fn overlaps(self, bin: u64, from: u64, to: u64) -> bool {
        let Some((start, end)) = self.range(bin) else { return false };
        start < to && from < end
    }

    /// Positions of a bin; `None` for one that does not exist.
    pub fn range(self, bin: u64) -> Option<(u64, u64)> {
        let level = (0..=self.depth).find(|&level| bin < Self::first(level + 1))?;
        let shift = self.shift + 3 * (self.depth - level);
        let at = bin - Self::first(level);
        Some((at << shift, (at + 1) << shift))
    }

    pub fn parent(bin: u64) -> Option<u64> {
        (bin > 0).then(|| (bin - 1) >> 3)
    }
}
