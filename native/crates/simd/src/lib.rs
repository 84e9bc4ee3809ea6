//! What every kernel shares: the instruction set picked once a process, the error type that crosses the
//! native door, the cancel flag with its progress counters, and the thread pool of one call.

mod by_level;
mod error;
mod job;
mod level;
mod pool;
mod zeroed;

pub use error::{Error, Result};
pub use job::Job;
pub use level::Level;
pub use pool::with_pool;
pub use zeroed::{Zeroable, try_zeroed};
