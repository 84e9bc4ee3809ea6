//! Dense float64 linear algebra on square matrices of any order: products, eigendecomposition, Cholesky.

mod square;

pub use square::SquareMatrix;
