//! The door between JavaScript and the crates: converts arguments, calls one crate function, hands back typed
//! arrays or handles. No arithmetic here. Every export is `#[napi(catch_unwind)]`; long work goes through
//! [`work::Work`], which catches panics on the worker thread as well.

// napi registers exports in builds without `test` only.
#![cfg_attr(test, allow(dead_code))]

mod dense;
mod dosage;
mod dual;
mod gam;
mod genotype;
mod job;
mod learn;
mod lmm;
mod lmm_multi;
mod matrix;
mod panic;
mod stats;
mod unifrac;
mod work;
