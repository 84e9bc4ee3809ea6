//! `eigen_bench FILE N THREADS`: eigendecomposition of the raw little-endian f64 matrix in FILE, one JSON line.

use x_dense::{SquareMatrix, eigh, eigh_bytes};
use x_simd::Job;

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|x| x.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (n, threads): (usize, usize) = (a[2].parse().expect("N"), a[3].parse().expect("THREADS"));
    let mut k = SquareMatrix::zeros(n).expect("memory");
    {
        use std::io::Read;
        let mut f = std::fs::File::open(&a[1]).expect("FILE");
        let mut row = vec![0u8; 8 * n];
        for to in k.data_mut().chunks_exact_mut(n) {
            f.read_exact(&mut row).expect("n × n values");
            for (x, b) in to.iter_mut().zip(row.chunks_exact(8)) {
                *x = f64::from_le_bytes(b.try_into().expect("8 bytes"));
            }
        }
    }
    let t = cpu();
    let e = eigh(k, threads, &Job::default()).unwrap_or_else(|e| panic!("{e}"));
    let t = cpu() - t;
    let peak = peak_mb();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for x in e.values.iter().chain(e.vectors.data()) {
        hash = (hash ^ x.to_bits()).wrapping_mul(0x100_0000_01b3);
    }
    let formula = eigh_bytes(n as u64, threads as u64) as f64 / 1_048_576.0;
    println!(
        "{{\"solver\":\"x-dense\",\"n\":{n},\"threads\":{threads},\"cpu\":{t:.4},\"residual\":{:.2e},\"orthogonality\":{:.2e},\"peak_mb\":{peak:.0},\"formula_mb\":{formula:.0},\"first\":{:e},\"last\":{:e},\"hash\":\"{hash:016x}\"}}",
        e.residual,
        e.orthogonality,
        e.values.first().unwrap_or(&0.0),
        e.values.last().unwrap_or(&0.0)
    );
}
