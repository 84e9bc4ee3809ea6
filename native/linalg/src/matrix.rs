//! Handle to a square float64 matrix in Rust memory. JavaScript sees tiles, never the whole.

use std::sync::{Arc, RwLock};

use napi::bindgen_prelude::{Float64Array, Float64ArraySlice};
use napi_derive::napi;
use x_dense::SquareMatrix;

use crate::work::to_napi;

/// `None` once released or consumed.
pub type Shared = Arc<RwLock<Option<SquareMatrix>>>;

#[napi]
pub struct Matrix {
    pub(crate) inner: Shared,
}

impl Matrix {
    pub fn wrap(m: SquareMatrix) -> Self {
        Self { inner: Arc::new(RwLock::new(Some(m))) }
    }
}

/// Runs `f` on a matrix that must still be there.
pub fn read<T>(shared: &Shared, f: impl FnOnce(&SquareMatrix) -> x_simd::Result<T>) -> x_simd::Result<T> {
    let guard = shared.read().map_err(|_| poisoned())?;
    f(guard.as_ref().ok_or_else(released)?)
}

pub fn write<T>(shared: &Shared, f: impl FnOnce(&mut SquareMatrix) -> x_simd::Result<T>) -> x_simd::Result<T> {
    let mut guard = shared.write().map_err(|_| poisoned())?;
    f(guard.as_mut().ok_or_else(released)?)
}

/// Takes the matrix out of its handle, which is empty afterwards.
pub fn take(shared: &Shared) -> x_simd::Result<SquareMatrix> {
    shared.write().map_err(|_| poisoned())?.take().ok_or_else(released)
}

fn released() -> x_simd::Error {
    x_simd::Error::new("MATRIX_RELEASED", "this matrix was released or consumed by an earlier call")
}

fn poisoned() -> x_simd::Error {
    x_simd::Error::new("NATIVE_PANIC", "an earlier call on this matrix panicked; its contents are unknown")
}

#[napi]
impl Matrix {
    /// A zero matrix. Throws ALLOC when memory is short.
    #[napi(factory, catch_unwind)]
    pub fn zeros(n: u32) -> napi::Result<Self> {
        SquareMatrix::zeros(n as usize).map(Self::wrap).map_err(to_napi)
    }

    /// Rows and columns; 0 once released.
    #[napi(getter, catch_unwind)]
    pub fn n(&self) -> u32 {
        read(&self.inner, |m| Ok(m.n() as u32)).unwrap_or(0)
    }

    /// A copy of the tile, row by row.
    #[napi(catch_unwind)]
    pub fn tile(&self, row: u32, rows: u32, col: u32, cols: u32) -> napi::Result<Float64Array> {
        read(&self.inner, |m| m.tile(row as usize, rows as usize, col as usize, cols as usize))
            .map(Float64Array::new)
            .map_err(to_napi)
    }

    /// Copies the tile into `out`, row by row: streams of tiles then need one buffer, not one a tile.
    #[napi(catch_unwind)]
    pub fn tile_into(&self, row: u32, rows: u32, col: u32, cols: u32, mut out: Float64ArraySlice) -> napi::Result<()> {
        // SAFETY: the array is JavaScript's and lives for this synchronous call; nobody else writes to it meanwhile.
        let out = unsafe { out.as_mut() };
        read(&self.inner, |m| m.tile_into(row as usize, rows as usize, col as usize, cols as usize, out))
            .map_err(to_napi)
    }

    #[napi(catch_unwind)]
    pub fn set_tile(&self, row: u32, rows: u32, col: u32, cols: u32, data: &[f64]) -> napi::Result<()> {
        write(&self.inner, |m| m.set_tile(row as usize, rows as usize, col as usize, cols as usize, data))
            .map_err(to_napi)
    }

    /// Frees the memory now instead of at the next garbage collection.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        if let Ok(mut guard) = self.inner.write() {
            *guard = None;
        }
    }
}
