//! Cancel flag and progress counters of one long call, shared between the JavaScript thread and the kernels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::{Error, Result};

#[derive(Clone, Default)]
pub struct Job(Arc<State>);

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Job {
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Relaxed);
    }

    /// Kernels call this once a tile (at least every 100 ms of work on one core).
    pub fn check(&self) -> Result<()> {
        if self.0.cancelled.load(Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    pub fn start(&self, total: u64) {
        self.0.done.store(0, Relaxed);
        self.0.total.store(total, Relaxed);
    }

    pub fn advance(&self, units: u64) {
        self.0.done.fetch_add(units, Relaxed);
    }

    pub fn done(&self) -> u64 {
        self.0.done.load(Relaxed)
    }

    pub fn total(&self) -> u64 {
        self.0.total.load(Relaxed)
    }
}
