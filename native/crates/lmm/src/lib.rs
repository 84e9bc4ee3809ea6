//! Univariate linear mixed model y = W a + x b + u + e, u ~ N(0, vg K), e ~ N(0, ve I), as GEMMA fits it
//! (Zhou & Stephens 2012, Nature Genetics 44:821): after rotation by the eigenvectors of K every likelihood evaluation
//! costs O(n), and each variant gets its own ratio lambda = vg / ve.

mod association;
mod curve;
mod design;
mod dosages;
mod dual;
mod elimination;
mod explained;
mod grid;
mod kernels;
mod lanes;
mod model;
mod models;
mod multi;
mod null;
mod options;
mod root;
mod search;
mod statistics;
mod tile;

pub use association::{Association, Results, Size, Study, Trait, association_bytes};
pub use dual::{DualAssociation, DualKinship, dual_bytes, dual_null};
pub use explained::{Genotypes, explained_by_covariates};
pub use multi::{
    MOST_TRAITS, MultiAssociation, MultiColumns, MultiEstimate, MultiNull, MultiOptions, MultiStudy, MultiTests,
    multi_association_bytes,
};
pub use null::{Null, fit_null};
pub use options::{Options, clamp_eigenvalues};
pub use statistics::{Columns, NullPoint, Tests};
