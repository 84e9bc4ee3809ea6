//! Matrix products by packed panels. An entry is always summed over blocks of `KC` in ascending order by one thread,
//! whatever the thread count, the tile it falls into or the SIMD level (with fused multiply-add).

mod kernel;
mod pack;
mod parallel;

use std::cell::RefCell;

use x_simd::{Job, Level, Result, try_zeroed};

pub use pack::{Right, View};
pub use parallel::{gemm, gemm_into, lower_update, syrk, syrk_add};

/// Depth of one packed block: fixed, because it decides the order of summation.
pub const KC: usize = 192;
const MC: usize = 96;
const NC: usize = 480;

thread_local! {
    static PACKED: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Doubles of packing space that each thread keeps.
pub const PACK_LEN: usize = KC * (MC + NC) + 16;

/// Where a product goes: `rows × cols` entries `ld` apart, starting at `at`.
#[derive(Clone, Copy)]
pub struct Target {
    pub at: *mut f64,
    pub ld: usize,
}
// SAFETY: tasks write disjoint tiles only.
unsafe impl Send for Target {}
unsafe impl Sync for Target {}

impl Target {
    pub fn offset(self, row: usize, col: usize) -> Self {
        // SAFETY: callers stay inside the matrix the target was made from.
        Self { at: unsafe { self.at.add(row * self.ld + col) }, ld: self.ld }
    }
}

/// C = alpha A B, or C += alpha A B when `add`. One thread.
///
/// # Safety
/// `c` must be valid for `m × n` writes that no other thread touches; the views must cover their shapes.
#[allow(clippy::too_many_arguments)]
pub unsafe fn tile(
    level: Level,
    (m, n, k): (usize, usize, usize),
    alpha: f64,
    a: View,
    b: &impl Right,
    c: Target,
    add: bool,
    job: &Job,
) -> Result<()> {
    let (mr, nr) = kernel::shape(level);
    PACKED.with_borrow_mut(|packed| {
        if packed.len() < PACK_LEN {
            *packed = try_zeroed(PACK_LEN)?;
        }
        // Panels start on a cache line: a 64-byte load across two lines costs twice.
        let skip = packed.as_ptr().align_offset(64);
        let (pb, pa) = packed[skip..].split_at_mut(KC * NC);
        if k == 0 && !add {
            for i in 0..m {
                // SAFETY: the caller's promise.
                unsafe { std::slice::from_raw_parts_mut(c.at.add(i * c.ld), n) }.fill(0.0);
            }
        }
        for jc in (0..n).step_by(NC) {
            let nc = NC.min(n - jc);
            for pc in (0..k).step_by(KC) {
                job.check()?;
                let kc = KC.min(k - pc);
                b.pack(level, pc, kc, jc, nc, nr, pb);
                for ic in (0..m).step_by(MC) {
                    let mc = MC.min(m - ic);
                    // SAFETY: the view covers m × k.
                    unsafe { pack::left(a, ic, mc, pc, kc, mr, pa) };
                    let to = c.offset(ic, jc);
                    // SAFETY: as above; the panels were just packed.
                    unsafe { kernel::block(level, mc, nc, kc, alpha, pa, pb, to, add || pc > 0) };
                }
            }
        }
        Ok(())
    })
}
