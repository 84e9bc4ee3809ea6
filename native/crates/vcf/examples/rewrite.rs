//! `rewrite IN OUT [REGION] [join]`: reads a file and writes its loci again, with an index; for comparing with bcftools.

use std::sync::Arc;

use x_vcf::{LociWriter, Output, ReadOptions, Role, WriteOptions, read_loci};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let region = args.get(2).filter(|r| !r.is_empty()).cloned();
    let options = ReadOptions { region, role: Role::Target, ..ReadOptions::default() };
    let loci = Arc::new(read_loci(args[0].as_ref(), &options, &Default::default())?);
    let output = match &args[1] {
        name if name.ends_with(".bcf") => Output::Bcf,
        name if name.ends_with(".gz") => Output::VcfGz,
        _ => Output::Vcf,
    };
    let join = args.get(3).is_some();
    let write = WriteOptions { join, keep_excluded: true, ..WriteOptions::default() };
    let mut writer = LociWriter::new(loci, None, output, write)?;
    let mut bytes = Vec::new();
    loop {
        let piece = writer.next_piece()?;
        if piece.is_empty() {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    std::fs::write(&args[1], bytes)?;
    if let Some((index, name)) = writer.index()? {
        std::fs::write(format!("{}.{name}", args[1]), index)?;
    }
    Ok(())
}
