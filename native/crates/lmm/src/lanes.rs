//! Eight float64 values that are worked on together. Left to itself LLVM shuffles these loops into narrow vectors, so
//! each instruction set says what its eight lanes are; every operation rounds once and alike on all of them. No closures
//! here: they would not inherit the instruction set of the kernel that they end up in.

pub const LANES: usize = 8;

/// # Safety
/// The methods of an implementation may be called only where its instruction set is enabled.
pub trait Lanes: Copy {
    unsafe fn splat(x: f64) -> Self;
    unsafe fn load(x: &[f64; LANES]) -> Self;
    unsafe fn store(self) -> [f64; LANES];
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    /// `self * b + c`, rounded once.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
}

/// Plain code: slow where the processor has no fused multiply-add, but with the same result.
impl Lanes for [f64; LANES] {
    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(x: &[f64; LANES]) -> Self {
        *x
    }
    #[inline(always)]
    unsafe fn store(self) -> [f64; LANES] {
        self
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        std::array::from_fn(|l| self[l] + b[l])
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        std::array::from_fn(|l| self[l] * b[l])
    }
    #[inline(always)]
    unsafe fn div(self, b: Self) -> Self {
        std::array::from_fn(|l| self[l] / b[l])
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        std::array::from_fn(|l| self[l].mul_add(b[l], c[l]))
    }
}

/// `$parts` registers of `$width` values each.
macro_rules! vectors {
    ($name:ident, $register:ty, $parts:literal, $width:literal, $arch:ident,
     $splat:ident, $load:ident, $store:ident, $add:ident, $mul:ident, $div:ident, |$a:ident, $b:ident, $c:ident| $fma:expr) => {
        #[derive(Clone, Copy)]
        pub struct $name([$register; $parts]);

        // SAFETY: the caller has enabled the instruction set; loads and stores stay inside eight values.
        impl Lanes for $name {
            #[inline(always)]
            unsafe fn splat(x: f64) -> Self {
                unsafe { Self([std::arch::$arch::$splat(x); $parts]) }
            }
            #[inline(always)]
            unsafe fn load(x: &[f64; LANES]) -> Self {
                let mut out = unsafe { Self::splat(0.0) };
                for (p, register) in out.0.iter_mut().enumerate() {
                    *register = unsafe { std::arch::$arch::$load(x.as_ptr().add(p * $width)) };
                }
                out
            }
            #[inline(always)]
            unsafe fn store(self) -> [f64; LANES] {
                let mut out = [0.0f64; LANES];
                for (p, register) in self.0.into_iter().enumerate() {
                    unsafe { std::arch::$arch::$store(out.as_mut_ptr().add(p * $width), register) };
                }
                out
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                let mut out = self;
                for (a, b) in out.0.iter_mut().zip(b.0) {
                    *a = unsafe { std::arch::$arch::$add(*a, b) };
                }
                out
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                let mut out = self;
                for (a, b) in out.0.iter_mut().zip(b.0) {
                    *a = unsafe { std::arch::$arch::$mul(*a, b) };
                }
                out
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                let mut out = self;
                for (a, b) in out.0.iter_mut().zip(b.0) {
                    *a = unsafe { std::arch::$arch::$div(*a, b) };
                }
                out
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                let mut out = self;
                for p in 0..$parts {
                    let ($a, $b, $c) = (self.0[p], b.0[p], c.0[p]);
                    out.0[p] = unsafe { $fma };
                }
                out
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
vectors!(
    Avx2,
    std::arch::x86_64::__m256d,
    2,
    4,
    x86_64,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_add_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    |a, b, c| std::arch::x86_64::_mm256_fmadd_pd(a, b, c)
);
#[cfg(target_arch = "x86_64")]
vectors!(
    Avx512,
    std::arch::x86_64::__m512d,
    1,
    8,
    x86_64,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_add_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    |a, b, c| std::arch::x86_64::_mm512_fmadd_pd(a, b, c)
);
#[cfg(target_arch = "aarch64")]
vectors!(
    Neon,
    std::arch::aarch64::float64x2_t,
    4,
    2,
    aarch64,
    vdupq_n_f64,
    vld1q_f64,
    vst1q_f64,
    vaddq_f64,
    vmulq_f64,
    vdivq_f64,
    |a, b, c| std::arch::aarch64::vfmaq_f64(c, a, b)
);
