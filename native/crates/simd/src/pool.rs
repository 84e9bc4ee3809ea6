//! One rayon pool a call: the thread count comes from the caller, never from a global pool or the environment.

use std::num::NonZero;

use crate::{Error, Result};

/// Runs `work` inside a pool of `threads` threads (0 = all that this process may use).
pub fn with_pool<T: Send>(threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        n => n,
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::new("THREADS", format!("could not start {threads} threads: {e}")))?
        .install(work)
}
