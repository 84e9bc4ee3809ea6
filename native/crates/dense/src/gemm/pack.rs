//! Copies of both sides into the order in which the kernel reads them, padded with zeros.

use x_simd::Level;

/// A read-only matrix with any row and column stride.
#[derive(Clone, Copy)]
pub struct View {
    pub at: *const f64,
    pub rs: usize,
    pub cs: usize,
}
// SAFETY: read only.
unsafe impl Send for View {}
unsafe impl Sync for View {}

impl View {
    pub fn rows(data: &[f64], ld: usize) -> Self {
        Self { at: data.as_ptr(), rs: ld, cs: 1 }
    }

    pub fn transposed(self) -> Self {
        Self { at: self.at, rs: self.cs, cs: self.rs }
    }

    pub fn offset(self, row: usize, col: usize) -> Self {
        // SAFETY: callers stay inside the matrix.
        Self { at: unsafe { self.at.add(row * self.rs + col * self.cs) }, ..self }
    }
}

/// The right-hand side: something that can fill packed panels, stored or computed on the fly.
pub trait Right: Sync {
    #[allow(clippy::too_many_arguments)]
    fn pack(&self, level: Level, k0: usize, kc: usize, j0: usize, nc: usize, nr: usize, out: &mut [f64]);
}

impl Right for View {
    fn pack(&self, _: Level, k0: usize, kc: usize, j0: usize, nc: usize, nr: usize, out: &mut [f64]) {
        // SAFETY: the caller of `tile` promises that the view covers k × n.
        unsafe { strips(self.transposed(), j0, nc, k0, kc, nr, out) }
    }
}

/// Groups of `mr` rows; inside a group, column by column.
pub unsafe fn left(a: View, i0: usize, mc: usize, k0: usize, kc: usize, mr: usize, out: &mut [f64]) {
    // SAFETY: passed on.
    unsafe { strips(a, i0, mc, k0, kc, mr, out) }
}

unsafe fn strips(a: View, i0: usize, m: usize, k0: usize, kc: usize, w: usize, out: &mut [f64]) {
    for (g, out) in out.chunks_exact_mut(w * kc).take(m.div_ceil(w)).enumerate() {
        let first = i0 + g * w;
        let here = w.min(i0 + m - first);
        let from = a.offset(first, k0);
        if here < w {
            out.fill(0.0);
        }
        if a.rs == 1 {
            for (p, to) in out.chunks_exact_mut(w).enumerate() {
                // SAFETY: `here` contiguous entries of column p.
                let x = unsafe { std::slice::from_raw_parts(from.at.add(p * a.cs), here) };
                to[..here].copy_from_slice(x);
            }
        } else {
            // Eight source entries a row at a time, so that a cache line is read once.
            for p0 in (0..kc).step_by(8) {
                let steps = 8.min(kc - p0);
                for r in 0..here {
                    for p in p0..p0 + steps {
                        // SAFETY: inside the view; out has w * kc entries.
                        unsafe { *out.get_unchecked_mut(p * w + r) = *from.at.add(r * a.rs + p * a.cs) };
                    }
                }
            }
        }
    }
}
