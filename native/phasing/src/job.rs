//! `Job`: one per long call. JavaScript cancels it and reads its counters; kernels poll it once a tile.

use napi_derive::napi;

#[napi]
#[derive(Default)]
pub struct Job(pub(crate) x_simd::Job);

#[napi]
impl Job {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Units of work done so far (tiles, rows or sweeps: each kernel says which).
    #[napi(getter, catch_unwind)]
    pub fn done(&self) -> f64 {
        self.0.done() as f64
    }

    #[napi(getter, catch_unwind)]
    pub fn total(&self) -> f64 {
        self.0.total() as f64
    }
}

/// The SIMD level the kernels run at, and all that this machine offers.
#[napi(object)]
pub struct SimdInfo {
    pub level: String,
    pub available: Vec<String>,
}

#[napi(catch_unwind)]
pub fn simd() -> SimdInfo {
    SimdInfo {
        level: x_simd::Level::get().name().to_owned(),
        available: x_simd::Level::available().into_iter().map(|l| l.name().to_owned()).collect(),
    }
}
