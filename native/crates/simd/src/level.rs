//! The instruction set of this process: detected once, or forced by `X_SIMD` so that tests can compare paths.

use std::sync::OnceLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Scalar,
    /// aarch64 baseline.
    Neon,
    /// AVX2 + FMA + POPCNT.
    Avx2,
    /// AVX-512 F/BW/DQ/VL + VPOPCNTDQ, on top of AVX2.
    Avx512,
}

impl Level {
    /// The level every kernel table is built from. `X_SIMD` can lower it, never raise it.
    pub fn get() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let best = Level::detect();
            match std::env::var("X_SIMD").as_deref() {
                Ok("scalar") => Level::Scalar,
                Ok("avx2") => best.min(Level::Avx2),
                _ => best,
            }
        })
    }

    /// All levels this machine can run, slowest first: tests loop over them.
    pub fn available() -> Vec<Level> {
        let best = Level::detect();
        [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512]
            .into_iter()
            .filter(|&l| l <= best && (l == Level::Scalar || (l == Level::Neon) == cfg!(target_arch = "aarch64")))
            .collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Neon => "neon",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn detect() -> Level {
        let avx2 =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vpopcntdq");
        match (avx2, avx512) {
            (true, true) => Level::Avx512,
            (true, false) => Level::Avx2,
            _ => Level::Scalar,
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn detect() -> Level {
        Level::Neon
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn detect() -> Level {
        Level::Scalar
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn scalar_is_always_available_and_get_is_one_of_them() {
        let all = Level::available();
        assert_eq!(all[0], Level::Scalar);
        assert!(all.contains(&Level::get()));
    }
}
