//! `place INPUT SCAFFOLD MAP OUT.vcf [THREADS] [SEED]`: variants of a file onto a scaffold, for measuring. MAP has the
//! columns `pos chr cM` and is plain text.

use std::sync::Arc;

use x_rare::{Options, Positions, Read, StudyRows, phase, read};
use x_vcf::{LociWriter, Output};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse().ok());
    let points: Vec<(f64, f64)> = std::fs::read_to_string(&args[2])?
        .lines()
        .filter_map(|l| {
            let f: Vec<&str> = l.split_whitespace().collect();
            Some((f.first()?.parse().ok()?, f.get(2)?.parse().ok()?))
        })
        .collect();
    let cm = |positions: &[u32]| -> Vec<f64> {
        let one = |&p: &u32| {
            let i = points.partition_point(|x| x.0 <= f64::from(p)).clamp(1, points.len() - 1);
            let (a, b) = (points[i - 1], points[i]);
            a.1 + (f64::from(p) - a.0) / (b.0 - a.0) * (b.1 - a.1)
        };
        positions.iter().map(one).collect()
    };
    let job = Default::default();
    let mut study = read(args[0].as_ref(), args[1].as_ref(), &Read::default(), &job)?;
    let (scaffold, rare) = (cm(&study.scaffold.about.positions), cm(&study.rare.about.positions));
    let options =
        Options { threads: number(4).unwrap_or(1_u64) as usize, seed: number(5).unwrap_or(1), ..Options::default() };
    let counts = phase(&mut study, Positions { scaffold: &scaffold, rare: &rare }, &options, &job)?;
    eprintln!(
        "{} scaffold, {} placed, {} entries, conflicts {}\n{counts:?}",
        scaffold.len(),
        rare.len(),
        study.rare.entries.len(),
        study.rare.about.conflicts.len()
    );
    let rows = StudyRows::new(Arc::new(study), 0, u32::MAX);
    let about = rows.about();
    let mut writer = LociWriter::from_rows(&about, Box::new(rows), Output::Vcf, &StudyRows::fields(), &[])?;
    let mut bytes = Vec::new();
    loop {
        let piece = writer.next_piece()?;
        if piece.is_empty() {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    std::fs::write(&args[3], bytes)?;
    Ok(())
}
