//! Positional Burrows–Wheeler transform (Durbin 2014, Bioinformatics 30:1266) over bit-packed haplotypes with any number
//! of codes a locus, the choice of conditioning haplotypes by it, and a first guess of phase.

mod initial;
mod order;
mod panel;
mod select;

pub use initial::{Initial, Unknown};
pub use order::Order;
pub use panel::{Layout, Panel, read, write};
pub use select::{Chunk, NONE, Neighbours, Site, select};
