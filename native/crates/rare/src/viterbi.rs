//! The likeliest path of donors, of which only the lengths of its pieces matter: a long one means a recent common
//! ancestor, so little time for a new allele.

use crate::copying::{Model, Window};

/// Ends of the copied pieces in centimorgans: piece i lies between `ends[i]` and `ends[i + 1]`.
pub struct Pieces {
    ends: Vec<f64>,
}

/// Shorter ones tell nothing more.
const SHORTEST: f64 = 1e-3;

impl Pieces {
    /// Length of the piece a place lies in.
    pub fn length(&self, cm: f64) -> f64 {
        let after = self.ends.partition_point(|&e| e <= cm).clamp(1, self.ends.len() - 1);
        (self.ends[after] - self.ends[after - 1]).max(SHORTEST)
    }
}

/// `loci` is not empty.
pub fn pieces(model: Model, target: usize, donors: &[u32]) -> Pieces {
    let k = donors.len();
    let words = k.div_ceil(64);
    let mut window = Window::new(model, target, donors);
    let mut score = vec![1.0_f32; k];
    let mut best = 0_usize;
    // Of each locus that matters: itself, the donor a jump comes from, and who jumped.
    let mut loci: Vec<(usize, u32)> = Vec::new();
    let mut jumped: Vec<u64> = Vec::new();
    for locus in 0..model.bits.loci() {
        if !window.seek(locus) {
            continue;
        }
        let start = jumped.len();
        jumped.resize(start + words, 0);
        if let Some(&(from, _)) = loci.last() {
            let (stay, jump) = model.stay(from, locus);
            let jump = jump / k as f32;
            let (top, keep) = (score[best], stay + jump);
            for (i, s) in score.iter_mut().enumerate() {
                let (own, other) = (*s / top * keep, jump);
                if own < other {
                    jumped[start + i / 64] |= 1 << (i % 64);
                }
                *s = own.max(other);
            }
        }
        loci.push((locus, best as u32));
        window.emit(locus, &mut score);
        best = (1..k).fold(0, |b, i| if score[i] > score[b] { i } else { b });
    }
    let (first, last) = (model.cm[0], model.cm[model.cm.len() - 1]);
    let mut ends = vec![last];
    let mut donor = best;
    for i in (1..loci.len()).rev() {
        if jumped[i * words + donor / 64] >> (donor % 64) & 1 == 1 {
            ends.push((model.cm[loci[i].0] + model.cm[loci[i - 1].0]) / 2.0);
            donor = loci[i].1 as usize;
        }
    }
    ends.push(first);
    ends.reverse();
    Pieces { ends }
}
