//! Reads a scaffold and the variants to be placed on it. Of the latter one position of genotypes is held at a time.

use std::collections::HashSet;
use std::path::Path;

use x_simd::{Error, Job, Result};
use x_vcf::loci::{Conflict, Holes, Reason as Left};
use x_vcf::{ConflictRule, HAPLOID, Header, Loci, MISSING, ReadOptions, Reader, Region, Role, scan_loci};

use crate::bits::Bits;
use crate::data::{Coding, NONE, Rare, Scaffold, Study};
use crate::position::{Found, position};

/// Where the variants and the scaffold are.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// Of the variants to be placed and of the output.
    pub region: Option<String>,
    /// Of the scaffold; wider than `region`, so that the model has both sides of its ends.
    pub scaffold_region: Option<String>,
    pub samples: Option<Vec<String>>,
    pub conflict: ConflictRule,
    pub haploid: HashSet<String>,
}

pub fn read(input: &Path, scaffold: &Path, options: &Read, job: &Job) -> Result<Study> {
    let names = Reader::open(input)?.header.samples;
    let samples = options.samples.clone().unwrap_or(names);
    let scaffold_region = options.scaffold_region.clone().or_else(|| options.region.clone());
    if let (Some(inner), Some(outer)) = (&options.region, &scaffold_region) {
        inside(inner, outer)?;
    }
    let mut haploid = options.haploid.clone();
    let scaffold = read_scaffold(scaffold, scaffold_region, &samples, &mut haploid, job)?;
    let one: Vec<bool> = samples.iter().map(|s| haploid.contains(s)).collect();
    let read = ReadOptions {
        region: options.region.clone(),
        samples: Some(samples.clone()),
        role: Role::Target,
        conflict: options.conflict,
        haploid,
        ..ReadOptions::default()
    };
    let rare = read_rare(input, &read, &scaffold, &one, job)?;
    if rare.about.chrom != scaffold.about.chrom {
        let message =
            format!("{} holds chromosome {}, the scaffold {}", input.display(), rare.about.chrom, scaffold.about.chrom);
        return Err(Error::new("NO_COMMON_VARIANTS", message));
    }
    Ok(Study { samples, haploid: one, scaffold, rare, phased: false })
}

fn inside(inner: &str, outer: &str) -> Result<()> {
    let whole = |name: &str| !name.contains(':');
    let (i, o) = (Region::parse(inner, whole)?, Region::parse(outer, whole)?);
    if i.chrom != o.chrom || i.from < o.from || i.to > o.to {
        let message = format!("the scaffold's region {outer} must contain the region of the input, {inner}");
        return Err(Error::new("REGION", message));
    }
    Ok(())
}

fn read_scaffold(
    path: &Path,
    region: Option<String>,
    samples: &[String],
    haploid: &mut HashSet<String>,
    job: &Job,
) -> Result<Scaffold> {
    let mut bits = Bits::new(2 * samples.len());
    let mut coding = Coding::default();
    let mut visit = |loci: &mut Loci| {
        if loci.len() > bits.loci() {
            bits.push(&loci.calls, loci.codes[loci.len() - 1]);
            let single = |s: usize| loci.flags[s] & HAPLOID != 0;
            coding.push(samples.len(), |s| Some(single(s)));
            haploid.extend((0..samples.len()).filter(|&s| single(s)).map(|s| samples[s].clone()));
        }
        drain(loci);
        Ok(())
    };
    let options =
        ReadOptions { region, samples: Some(samples.to_vec()), role: Role::Reference, ..ReadOptions::default() };
    let about = scan_loci(path, &options, job, &mut visit).map_err(|mut e| {
        if e.code == "REFERENCE_UNPHASED" {
            e.message = e.message.replace("a reference panel", "a scaffold");
        }
        e
    })?;
    Ok(Scaffold { about, bits, coding })
}

/// Genotypes go; what was left out and why stays.
fn drain(loci: &mut Loci) {
    loci.calls.clear();
    loci.flags.clear();
    loci.partial.clear();
    loci.holes.clear();
    for left in loci.excluded.iter_mut().rev().take_while(|e| e.rows.iter().any(|r| !r.genotypes.is_empty())) {
        left.rows.iter_mut().for_each(|r| (r.genotypes, r.flags) = (Box::default(), Box::default()));
    }
}

