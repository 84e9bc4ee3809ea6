//! What an int8 dot-product Gram (AVX-512 VNNI, 4 × 4 rows a step, operands in L1) could reach at best, to compare with
//! the bit planes of `gram`. `cargo run --release -p x-genotype --example int8`

mod common;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn vnni(a: &[u8], b: &[i8], row: usize, sums: &mut [i32; 16]) {
    use std::arch::x86_64::*;
    assert!(a.len() == 4 * row && b.len() == 4 * row && row.is_multiple_of(64));
    let mut acc = [_mm512_setzero_si512(); 16];
    for at in (0..row).step_by(64) {
        // SAFETY: four rows of `row` bytes on each side.
        let (x, y): ([__m512i; 4], [__m512i; 4]) = unsafe {
            (
                std::array::from_fn(|k| _mm512_loadu_si512(a.as_ptr().add(k * row + at).cast())),
                std::array::from_fn(|k| _mm512_loadu_si512(b.as_ptr().add(k * row + at).cast())),
            )
        };
        for (k, acc) in acc.iter_mut().enumerate() {
            *acc = _mm512_dpbusd_epi32(*acc, x[k / 4], y[k % 4]);
        }
    }
    for (sum, acc) in sums.iter_mut().zip(acc) {
        *sum += _mm512_reduce_add_epi32(acc);
    }
}

fn main() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
        const ROW: usize = 2048;
        let (a, b) = (vec![1u8; 4 * ROW], vec![-1i8; 4 * ROW]);
        for run in 0..4 {
            let (at, mut sums) = (common::cpu(), [0; 16]);
            let steps = 200_000;
            for _ in 0..steps {
                // SAFETY: the processor has the features, as checked above.
                unsafe { vnni(std::hint::black_box(&a), std::hint::black_box(&b), ROW, &mut sums) };
                sums = std::hint::black_box([0; 16]);
            }
            let seconds = common::cpu() - at;
            common::report("vnni", x_simd::Level::Avx512, run, seconds, "pairs", (16 * ROW * steps) as f64);
        }
    }
}
