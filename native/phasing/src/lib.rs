//! The door between JavaScript and the phasing crates: converts arguments, calls one crate function, hands back typed
//! arrays or handles. No arithmetic here. Every export is `#[napi(catch_unwind)]`; long work goes through
//! [`work::Work`], which catches panics on the worker thread as well.

// napi registers exports in builds without `test` only.
#![cfg_attr(test, allow(dead_code))]

mod eval;
mod job;
mod ligate;
mod loci;
mod panic;
mod phase;
mod rare;
mod rows;
mod vcf;
mod work;
mod writer;
