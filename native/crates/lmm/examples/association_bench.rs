//! CPU time a variant of the association test, by stage: `cargo run --release -p x-lmm --example association_bench`
//! with the number of people, of covariates and of variants, and `all` for all tests, as optional arguments. X_SIMD=scalar|avx2 lowers the instruction set.
//!
//! The stages are told apart from outside: constant variants stop after the scan, whose cost follows the number of its
//! panels (three for 10 regions, one for 1 region). Linux only (/proc/self/stat).

use x_dense::SquareMatrix;
use x_lmm::{Association, NullPoint, Options, Study, Tests, Trait};
use x_simd::{Job, Level};

const REPEATS: usize = 30;

/// splitmix64, as a number in [0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// CPU microseconds of this process, ended threads included, in steps of 10 ms.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 1e4
}

fn main() {
    let argument = |i: usize, default: usize| std::env::args().nth(i).map_or(default, |a| a.parse().expect("a number"));
    let (n, c) = (argument(1, 1410), argument(2, 1));
    let variants = argument(3, 960);
    let mut random = Random(1);
    let mut vectors = SquareMatrix::zeros(n).expect("memory");
    // Orthonormal enough for timing: a product of Householder reflections, I - 2 v v' / v'v.
    for i in 0..n {
        vectors.data_mut()[i * n + i] = 1.0;
    }
    for _ in 0..20 {
        let v: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let scale = 2.0 / v.iter().map(|v| v * v).sum::<f64>();
        for row in vectors.data_mut().chunks_exact_mut(n) {
            let share = scale * row.iter().zip(&v).map(|(r, v)| r * v).sum::<f64>();
            row.iter_mut().zip(&v).for_each(|(r, v)| *r -= share * v);
        }
    }
    // A spectrum like a kinship's: few large values, many small ones.
    let values: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 - i as f64 / n as f64 + 0.02) - 0.98).collect();
    let mut y: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    for (j, d) in values.iter().enumerate() {
        let u = random.normal() * d.max(0.0).sqrt();
        y.iter_mut().enumerate().for_each(|(i, y)| *y += u * vectors.row(i)[j]);
    }
    let w: Vec<f64> = (0..n * c).map(|i| if i < n { 1.0 } else { random.normal() }).collect();
    let keep: Vec<u32> = (0..n as u32).collect();
    let tests = if std::env::args().nth(4).is_some() { Tests::ALL } else { Tests::WALD };
    let traits = [Trait { y: &y, null: NullPoint { lambda: 1.0, loglik: 0.0 } }];
    let study =
        Study { values: &values, keep: &keep, samples_in_file: n, traits: &traits, w: &w, c, environment: None, tests };
    let rows: Vec<u32> = (0..variants as u32).collect();
    let means = vec![1.0; variants];
    // 1 % of the calls are missing.
    let mut call = || if random.next() < 0.01 { 1 } else { [0u8, 2, 2, 3][(random.next() * 4.0) as usize] };
    let packed: Vec<u8> =
        (0..variants * n.div_ceil(4)).map(|_| call() | call() << 2 | call() << 4 | call() << 6).collect();
    let constant = vec![0; packed.len()];
    // The cases take turns, so that other load on the machine slows all of them alike.
    let cases = [(&packed, 10), (&constant, 10), (&constant, 1)];
    let associations = cases.map(|(_, regions)| {
        let options = Options { regions, ..Options::default() };
        Association::new(&vectors, &study, options).expect("a sound study")
    });
    let (mut times, mut rotation) = ([0.0; 3], 0.0);
    let mut out = vec![0.0; variants * n];
    for _ in 0..REPEATS {
        for ((time, association), (packed, _)) in times.iter_mut().zip(&associations).zip(cases) {
            let start = cpu();
            let wald = association.test(&vectors, packed, &rows, &means, 1, &Job::default()).expect("tests");
            std::hint::black_box(wald);
            *time += (cpu() - start) / (variants * REPEATS) as f64;
        }
        let start = cpu();
        x_genotype::rotate(vectors.data(), n, &packed, &rows, &means, &mut out, 1, &Job::default()).expect("rotates");
        rotation += (cpu() - start) / (variants * REPEATS) as f64;
    }
    let [total, ten, one] = times;
    let scan = (ten - one) * 1.5;
    println!(
        "{}: n {n}, covariates {c}; microseconds of CPU a variant: total {total:.1}, rotation {rotation:.1}, optimiser \
         {:.1}, of which grid scan {scan:.1}",
        Level::get().name(),
        total - rotation,
    );
}
