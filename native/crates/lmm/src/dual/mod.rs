//! The p × p side of the mixed model, for kinships of fewer variants than people (Lippert et al. 2011, Nature Methods
//! 8:833). K = X X' / p has rank r ≤ p, and with C = X'X / p = V S V' the eigenvectors of K that matter are
//! U = X V (p S)^(-1/2): nothing of size n × n is ever made.
//!
//! Every likelihood needs products a' D b only, where D is 1 / (λ s + 1) along an eigenvector and 1 on what is
//! orthogonal to all of them. So the vectors are written in an orthonormal basis of the smallest space that holds the
//! range of K, the constant, covariates and phenotypes, with one axis more for what is left of a variant: r + a few
//! numbers each instead of n, and the primal's optimiser runs on them as it is.

mod association;
mod frame;

pub use association::{DualAssociation, dual_bytes, dual_null};
pub use frame::DualKinship;
