//! `faer-peer FILE N DEGREE POOL`: eigendecomposition of the raw f64 matrix in FILE, one JSON line.
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd;
use faer::{Mat, MatRef, Par};

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

fn peak_mb() -> f64 {
    let mut r = unsafe { std::mem::zeroed::<libc::rusage>() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut r) };
    r.ru_maxrss as f64 / 1024.0
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[2].parse().unwrap();
    let degree: usize = a[3].parse().unwrap();
    let pool: usize = a[4].parse().unwrap();
    rayon_pool(pool);
    let par = if degree <= 1 { Par::Seq } else { Par::rayon(degree) };
    let bytes = std::fs::read(&a[1]).unwrap();
    let data: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    drop(bytes);
    let k = MatRef::from_row_major_slice(&data, n, n);
    let base = peak_mb();
    let mut u = Mat::<f64>::zeros(n, n);
    let mut s = faer::diag::Diag::<f64>::zeros(n);
    let params = Default::default();
    let need = evd::self_adjoint_evd_scratch::<f64>(n, evd::ComputeEigenvectors::Yes, par, params);
    let mut mem = MemBuffer::new(need);
    let t = cpu();
    let ok = evd::self_adjoint_evd(k, s.as_mut(), Some(u.as_mut()), par, MemStack::new(&mut mem), params).is_ok();
    let t = cpu() - t;
    drop(mem);
    let sref = s.column_vector();
    let mut hash = 0xcbf29ce484222325u64;
    for j in 0..n {
        hash = (hash ^ sref[j].to_bits()).wrapping_mul(0x100000001b3);
        for i in 0..n {
            hash = (hash ^ u[(i, j)].to_bits()).wrapping_mul(0x100000001b3);
        }
    }
    let us = Mat::from_fn(n, n, |i, j| u[(i, j)] * sref[j]);
    let peak = peak_mb();
    let norm = (0..n).map(|j| sref[j].abs()).fold(0.0, f64::max);
    let residual = (&us * u.transpose() - k).norm_l2() / norm.max(1e-300);
    let orth = (u.transpose() * &u - Mat::<f64>::identity(n, n)).norm_l2();
    println!(
        "{{\"solver\":\"faer\",\"n\":{n},\"degree\":{degree},\"pool\":{pool},\"ok\":{ok},\"cpu\":{t:.4},\"residual\":{residual:.2e},\"orthogonality\":{orth:.2e},\"base_mb\":{base:.0},\"peak_mb\":{peak:.0},\"scratch_mb\":{:.0},\"hash\":\"{hash:016x}\"}}",
        need.size_bytes() as f64 / 1048576.0
    );
}

fn rayon_pool(threads: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
}
