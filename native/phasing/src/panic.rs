//! Panics on purpose: the two guards (napi's `catch_unwind`, [`Work`]) can be tested from JavaScript only by a real panic.

use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::job::Job;
use crate::work::Work;

const TEXT: &str = "provoked by a test";

/// Panics on the JavaScript thread. Exists so that tests can see that Node survives it.
#[napi(catch_unwind)]
pub fn provoke_panic() {
    panic!("{TEXT}");
}

/// Panics on a worker thread. Exists so that tests can see that Node survives it. NATIVE_PANIC.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn provoke_panic_in_work(job: &Job) -> AsyncTask<Work<(), ()>> {
    let job = job.0.clone();
    Work::spawn(
        move || {
            job.check()?;
            panic!("{TEXT}");
        },
        |()| (),
    )
}
