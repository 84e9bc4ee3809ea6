//! GEMMA's text format of a kinship matrix, both ways.

mod format;
mod reader;

pub use format::{format_rows, write_number, write_rows};
pub use reader::{MatrixReader, parse_number};
