//! `read FILE [REGION]`: what a file holds, and how long reading took.

use std::time::Instant;

use x_vcf::{ReadOptions, read_loci};

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a file");
    let options = ReadOptions { region: args.next(), ..ReadOptions::default() };
    let start = Instant::now();
    match read_loci(path.as_ref(), &options, &Default::default()) {
        Ok(l) => println!(
            "{} loci {} rows {} samples {:?} partial {} in {:?}",
            l.len(),
            l.rows.len(),
            l.samples.len(),
            l.counts,
            l.partial.len(),
            start.elapsed()
        ),
        Err(e) => println!("{e} {:?}", e.details),
    }
}
