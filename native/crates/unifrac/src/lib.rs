//! Distances between samples of a feature table: UniFrac in all its kinds on a rooted tree, Bray–Curtis, Jaccard and
//! Aitchison without one; diversities of single samples; ordination and a permutation test on the distances.
//!
//! A pair's value depends on the pair alone: its sum runs over the branches in postorder whatever the threads, the tile
//! or the range of stripes, and uses operations that round alike on every instruction set.

mod branches;
mod counts;
mod diversity;
mod feed;
mod kernel;
mod lanes;
mod matrix;
mod metric;
mod newick;
mod pack;
mod pairs;
mod pcoa;
mod permanova;
mod rarefy;
mod store;
mod stripes;
mod walk;

pub use branches::{Branches, prune};
pub use counts::Counts;
pub use diversity::{faith_pd, observed, shannon};
pub use matrix::{distances, distances_bytes};
pub use metric::Metric;
pub use newick::{Found, Tree, parse_newick};
pub use pairs::pairs;
pub use pcoa::{Pcoa, pcoa};
pub use permanova::{Permanova, permanova};
pub use rarefy::{Rarefied, rarefy};
pub use store::{Distances, Kernel};
pub use stripes::{Stripes, merge_stripes, stripe_count, stripes};
pub use walk::Source;

#[cfg(test)]
mod tests;
