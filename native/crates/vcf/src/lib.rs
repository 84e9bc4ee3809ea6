//! VCF and BCF: reading by record, genotypes by position, writing back with an index.

mod bcf;
pub mod eval;
mod header;
mod index;
pub mod ligate;
pub mod loci;
mod positions;
mod reader;
mod record;
mod region;
mod stream;
mod text;
mod typed;
mod write;

pub use header::Header;
pub use loci::{ConflictRule, Loci, ReadOptions, Role, RowsBuilder, read_loci, scan_loci};
pub use positions::positions;
pub use reader::{Format, Reader};
pub use record::{HAPLOID, MISSING, PHASED, Record};
pub use region::Region;
pub use write::{Extra, Field, LociWriter, OutRow, Output, RowSource, WriteOptions};
