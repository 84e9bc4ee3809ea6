//! What the native doors share. Long work runs on a libuv thread: napi runs `compute` without catching panics, so
//! `Work` does: a panic becomes an error with the code `NATIVE_PANIC` and Node goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Status, Task};

type Run<T> = Box<dyn FnMut() -> x_simd::Result<T> + Send>;

/// `run` stays alive until the promise settles, so typed arrays it captured are released on the JavaScript thread.
pub struct Work<T, J> {
    run: Run<T>,
    finish: fn(T) -> J,
}

impl<T: Send + 'static, J: ToNapiValue + TypeName + 'static> Work<T, J> {
    pub fn spawn(run: impl FnMut() -> x_simd::Result<T> + Send + 'static, finish: fn(T) -> J) -> AsyncTask<Self> {
        AsyncTask::new(Self { run: Box::new(run), finish })
    }
}

impl<T: Send + 'static, J: ToNapiValue + TypeName + 'static> Task for Work<T, J> {
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<T> {
        match catch_unwind(AssertUnwindSafe(|| (self.run)())) {
            Ok(result) => result.map_err(to_napi),
            Err(panic) => Err(to_napi(x_simd::Error::new("NATIVE_PANIC", panic_text(&*panic)))),
        }
    }

    fn resolve(&mut self, _env: Env, output: T) -> napi::Result<J> {
        Ok((self.finish)(output))
    }
}

/// `code|message|{"key":number,…}`: `@x/core` turns it back into an `XError`.
pub fn to_napi(e: x_simd::Error) -> napi::Error {
    let details: Vec<String> = e.details.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
    napi::Error::new(Status::GenericFailure, format!("{}|{}|{{{}}}", e.code, e.message, details.join(",")))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a native kernel panicked: {}", text.unwrap_or("no message"))
}

/// Rust prints panics to stderr by default; the error that reaches JavaScript says the same. Called once, as a door loads.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}
