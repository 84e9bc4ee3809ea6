//! Dense float64 linear algebra on square matrices of any order: products, eigendecomposition, Cholesky.
//!
//! Every result has the same bits for any thread count: each entry is summed by one thread in an order that depends
//! on the shape only. With fused multiply-add (AVX2, AVX-512, NEON) the bits do not depend on the vector width either.

mod cholesky;
mod eigen;
mod gemm;
mod lanes;
mod matrix_ops;
mod square;
pub mod text;
mod twins;

pub use cholesky::{cholesky, solve_lower, solve_lower_transposed};
pub use eigen::{CHECK_LIMIT, Eigen, check_eigen, eigh, eigh_bytes};
pub use gemm::{gemm, syrk, syrk_add};
pub use matrix_ops::{Inspection, center, inspect, project, submatrix};
pub use square::SquareMatrix;
pub use twins::{Pair, twins};
