//! The haploid copying model of one haplotype over the scaffold: how much of its posterior each donor has at the loci
//! asked for. Loci at which all donors fit and nothing is asked are passed in one jump, which is exact.

use crate::bits::Bits;

/// The chain that is common to all haplotypes.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    pub bits: &'a Bits,
    pub cm: &'a [f64],
    /// Jumps a centimorgan.
    pub rate: f64,
    /// Emission of a code that differs, against 1 for the same.
    pub mismatch: f32,
}

/// Words of the donors that differ from the target, one 64-bit word at a time.
pub struct Window<'a> {
    model: Model<'a>,
    target: usize,
    donors: &'a [u32],
    word: usize,
    differ: Vec<u64>,
    any: u64,
}

impl<'a> Window<'a> {
    pub fn new(model: Model<'a>, target: usize, donors: &'a [u32]) -> Self {
        Self { model, target, donors, word: usize::MAX, differ: vec![0; donors.len()], any: 0 }
    }

    /// Goes to the word of a locus; true when a donor differs there.
    pub fn seek(&mut self, locus: usize) -> bool {
        let (word, shift, mask) = self.model.bits.place(locus);
        if word != self.word {
            self.word = word;
            let row = self.model.bits.word(word);
            let own = row[self.target];
            self.any = 0;
            for (d, &id) in self.differ.iter_mut().zip(self.donors) {
                *d = row[id as usize] ^ own;
                self.any |= *d;
            }
        }
        self.any >> shift & mask != 0
    }

    /// Multiplies by the emission of a locus that was just sought.
    pub fn emit(&self, locus: usize, mass: &mut [f32]) {
        let (_, shift, mask) = self.model.bits.place(locus);
        let e = [1.0, self.model.mismatch];
        for (m, d) in mass.iter_mut().zip(&self.differ) {
            *m *= e[usize::from(d >> shift & mask != 0)];
        }
    }
}

impl Model<'_> {
    /// Chances to stay and to jump over a distance; the second is never 0.
    pub fn stay(&self, from: usize, to: usize) -> (f32, f32) {
        let x = -self.rate * (self.cm[to] - self.cm[from]).abs().max(1e-7);
        (x.exp() as f32, -x.exp_m1() as f32)
    }
}

/// A fixed order of additions, so that every machine gets the same bits.
pub fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let mut chunks = values.chunks_exact(8);
    for chunk in &mut chunks {
        lanes.iter_mut().zip(chunk).for_each(|(l, v)| *l += v);
    }
    lanes.iter_mut().zip(chunks.remainder()).for_each(|(l, v)| *l += v);
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Scales to a sum of 1, then moves: what jumps lands anywhere.
fn step(mass: &mut [f32], total: f32, (stay, jump): (f32, f32)) {
    let (keep, jump) = (stay / total, jump / mass.len() as f32);
    mass.iter_mut().for_each(|m| *m = *m * keep + jump);
}

