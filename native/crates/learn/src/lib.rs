//! Plain models that a neural one must beat: forests of trees and ridge regression on kernels.

mod forest;
mod ridge;
mod transform;
mod tree;

pub use forest::{Forest, ForestOptions, forest};
pub use ridge::{Ridge, linear_kernel, ridge};
pub use transform::{Transform, transform};