fn read_rare(path: &Path, options: &ReadOptions, scaffold: &Scaffold, one: &[bool], job: &Job) -> Result<Rare> {
    let mut rare = Rare { first: vec![0], ..Rare::default() };
    let (mut seen, mut at) = (0, 0);
    let mut kept = Loci { first_row: vec![0], ..Loci::default() };
    let mut counts = (0, 0, 0);
    let mut visit = |loci: &mut Loci| {
        if loci.len() > seen {
            let i = loci.len() - 1;
            seen = loci.len();
            let p = loci.positions[i];
            while scaffold.about.positions.get(at).is_some_and(|&s| s < p) {
                at += 1;
            }
            let twin = if scaffold.about.positions.get(at) == Some(&p) { at as u32 } else { NONE };
            let rows = loci.rows_of(i);
            let found = position(p, rows, (loci.codes[i], &loci.calls), (scaffold, twin, one));
            match found {
                Found::InScaffold(order) => {
                    counts.0 += 1;
                    rare.order.extend(order.map(|o| (twin, o)));
                }
                Found::Mixed => counts.1 += 1,
                Found::RefMismatch => counts.2 += 1,
                Found::Conflict(s, codes) => {
                    conflict(loci, s, codes, p, options)?;
                }
                Found::Kept(k) => {
                    let locus = rare.major.len() as u32;
                    rare.major.push(k.major);
                    rare.entries.extend(k.entries);
                    rare.first.push(rare.entries.len());
                    rare.twin.push(k.twin);
                    rare.order.extend(k.order.map(|o| (twin, o)));
                    let told = |s: usize| (loci.calls[2 * s] != MISSING).then(|| loci.flags[s] & HAPLOID != 0);
                    rare.coding.push(one.len(), |s| if one[s] { told(s) } else { Some(false) });
                    rare.holes.extend(holes(loci, &k.rows, one).map(|h| ((locus, h.sample), h)));
                    let partial = std::mem::take(&mut loci.partial).into_iter();
                    rare.allowed.extend(partial.map(|p| ((locus, p.sample), p.allowed)));
                    kept.positions.push(p);
                    kept.codes.push(loci.codes[i]);
                    kept.rows.extend(k.rows.iter().map(|&r| loci.rows_of(i)[r].clone()));
                    kept.first_row.push(kept.rows.len() as u32);
                }
            }
            // Rows are held once.
            let from = loci.first_row[i] as usize;
            loci.rows.truncate(from);
            loci.first_row[i + 1] = from as u32;
        }
        drain(loci);
        Ok(())
    };
    let about = scan_loci(path, options, job, &mut visit)?;
    let (in_scaffold, mixed, ref_mismatch) = counts;
    rare.in_scaffold = in_scaffold;
    rare.mixed = mixed;
    rare.ref_mismatch = ref_mismatch;
    kept.header = merge(&about.header, &scaffold.about.header)?;
    kept.chrom = about.chrom;
    kept.samples = about.samples;
    kept.counts = about.counts;
    kept.conflicts = about.conflicts;
    kept.excluded = about.excluded;
    kept.index_older = about.index_older;
    kept.header.samples.clone_from(&kept.samples);
    rare.about = kept;
    Ok(rare)
}

/// What the rows that are placed lacked. A haploid's call of two different codes was taken for missing.
fn holes<'a>(loci: &'a Loci, rows: &'a [usize], one: &'a [bool]) -> impl Iterator<Item = Holes> + 'a {
    let true_call = |h: &&Holes| {
        let s = h.sample as usize;
        !one[s] || loci.calls[2 * s] == loci.calls[2 * s + 1]
    };
    let of = |h: &Holes| Holes { rows: rows.iter().map(|&r| h.rows[r]).collect(), ..h.clone() };
    loci.holes.iter().filter(true_call).map(of)
}

/// Counts a position left out because of what the scaffold has there, or fails.
fn conflict(loci: &mut Loci, s: usize, codes: [u8; 2], position: u32, options: &ReadOptions) -> Result<()> {
    let rows = format!("codes {}/{} beside an ALT of the scaffold", codes[0], codes[1]);
    let sample = loci.samples[s].clone();
    if options.conflict == ConflictRule::Error {
        let message = format!(
            "{}:{position}: sample {sample} carries more ALT alleles than it has haplotypes ({rows}); correct the genotypes, or have such positions left out",
            loci.chrom
        );
        return Err(Error::new("SUPERSITE_CONFLICT", message).with("position", f64::from(position)));
    }
    loci.counts.conflict_positions += 1;
    loci.conflicts.push(Conflict { position, sample, rows, excluded: true });
    loci.excluded.push(x_vcf::loci::Excluded { position, reason: Left::Conflict, rows: Vec::new() });
    Ok(())
}

/// The input's header with the lines that only the scaffold's records need.
fn merge(input: &Header, scaffold: &Header) -> Result<Header> {
    let mut lines = input.lines.clone();
    for line in &scaffold.lines {
        let id = |kind: &str| {
            let rest = line.strip_prefix(kind)?.strip_prefix("=<ID=")?;
            Some(rest.split([',', '>']).next().unwrap_or(rest))
        };
        let new = id("##INFO").is_some_and(|i| !input.info.contains_key(i))
            || id("##FILTER").is_some_and(|i| i != "PASS" && !input.filters.iter().any(|f| f == i))
            || id("##contig").is_some_and(|i| input.contig_index(i).is_none());
        if new {
            lines.push(line.clone());
        }
    }
    let columns = format!("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}", input.samples.join("\t"));
    lines.push(columns);
    Header::parse(lines.iter().map(String::as_bytes))
}
