//! Zeroed memory of a size that came from outside.

use std::alloc::{Layout, alloc_zeroed};

use crate::{Error, Result};

/// Types whose all-zero bytes are a valid value.
///
/// # Safety
/// Every bit pattern of zeros must be a valid `Self`.
pub unsafe trait Zeroable: Copy {}

macro_rules! zeroable {
    ($($t:ty),*) => { $(unsafe impl Zeroable for $t {})* };
}
zeroable!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, usize);
unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}

/// Zeroed vector: `ALLOC` instead of the abort that `vec![0; n]` would bring. The pages come zeroed from the system and
/// are not touched here, so a kernel that fills the vector writes it once.
pub fn try_zeroed<T: Zeroable>(len: usize) -> Result<Vec<T>> {
    let fail = || {
        let bytes = len as f64 * size_of::<T>() as f64;
        Error::new("ALLOC", format!("could not allocate {bytes:.0} bytes")).with("bytes", bytes)
    };
    let layout = Layout::array::<T>(len).map_err(|_| fail())?;
    if layout.size() == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the layout is that of `[T; len]` and not empty; zeros are a valid `T`; the global allocator made the block.
    unsafe {
        let data = alloc_zeroed(layout).cast::<T>();
        if data.is_null() { Err(fail()) } else { Ok(Vec::from_raw_parts(data, len, len)) }
    }
}

#[cfg(test)]
mod tests {
    use super::try_zeroed;

    #[test]
    fn zeroed_empty_and_too_large() {
        assert_eq!(try_zeroed::<u32>(3).unwrap(), [0, 0, 0]);
        assert!(try_zeroed::<f64>(0).unwrap().is_empty());
        assert_eq!(try_zeroed::<f64>(usize::MAX / 8).unwrap_err().code, "ALLOC");
        assert_eq!(try_zeroed::<f64>(usize::MAX).unwrap_err().code, "ALLOC");
    }
}
