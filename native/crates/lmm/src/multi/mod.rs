//! Multivariate linear mixed model of d traits (Zhou & Stephens 2014, Nature Methods 11:407):
//! Y = B W' + b x' + G + E with vec G ~ N(0, K ⊗ Vg) and vec E ~ N(0, I ⊗ Ve). The eigenvectors of K make people
//! independent; the frame that diagonalises Vg and Ve together makes traits independent, so that a likelihood costs
//! d weighted regressions. Every variant gets its own Vg and Ve by Newton's method from those of the null model.

mod association;
mod columns;
mod data;
mod derivatives;
mod frame;
mod kernel;
mod maximise;
mod null;
mod point;
mod shares;
mod small;
#[cfg(test)]
mod tests;

pub use association::{MultiAssociation, MultiTests, multi_association_bytes};
pub use columns::MultiColumns;
pub use data::{MOST_TRAITS, MultiStudy};
pub use maximise::MultiOptions;
pub use null::{MultiEstimate, MultiNull};
