//! Runs in parts: stripe t holds the pairs (k, k + t + 1 mod n) of all k, as in the striped UniFrac of McDonald et al.
//! (Nature Methods 2018), so that parts of one matrix can be made on different machines.

use x_simd::{Error, Job, Result, try_zeroed, with_pool};

use crate::kernel::ROWS;
use crate::lanes::COLS;
use crate::matrix::tiles;
use crate::metric::Metric;
use crate::store::{Distances, Place, TILE, place_of, places};
use crate::walk::Source;

/// Stripes `from..to` of `n` samples, one after another, `n` numbers each.
pub struct Stripes {
    pub n: usize,
    pub from: usize,
    pub to: usize,
    pub values: Vec<f64>,
}

/// Stripes that hold every pair of `n` samples; in the last one of an even number every pair stands twice.
pub fn stripe_count(n: usize) -> usize {
    n / 2
}

/// Which stripe a pair i < j belongs to.
fn stripe_of(i: usize, j: usize, n: usize) -> usize {
    (j - i).min(n - (j - i)) - 1
}

/// Does a tile hold a pair of the stripes?
fn touches(place: Place, n: usize, from: usize, to: usize) -> bool {
    let (rows, cols) = (place.strip * ROWS, place.panel * COLS);
    let last = |start: usize, size: usize| (start + size - 1).min(n - 1);
    // Distances j - i in the tile, and those of the stripes: two ranges, one below n / 2 and its mirror image.
    let (least, most) = (cols.saturating_sub(last(rows, ROWS)).max(1), last(cols, COLS).saturating_sub(rows));
    let within = |a: usize, b: usize| least <= b && most >= a;
    within(from + 1, to) || within(n - to, n - from - 1)
}

/// The same bits as in the whole matrix. `STRIPES` for a range that is none.
#[allow(clippy::too_many_arguments)]
pub fn stripes(
    source: &Source,
    metric: Metric,
    chosen: &[u32],
    from: usize,
    to: usize,
    threads: usize,
    job: &Job,
) -> Result<Stripes> {
    let n = chosen.len();
    if from >= to || to > stripe_count(n) {
        let count = stripe_count(n);
        return Err(Error::new(
            "STRIPES",
            format!("stripes {from}:{to} are no range of the {count} stripes of {n} samples"),
        ));
    }
    let wanted: Vec<Place> = places(n).into_iter().filter(|&p| touches(p, n, from, to)).collect();
    let found = with_pool(threads, || tiles::<f64>(source, metric, chosen, &wanted, job))?;
    let mut slot = vec![usize::MAX; places(n).len()];
    wanted.iter().enumerate().for_each(|(at, p)| slot[place_of(p.strip * ROWS, p.panel * COLS) / TILE] = at);
    let mut values = try_zeroed((to - from) * n)?;
    for (t, line) in values.chunks_exact_mut(n).enumerate() {
        for (k, value) in line.iter_mut().enumerate() {
            let other = (k + from + t + 1) % n;
            let at = place_of(k.min(other), k.max(other));
            *value = found[slot[at / TILE] * TILE + at % TILE];
        }
    }
    Ok(Stripes { n, from, to, values })
}

/// The whole matrix from parts that cover all stripes, in any order. `STRIPES` when one is missing or stands twice.
pub fn merge_stripes(parts: &[(usize, &[f64])], n: usize) -> Result<Distances> {
    let mut lines: Vec<Option<&[f64]>> = vec![None; stripe_count(n)];
    for (from, values) in parts {
        for (t, line) in values.chunks(n.max(1)).enumerate() {
            let stripe = from + t;
            let bad =
                |what: &str| Error::new("STRIPES", format!("stripe {stripe} {what}")).with("stripe", stripe as f64);
            let slot = lines.get_mut(stripe).filter(|_| line.len() == n);
            let slot = slot.ok_or_else(|| bad(&format!("does not belong to a matrix of {n} samples")))?;
            if slot.replace(line).is_some() {
                return Err(bad("is in two of the parts"));
            }
        }
    }
    if let Some(stripe) = lines.iter().position(Option::is_none) {
        let message = format!("stripe {stripe} of {} is in none of the parts", lines.len());
        return Err(Error::new("STRIPES", message).with("stripe", stripe as f64));
    }
    let mut tiles = try_zeroed(places(n).len() * TILE)?;
    for j in 1..n {
        for i in 0..j {
            let t = stripe_of(i, j, n);
            let k = if j - i == t + 1 { i } else { j };
            tiles[place_of(i, j)] = lines[t].expect("looked at")[k];
        }
    }
    Ok(Distances::of_f64(n, tiles))
}
