//! Exports of the `dense` crate.

use napi::bindgen_prelude::{AsyncTask, Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use x_dense::SquareMatrix;
use x_simd::{Error, Result, try_zeroed};

use crate::job::Job;
use crate::matrix::{Matrix, read, take, write};
use crate::work::{Work, to_napi};

/// Rows `row .. row + rows` in GEMMA's text format: `%.10g`, tab separated, newline ended.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn matrix_format_rows(
    job: &Job,
    m: &Matrix,
    row: u32,
    rows: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<u8>, Uint8Array>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    let run = move || read(&m, |m| x_dense::text::format_rows(m, row as usize, rows as usize, threads as usize, &job));
    Work::spawn(run, Uint8Array::new)
}

/// Parses the text of an n × n matrix from chunks cut anywhere. KIN_SHAPE, KIN_NAN, KIN_PARSE, KIN_TRUNCATED.
#[napi]
pub struct MatrixReader(Option<x_dense::text::MatrixReader>);

#[napi]
impl MatrixReader {
    #[napi(constructor, catch_unwind)]
    pub fn new(n: u32) -> napi::Result<Self> {
        x_dense::text::MatrixReader::new(n as usize).map(|r| Self(Some(r))).map_err(to_napi)
    }

    #[napi(catch_unwind)]
    pub fn push(&mut self, chunk: &[u8]) -> napi::Result<()> {
        self.0.as_mut().ok_or_else(finished).and_then(|r| r.push(chunk)).map_err(to_napi)
    }

    /// The matrix, once all its text was pushed. The reader is empty afterwards.
    #[napi(catch_unwind)]
    pub fn finish(&mut self) -> napi::Result<Matrix> {
        self.0
            .take()
            .ok_or_else(finished)
            .and_then(x_dense::text::MatrixReader::finish)
            .map(Matrix::wrap)
            .map_err(to_napi)
    }
}

fn finished() -> Error {
    Error::new("MATRIX_RELEASED", "this reader was finished by an earlier call")
}

/// Rows and columns `keep`, in that order.
#[napi(catch_unwind, ts_return_type = "Promise<Matrix>")]
pub fn matrix_subset(job: &Job, m: &Matrix, keep: Uint32Array, threads: u32) -> AsyncTask<Work<SquareMatrix, Matrix>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    Work::spawn(move || read(&m, |m| x_dense::submatrix(m, &keep, threads as usize, &job)), Matrix::wrap)
}

/// J K J in place.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn matrix_center(job: &Job, m: &Matrix, threads: u32) -> AsyncTask<Work<(), ()>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    Work::spawn(move || write(&m, |m| x_dense::center(m, threads as usize, &job)), |()| ())
}

/// (p W − q K) / (p − q) in place of K: the kinship without `q` of its `p` variants, from the whole and theirs.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn matrix_leave_out(
    job: &Job,
    whole: &Matrix,
    p: f64,
    part: &Matrix,
    q: f64,
    threads: u32,
) -> AsyncTask<Work<(), ()>> {
    let (job, whole, part) = (job.0.clone(), whole.inner.clone(), part.inner.clone());
    let run = move || {
        if std::sync::Arc::ptr_eq(&whole, &part) {
            return Err(Error::new("SHAPE", "a kinship cannot be left out of itself"));
        }
        read(&whole, |w| write(&part, |k| x_dense::leave_out(w, p as u64, k, q as u64, threads as usize, &job)))
    };
    Work::spawn(run, |()| ())
}

/// What a kinship matrix looks like; `nanRow` and `nanCol` are −1 when every value is finite.
#[napi(object)]
pub struct MatrixInspection {
    pub nan_row: i32,
    pub nan_col: i32,
    pub asymmetry: f64,
    pub asymmetry_row: u32,
    pub asymmetry_col: u32,
    pub zero: bool,
    pub trace: f64,
}

#[napi(catch_unwind, ts_return_type = "Promise<MatrixInspection>")]
pub fn matrix_inspect(job: &Job, m: &Matrix, threads: u32) -> AsyncTask<Work<x_dense::Inspection, MatrixInspection>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    Work::spawn(
        move || read(&m, |m| x_dense::inspect(m, threads as usize, &job)),
        |i| MatrixInspection {
            nan_row: i.not_finite.map_or(-1, |at| at.0 as i32),
            nan_col: i.not_finite.map_or(-1, |at| at.1 as i32),
            asymmetry: i.asymmetry,
            asymmetry_row: i.asymmetry_at.0 as u32,
            asymmetry_col: i.asymmetry_at.1 as u32,
            zero: i.zero,
            trace: i.trace,
        },
    )
}

/// An eigendecomposition.
#[napi(object, object_from_js = false)]
pub struct EigenResult {
    /// Ascending.
    pub values: Float64Array,
    /// A row for each person, a column for each eigenvector.
    pub vectors: Matrix,
    /// Estimate of ‖K − UΛU'‖ / ‖K‖.
    pub residual: f64,
    /// Estimate of ‖U'U − I‖.
    pub orthogonality: f64,
}

