//! What the benches share: CPU time of the process, random genotypes, JSON lines.
#![allow(dead_code)]

use x_simd::Level;

/// CPU seconds of all threads: wall time says nothing on a shared machine.
#[cfg(target_os = "linux")]
pub fn cpu() -> f64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, to: *mut Timespec) -> i32;
    }
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut t = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: POSIX call that fills `t`.
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.seconds as f64 + t.nanoseconds as f64 * 1e-9
}

#[cfg(not(target_os = "linux"))]
pub fn cpu() -> f64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Random packed rows; about one call in `gap` is missing, none when 0.
pub fn packed(samples: usize, rows: usize, gap: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let bytes = x_genotype::row_bytes(samples);
    (0..bytes * rows)
        .map(|_| {
            (0..4).fold(0, |byte, k| {
                let missing = gap > 0 && next().is_multiple_of(gap);
                byte | if missing { 1 } else { [0, 2, 3][next() % 3] } << (2 * k)
            })
        })
        .collect()
}

pub fn report(what: &str, level: Level, run: usize, seconds: f64, unit: &str, amount: f64) {
    println!(
        "{{\"what\":\"{what}\",\"level\":\"{}\",\"run\":{run},\"cpu_s\":{seconds:.4},\"G{unit}_per_s\":{:.2}}}",
        level.name(),
        amount / seconds / 1e9
    );
}
