//! Portable decode; also the tail of the vector kernels.

use super::Target;

pub(super) fn fill<T: Target>(src: &[u8], out: &mut [T]) {
    for (to, &byte) in out.chunks_mut(4).zip(src) {
        for (k, value) in to.iter_mut().enumerate() {
            *value = T::VALUES[usize::from(byte >> (2 * k) & 3)];
        }
    }
}
