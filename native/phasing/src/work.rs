//! Long work and errors, as every door handles them.

pub use x_door::{Work, to_napi};

#[napi_derive::module_init]
fn on_load() {
    x_door::silence_panics();
}
