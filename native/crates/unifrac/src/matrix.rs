//! All pairs: packs of branches in turn, each added to all tiles by the threads of one pool.

use rayon::prelude::*;
use x_simd::{Job, Result, try_zeroed, with_pool};

use crate::feed::Feed;
use crate::kernel::{ROWS, Tile, add_tile};
use crate::lanes::COLS;
use crate::metric::Metric;
use crate::pack::{Pack, blocks_for, pack_bytes};
use crate::store::{Distances, Place, Real, TILE, places};
use crate::walk::Source;

/// Distances between the samples `chosen`; the same bits for any number of threads. With `single` they are kept as
/// float32. Progress counts tiles.
pub fn distances(
    source: &Source,
    metric: Metric,
    chosen: &[u32],
    single: bool,
    threads: usize,
    job: &Job,
) -> Result<Distances> {
    let n = chosen.len();
    with_pool(threads, || {
        Ok(if single {
            Distances::of_f32(n, tiles(source, metric, chosen, &places(n), job)?)
        } else {
            Distances::of_f64(n, tiles(source, metric, chosen, &places(n), job)?)
        })
    })
}

/// Bytes of `distances` at its peak, the table apart.
pub fn distances_bytes(n: u64, metric: Metric, single: bool) -> u64 {
    let tiles = (n + 2 * ROWS as u64).saturating_mul(n + 2 * COLS as u64) / 2;
    let number = if single { 4 } else { 8 };
    tiles.saturating_mul(number * metric.sums() as u64).saturating_add(pack_bytes(n))
}

/// Distances in the tiles `wanted`, inside the caller's pool.
pub fn tiles<T: Real>(source: &Source, metric: Metric, chosen: &[u32], wanted: &[Place], job: &Job) -> Result<Vec<T>> {
    let n = chosen.len();
    let sums = metric.sums();
    let mut feed = Feed::new(source, metric, chosen);
    let mut pack = Pack::new(n, metric, true)?;
    let mut own = vec![0.0; n];
    let mut kept: Vec<T> = try_zeroed(wanted.len() * TILE * sums)?;
    let packs = Feed::branches(source, metric).div_ceil(64 * blocks_for(n)).max(1);
    job.start((packs * wanted.len()) as u64);
    job.check()?;
    while feed.fill(&mut pack, &mut own)? {
        // Float32 sums are rounded between packs, so a sample's own must be: two samples alike stay at distance 0.
        own.iter_mut().for_each(|x| *x = T::from_f64(*x).to_f64());
        let (pack, people) = (&pack, &feed.people);
        (kept.par_chunks_mut(TILE * sums).zip(wanted)).try_for_each_init(Tile::new, |tile, (kept, place)| {
            job.check()?;
            let first = place.strip * ROWS;
            let rows = ROWS.min(n.min((place.panel + 1) * COLS) - first);
            load(kept, tile, sums);
            add_tile(pack, people, tile, first, rows, place.panel);
            save(kept, tile, sums);
            job.advance(1);
            Ok(())
        })?;
    }
    (kept.par_chunks_mut(TILE * sums).zip(wanted)).for_each(|(kept, place)| finish(kept, *place, n, metric, &own));
    if sums > 1 {
        for at in 1..wanted.len() {
            kept.copy_within(at * sums * TILE..(at * sums + 1) * TILE, at * TILE);
        }
        kept.truncate(wanted.len() * TILE);
        kept.shrink_to_fit();
    }
    Ok(kept)
}

fn load<T: Real>(kept: &[T], tile: &mut Tile, sums: usize) {
    let copy = |from: &[T], to: &mut [[f64; COLS]; ROWS]| {
        to.as_flattened_mut().iter_mut().zip(from).for_each(|(to, from)| *to = from.to_f64());
    };
    copy(&kept[..TILE], &mut tile.sums);
    if sums > 1 {
        copy(&kept[TILE..], &mut tile.second);
    }
}

fn save<T: Real>(kept: &mut [T], tile: &Tile, sums: usize) {
    let copy = |to: &mut [T], from: &[[f64; COLS]; ROWS]| {
        to.iter_mut().zip(from.as_flattened()).for_each(|(to, from)| *to = T::from_f64(*from));
    };
    copy(&mut kept[..TILE], &tile.sums);
    if sums > 1 {
        copy(&mut kept[TILE..], &tile.second);
    }
}

/// Sums to distances, in place of the first sums; what is no pair i < j becomes 0.
fn finish<T: Real>(kept: &mut [T], place: Place, n: usize, metric: Metric, own: &[f64]) {
    for at in 0..TILE {
        let (i, j) = (place.strip * ROWS + at / COLS, place.panel * COLS + at % COLS);
        let second = kept.get(TILE + at).map_or(0.0, |x| x.to_f64());
        let distance = if i < j && j < n { metric.finish(kept[at].to_f64(), second, own[i], own[j]) } else { 0.0 };
        kept[at] = T::from_f64(distance);
    }
}
