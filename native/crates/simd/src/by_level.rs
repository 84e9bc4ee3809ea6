//! One body, compiled for each instruction set.

/// Defines `name(level, …)` that runs `inner::<FMA>` compiled for that level.
#[macro_export]
macro_rules! by_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? = $inner:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(level: $crate::Level, $($a: $t),*) $(-> $r)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                fn wide($($a: $t),*) $(-> $r)? {
                    $inner::<true>($($a),*)
                }
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($a: $t),*) $(-> $r)? {
                    $inner::<true>($($a),*)
                }
                // SAFETY: a level is only handed out after detecting its features.
                match level {
                    $crate::Level::Avx512 => return unsafe { wide($($a),*) },
                    $crate::Level::Avx2 => return unsafe { narrow($($a),*) },
                    _ => {}
                }
            }
            let _ = level;
            $inner::<{ cfg!(target_arch = "aarch64") }>($($a),*)
        }
    };
}