/// Peak bytes of `eigh`, its input included; threads = 0 counts all that this process may use.
#[napi(catch_unwind)]
pub fn eigh_bytes(n: f64, threads: u32) -> f64 {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64,
        t => u64::from(t),
    };
    x_dense::eigh_bytes(n as u64, threads) as f64
}

/// Consumes `m`. KIN_NAN, EIGEN_CHECK.
#[napi(catch_unwind, ts_return_type = "Promise<EigenResult>")]
pub fn eigh(job: &Job, m: &Matrix, threads: u32) -> AsyncTask<Work<x_dense::Eigen, EigenResult>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    Work::spawn(
        move || x_dense::eigh(take(&m)?, threads as usize, &job),
        |e| EigenResult {
            values: Float64Array::new(e.values),
            vectors: Matrix::wrap(e.vectors),
            residual: e.residual,
            orthogonality: e.orthogonality,
        },
    )
}

/// Estimate of ‖U'U − I‖ for vectors that came from a file.
#[napi(catch_unwind, ts_return_type = "Promise<number>")]
pub fn check_eigen(job: &Job, values: Float64Array, vectors: &Matrix, threads: u32) -> AsyncTask<Work<f64, f64>> {
    let (job, m) = (job.0.clone(), vectors.inner.clone());
    Work::spawn(move || read(&m, |u| x_dense::check_eigen(&values, u, threads as usize, &job)), |x| x)
}

/// U'Y for `c` columns of n values, one after the other; same layout back.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn project(
    job: &Job,
    vectors: &Matrix,
    columns: Float64Array,
    c: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let (job, m) = (job.0.clone(), vectors.inner.clone());
    let run = move || read(&m, |u| x_dense::project(u, &columns, c as usize, threads as usize, &job));
    Work::spawn(run, Float64Array::new)
}

/// A B, row-major: `a` is m × k, `b` is k × n.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn matmul(
    job: &Job,
    m: u32,
    n: u32,
    k: u32,
    a: Float64Array,
    b: Float64Array,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let job = job.0.clone();
    let (m, n, k) = (m as usize, n as usize, k as usize);
    let run = move || {
        let mut c = zeros(m, n)?;
        x_dense::gemm(m, n, k, &a, &b, &mut c, threads as usize, &job)?;
        Ok(c)
    };
    Work::spawn(run, Float64Array::new)
}

/// A A', row-major and full: `a` is m × k.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn syrk(job: &Job, m: u32, k: u32, a: Float64Array, threads: u32) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let job = job.0.clone();
    let run = move || {
        let mut c = zeros(m as usize, m as usize)?;
        x_dense::syrk(m as usize, k as usize, &a, &mut c, threads as usize, &job)?;
        Ok(c)
    };
    Work::spawn(run, Float64Array::new)
}

fn zeros(rows: usize, cols: usize) -> Result<Vec<f64>> {
    let len = rows.checked_mul(cols);
    try_zeroed(len.ok_or_else(|| Error::new("ALLOC", format!("{rows} x {cols} values have no address space")))?)
}

/// A = L L' in place; the upper triangle becomes zero. CHOLESKY_NOT_PD.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn cholesky(job: &Job, m: &Matrix, threads: u32) -> AsyncTask<Work<(), ()>> {
    let (job, m) = (job.0.clone(), m.inner.clone());
    Work::spawn(move || write(&m, |m| x_dense::cholesky(m, threads as usize, &job)), |()| ())
}

/// L⁻¹ B for `c` columns of n values, one after the other.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn solve_lower(
    job: &Job,
    l: &Matrix,
    columns: Float64Array,
    c: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    solve(job, l, columns, c, threads, x_dense::solve_lower)
}

/// L'⁻¹ B for `c` columns of n values, one after the other.
#[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
pub fn solve_lower_transposed(
    job: &Job,
    l: &Matrix,
    columns: Float64Array,
    c: u32,
    threads: u32,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    solve(job, l, columns, c, threads, x_dense::solve_lower_transposed)
}

type Solver = fn(&SquareMatrix, &mut [f64], usize, usize, &x_simd::Job) -> Result<()>;

fn solve(
    job: &Job,
    l: &Matrix,
    columns: Float64Array,
    c: u32,
    threads: u32,
    with: Solver,
) -> AsyncTask<Work<Vec<f64>, Float64Array>> {
    let (job, l) = (job.0.clone(), l.inner.clone());
    let run = move || {
        let mut x: Vec<f64> = try_zeroed(columns.len())?;
        x.copy_from_slice(&columns);
        read(&l, |l| with(l, &mut x, c as usize, threads as usize, &job))?;
        Ok(x)
    };
    Work::spawn(run, Float64Array::new)
}
