//! How good a phased file is: switches against a truth, and haplotypes that carry two ALTs at a position.

mod one_allele;
mod runs;
mod switch;
mod table;

pub use one_allele::{OneAllele, Violation, one_allele};
pub use switch::{MAC_BINS, NEAR, SiteRate, SwitchOptions, SwitchReport, Trio, switch_error};
