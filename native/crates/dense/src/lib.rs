//! Dense float64 linear algebra on square matrices of any order: products, eigendecomposition, Cholesky.

mod eigen;
mod gemm;
mod lanes;
mod square;

pub use eigen::{CHECK_LIMIT, Eigen, check_eigen, eigh, eigh_bytes};
pub use gemm::{gemm, syrk};
pub use square::SquareMatrix;
