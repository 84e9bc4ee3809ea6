//! Eight single-precision lanes, in one register where the machine has one. All operations are rounded one by one, so
//! every implementation gives the same bits.

use std::ops::{Deref, DerefMut};

/// One value a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(32))]
pub struct V(pub [f32; 8]);

pub const ZERO: V = V([0.0; 8]);

impl Deref for V {
    type Target = [f32; 8];
    fn deref(&self) -> &[f32; 8] {
        &self.0
    }
}

impl DerefMut for V {
    fn deref_mut(&mut self) -> &mut [f32; 8] {
        &mut self.0
    }
}

impl V {
    pub fn new(lane: impl FnMut(usize) -> f32) -> Self {
        Self(std::array::from_fn(lane))
    }
}

/// A register of eight lanes.
pub trait Lanes: Copy {
    fn load(v: &V) -> Self;
    fn store(self, v: &mut V);
    fn splat(x: f32) -> Self;
    fn mul(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// Whether any lane is less than `x`.
    fn any_below(self, x: f32) -> bool;
    /// The sum over lanes: h and h + 4 first, then h and h + 2, then both.
    fn total(self) -> f32;
}

impl Lanes for V {
    #[inline(always)]
    fn load(v: &V) -> Self {
        *v
    }
    #[inline(always)]
    fn store(self, v: &mut V) {
        *v = self;
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        V([x; 8])
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        V::new(|h| self[h] * other[h])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        V::new(|h| self[h] + other[h])
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        V::new(|h| self[h] / other[h])
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        V::new(|h| if self[h] > other[h] { self[h] } else { other[h] })
    }
    #[inline(always)]
    fn any_below(self, x: f32) -> bool {
        self.iter().any(|&y| y < x)
    }
    #[inline(always)]
    fn total(self) -> f32 {
        let half: [f32; 4] = std::array::from_fn(|h| self[h] + self[h + 4]);
        (half[0] + half[2]) + (half[1] + half[3])
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::Ymm;

/// Only used inside functions that enable AVX.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lanes, V};
    use std::arch::x86_64::*;

    #[derive(Clone, Copy)]
    pub struct Ymm(__m256);

    // SAFETY of all: AVX is there (see above), and a `V` is 32 aligned bytes.
    impl Lanes for Ymm {
        #[inline(always)]
        fn load(v: &V) -> Self {
            Self(unsafe { _mm256_load_ps(v.0.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, v: &mut V) {
            unsafe { _mm256_store_ps(v.0.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(x) })
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn div(self, other: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn any_below(self, x: f32) -> bool {
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, _mm256_set1_ps(x))) != 0 }
        }
        #[inline(always)]
        fn total(self) -> f32 {
            unsafe {
                let half = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
                _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::{Lanes, V};
    use std::arch::aarch64::*;

    #[derive(Clone, Copy)]
    pub struct Neon(float32x4_t, float32x4_t);

    // SAFETY of all: NEON is part of the architecture, and a `V` is eight numbers.
    impl Lanes for Neon {
        #[inline(always)]
        fn load(v: &V) -> Self {
            unsafe { Self(vld1q_f32(v.0.as_ptr()), vld1q_f32(v.0[4..].as_ptr())) }
        }
        #[inline(always)]
        fn store(self, v: &mut V) {
            unsafe {
                vst1q_f32(v.0.as_mut_ptr(), self.0);
                vst1q_f32(v.0[4..].as_mut_ptr(), self.1);
            }
        }
        #[inline(always)]
        fn splat(x: f32) -> Self {
            unsafe { Self(vdupq_n_f32(x), vdupq_n_f32(x)) }
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            unsafe { Self(vmulq_f32(self.0, other.0), vmulq_f32(self.1, other.1)) }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { Self(vaddq_f32(self.0, other.0), vaddq_f32(self.1, other.1)) }
        }
        #[inline(always)]
        fn div(self, other: Self) -> Self {
            unsafe { Self(vdivq_f32(self.0, other.0), vdivq_f32(self.1, other.1)) }
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            unsafe { Self(vmaxq_f32(self.0, other.0), vmaxq_f32(self.1, other.1)) }
        }
        #[inline(always)]
        fn any_below(self, x: f32) -> bool {
            unsafe { vminvq_f32(vminq_f32(self.0, self.1)) < x }
        }
        #[inline(always)]
        fn total(self) -> f32 {
            unsafe {
                let half = vaddq_f32(self.0, self.1);
                let pair = vadd_f32(vget_low_f32(half), vget_high_f32(half));
                vget_lane_f32::<0>(pair) + vget_lane_f32::<1>(pair)
            }
        }
    }
}

/// Defines `name(level, …)` that runs `inner::<L>` with the widest registers of that level.
macro_rules! by_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? = $inner:ident) => {
        $(#[$doc])*
        $vis fn $name(level: x_simd::Level, $($a: $t),*) $(-> $r)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($a: $t),*) $(-> $r)? {
                    $inner::<$crate::lanes::Ymm>($($a),*)
                }
                if level >= x_simd::Level::Avx2 {
                    // SAFETY: a level is only handed out after detecting its features.
                    return unsafe { wide($($a),*) };
                }
            }
            #[cfg(target_arch = "aarch64")]
            if level != x_simd::Level::Scalar {
                return $inner::<$crate::lanes::Neon>($($a),*);
            }
            let _ = level;
            $inner::<$crate::lanes::V>($($a),*)
        }
    };
}
pub(crate) use by_level;
