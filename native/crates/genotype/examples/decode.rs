//! Decode against a streaming fill of as many bytes, the two by turns; counts beside them.
//! `cargo run --release -p x-genotype --example decode [samples rows]`

mod common;

use common::{cpu, packed, report};
use x_genotype::{count_at, decode_f32_at, decode_f64_at, decode_i8_at, streaming_fill, subset_at, transpose};
use x_simd::{Job, Level};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let (n, rows) = (args.first().copied().unwrap_or(5003), args.get(1).copied().unwrap_or(8000));
    let job = Job::default();
    let data = packed(n, rows, 100);
    let (mut a, mut b, mut c) = (vec![1i8; n * rows], vec![1f32; n * rows], vec![1f64; n * rows]);
    for level in Level::available().into_iter().rev() {
        for run in 0..4 {
            let timed = |what: &str, bytes: usize, work: &mut dyn FnMut()| {
                let at = cpu();
                work();
                report(what, level, run, cpu() - at, "B", bytes as f64);
            };
            let bytes = n * rows;
            timed("decode_i8", bytes, &mut || decode_i8_at(level, &data, n, rows, &mut a, 1, &job).unwrap());
            timed("fill_i8", bytes / 8 * 8, &mut || streaming_fill(level, 1.0, &mut c[..bytes / 8]));
            timed("decode_f32", bytes * 4, &mut || decode_f32_at(level, &data, n, rows, &mut b, 1, &job).unwrap());
            timed("fill_f32", bytes * 4, &mut || streaming_fill(level, 1.0, &mut c[..bytes / 2]));
            timed("decode_f64", bytes * 8, &mut || decode_f64_at(level, &data, n, rows, &mut c, 1, &job).unwrap());
            timed("fill_f64", bytes * 8, &mut || streaming_fill(level, 1.0, &mut c));
            timed("count", data.len(), &mut || drop(count_at(level, &data, n, rows, None, 1, &job).unwrap()));
            let keep: Vec<u32> = (0..n as u32).filter(|k| k % 10 != 3).collect();
            timed("subset", data.len(), &mut || drop(subset_at(level, &data, n, rows, &keep, 1, &job).unwrap()));
            timed("transpose", data.len(), &mut || {
                let snps = n.div_ceil(4) * 4;
                drop(transpose(&data, rows, snps, 0..snps, 1, &job).unwrap());
            });
        }
    }
}