/// Posterior of every donor at the loci of `wanted` (ascending), given to `visit` from the last to the first. Masses
/// cannot vanish: each locus multiplies by at least `mismatch` and each jump adds to all.
pub fn posteriors(
    model: Model,
    target: usize,
    donors: &[u32],
    wanted: &[u32],
    scratch: &mut Vec<f32>,
    mut visit: impl FnMut(usize, &[f32]),
) {
    let k = donors.len();
    let mut window = Window::new(model, target, donors);
    scratch.clear();
    scratch.reserve(wanted.len() * k);
    let mut mass = vec![1.0 / k as f32; k];
    let (mut total, mut last) = (1.0_f32, None);
    let mut next = 0;
    for locus in 0..model.bits.loci() {
        let asked = wanted.get(next) == Some(&(locus as u32));
        if window.seek(locus) || asked {
            if let Some(from) = last {
                step(&mut mass, total, model.stay(from, locus));
            }
            window.emit(locus, &mut mass);
            total = sum(&mass);
            last = Some(locus);
            if asked {
                scratch.extend(mass.iter().map(|m| m / total));
                next += 1;
            }
        }
    }
    // Backward: `mass` is the chance of everything at and after a locus.
    mass.fill(1.0 / k as f32);
    let mut both = vec![0.0; k];
    let mut last = None;
    for locus in (0..model.bits.loci()).rev() {
        let asked = next > 0 && wanted[next - 1] == locus as u32;
        if window.seek(locus) || asked {
            if let Some(from) = last {
                step(&mut mass, total, model.stay(locus, from));
            }
            if asked {
                next -= 1;
                let forward = &scratch[next * k..(next + 1) * k];
                both.iter_mut().zip(forward).zip(&mass).for_each(|((b, f), m)| *b = f * m);
                // Above 0, because a jump adds to every donor at every locus.
                let all = sum(&both);
                both.iter_mut().for_each(|b| *b /= all);
                visit(next, &both);
            }
            window.emit(locus, &mut mass);
            total = sum(&mass);
            last = Some(locus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x_random::Random;

    #[test]
    fn agrees_with_the_textbook() {
        let (h, l) = (14, 150);
        let mut random = Random::new(5, 1);
        let mut bits = Bits::new(h);
        let mut cm = Vec::new();
        let mut at = 0.0;
        for i in 0..l {
            let count = if i % 5 == 0 { 3 } else { 2 };
            // Long stretches at which everybody agrees are jumped over.
            let codes: Vec<u8> = (0..h).map(|_| if i % 4 == 0 { random.int(count) as u8 } else { 0 }).collect();
            bits.push(&codes, count as u8);
            at += random.uniform() * 0.1;
            cm.push(at);
        }
        let model = Model { bits: &bits, cm: &cm, rate: 0.9, mismatch: 0.01 };
        let donors: Vec<u32> = (2..h as u32).collect();
        let wanted = [0, 3, 70, 71, 149];
        let textbook = textbook(model, 0, &donors);
        let mut count = 0;
        posteriors(model, 0, &donors, &wanted, &mut Vec::new(), |i, p| {
            for (a, b) in p.iter().zip(&textbook[wanted[i] as usize]) {
                assert!((f64::from(*a) - b).abs() < 2e-5, "{a} {b}");
            }
            count += 1;
        });
        assert_eq!(count, wanted.len());
    }

    /// Doubles, every locus, every pair of donors.
    fn textbook(model: Model, target: usize, donors: &[u32]) -> Vec<Vec<f64>> {
        let (k, l) = (donors.len(), model.bits.loci());
        let emit = |locus: usize, d: usize| {
            let same = model.bits.get(locus, donors[d] as usize) == model.bits.get(locus, target);
            if same { 1.0 } else { f64::from(model.mismatch) }
        };
        let step = |a: usize, from: usize, to: usize, b: usize| {
            let stay = (-model.rate * (model.cm[to] - model.cm[from])).exp();
            (1.0 - stay) / k as f64 + if a == b { stay } else { 0.0 }
        };
        let mut forward = vec![vec![0.0; k]; l];
        let mut backward = vec![vec![1.0; k]; l];
        for i in 0..l {
            for b in 0..k {
                let before: f64 =
                    if i == 0 { 1.0 } else { (0..k).map(|a| forward[i - 1][a] * step(a, i - 1, i, b)).sum() };
                forward[i][b] = before * emit(i, b);
            }
            let total: f64 = forward[i].iter().sum();
            forward[i].iter_mut().for_each(|f| *f /= total);
        }
        for i in (0..l - 1).rev() {
            for a in 0..k {
                backward[i][a] = (0..k).map(|b| step(a, i, i + 1, b) * emit(i + 1, b) * backward[i + 1][b]).sum();
            }
            let total: f64 = backward[i].iter().sum();
            backward[i].iter_mut().for_each(|f| *f /= total);
        }
        (0..l)
            .map(|i| {
                let both: Vec<f64> = (0..k).map(|a| forward[i][a] * backward[i][a]).collect();
                let total: f64 = both.iter().sum();
                both.into_iter().map(|b| b / total).collect()
            })
            .collect()
    }
}
