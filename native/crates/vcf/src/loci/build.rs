//! The rows of one position become a locus.

use std::collections::{HashMap, HashSet};

use x_simd::{Error, Result};

use super::alleles::canonical;
use super::combine::combine;
use super::read::{ConflictRule, ReadOptions, Role};
use super::{Conflict, Excluded, ExcludedRow, Holes, Loci, Partial, Reason, Row};
use crate::record::{ALT, HAPLOID, MISSING, PHASED, REF, Record, column, genotype_count};

struct Pending {
    site: Vec<u8>,
    genotypes: Vec<u8>,
    flags: Vec<u8>,
    likelihoods: Vec<f32>,
    alleles: usize,
}

/// Collects the rows of one position, then turns them into a locus.
pub(super) struct Build {
    options: ReadOptions,
    /// Columns of the file, in the order asked for; `None` = as they are.
    keep: Option<Vec<usize>>,
    haploid: Vec<bool>,
    pub(super) position: u32,
    pending: Vec<Pending>,
    pub(super) loci: Loci,
    in_conflict: HashSet<usize>,
}

impl Build {
    pub(super) fn new(file: &[String], options: &ReadOptions) -> Result<Self> {
        let (keep, samples) = match &options.samples {
            None => (None, file.to_vec()),
            Some(wanted) => {
                let at: HashMap<&str, usize> = file.iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
                let columns: Option<Vec<usize>> = wanted.iter().map(|s| at.get(s.as_str()).copied()).collect();
                let columns = columns.ok_or_else(|| unknown_samples(wanted, &at))?;
                (Some(columns), wanted.clone())
            }
        };
        if samples.is_empty() {
            return Err(Error::new("NO_SAMPLES", "there are no samples; phasing needs genotypes"));
        }
        let haploid = samples.iter().map(|s| options.haploid.contains(s)).collect();
        let loci = Loci { samples, first_row: vec![0], ..Loci::default() };
        let options = options.clone();
        Ok(Self { options, keep, haploid, position: 0, pending: Vec::new(), loci, in_conflict: HashSet::new() })
    }

    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        self.position = record.position;
        let width = if record.flags.is_empty() { 0 } else { record.likelihoods.len() / record.flags.len() };
        let (mut genotypes, mut flags, mut likelihoods) = (Vec::new(), Vec::new(), Vec::new());
        match &self.keep {
            None => {
                genotypes.extend_from_slice(&record.genotypes);
                flags.extend_from_slice(&record.flags);
                likelihoods.extend_from_slice(&record.likelihoods);
            }
            Some(keep) => {
                for &s in keep {
                    genotypes.extend_from_slice(&record.genotypes[2 * s..2 * s + 2]);
                    flags.push(record.flags[s]);
                    likelihoods.extend_from_slice(&record.likelihoods[s * width..(s + 1) * width]);
                }
            }
        }
        self.check_calls(&genotypes, &flags)?;
        let site = record.site.clone();
        self.pending.push(Pending { site, genotypes, flags, likelihoods, alleles: record.alleles });
        Ok(())
    }

    /// Haploid calls need to be expected; a panel must be phased and complete.
    fn check_calls(&self, genotypes: &[u8], flags: &[u8]) -> Result<()> {
        let name = |s: usize| self.loci.samples[s].as_str();
        if self.options.role == Role::Reference {
            let bad = genotypes
                .chunks_exact(2)
                .zip(flags)
                .position(|(g, f)| g[0] == MISSING || g[1] == MISSING || (g[0] != g[1] && f & PHASED == 0));
            if let Some(s) = bad {
                let message = format!(
                    "the call of {} is missing or unphased; a reference panel needs every call phased",
                    name(s)
                );
                return Err(Error::new("REFERENCE_UNPHASED", message).with("sample", (s + 1) as f64));
            }
            return Ok(());
        }
        if let Some(s) = flags.iter().zip(&self.haploid).position(|(f, h)| f & HAPLOID != 0 && !h) {
            let message = format!("sample {} has one allele here; name it in the list of haploid samples", name(s));
            return Err(Error::new("PLOIDY", message).with("sample", (s + 1) as f64));
        }
        Ok(())
    }

    /// Turns the rows of the position just finished into a locus.
    pub(super) fn close(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.pending);
        if rows.is_empty() {
            return Ok(());
        }
        let position = self.position;
        let sites: Vec<&[u8]> = rows.iter().map(|r| r.site.as_slice()).collect();
        let (codes, count) = canonical(&sites).map_err(|mut e| {
            e.message = format!("{}:{position}: {}", self.loci.chrom, e.message);
            e.with("position", f64::from(position))
        })?;
        if count < 2 {
            self.loci.counts.no_alt += 1;
            self.exclude(rows, Reason::NoAlt);
            return Ok(());
        }
        let before = (self.loci.calls.len(), self.loci.flags.len(), self.loci.partial.len(), self.loci.holes.len());
        let clash = self.calls(&rows, &codes, count)?;
        let common = most_common(&self.loci.calls[before.0..], count);
        // The file's own numbers would need reading INFO; counting is cheap and cannot lie.
        let rare = self.options.min_maf > 0.0 && 1.0 - common < self.options.min_maf;
        if clash || rare {
            self.loci.calls.truncate(before.0);
            self.loci.flags.truncate(before.1);
            self.loci.partial.truncate(before.2);
            self.loci.holes.truncate(before.3);
            let reason = if clash { Reason::Conflict } else { Reason::MinMaf };
            *if clash { &mut self.loci.counts.conflict_positions } else { &mut self.loci.counts.min_maf } += 1;
            self.exclude(rows, reason);
            return Ok(());
        }
        if count > 2 {
            self.loci.counts.supersites += 1;
            self.loci.counts.supersite_rows += rows.len() as u64;
        }
        self.loci.positions.push(position);
        self.loci.codes.push(count);
        if self.options.likelihoods {
            self.loci.likelihoods.push(match &rows[..] {
                [row] => reorder(row, &codes[0]),
                _ => Vec::new(),
            });
        }
        let kept = rows.into_iter().zip(codes);
        self.loci.rows.extend(kept.map(|(r, codes)| Row { site: r.site.into_boxed_slice(), codes }));
        self.loci.first_row.push(self.loci.rows.len() as u32);
        Ok(())
    }

    /// Appends the calls of a position; true when it must be left out.
    fn calls(&mut self, rows: &[Pending], codes: &[Box<[u8]>], count: u8) -> Result<bool> {
        let locus = self.loci.positions.len() as u32;
        let mut clash = false;
        let mut listed = Vec::new();
        let mut of = Vec::with_capacity(rows.len());
        for s in 0..self.loci.samples.len() {
            of.clear();
            for (row, codes) in rows.iter().zip(codes) {
                of.push((&codes[..], [row.genotypes[2 * s], row.genotypes[2 * s + 1]], row.flags[s]));
            }
            let call = combine(&of, count);
            // A target's bars are not trusted, so what they say of haplotypes rules nothing out.
            let excluded = call.too_many || (call.two_on_one && self.options.role != Role::Target);
            if call.too_many || call.two_on_one {
                listed.push((s, excluded));
            }
            clash |= excluded;
            self.loci.calls.extend_from_slice(&call.codes);
            self.loci.flags.push(call.flags);
            if of.len() > 1 && of.iter().any(|r| r.1.contains(&MISSING)) && of.iter().any(|r| r.1 != [MISSING; 2]) {
                let lacked = |g: &[u8; 2]| u8::from(g[0] == MISSING) | u8::from(g[1] == MISSING) << 1;
                let rows = of.iter().map(|r| lacked(&r.1)).collect();
                self.loci.holes.push(Holes { locus, sample: s as u32, rows });
            }
            if let Some(allowed) = call.allowed {
                self.loci.partial.push(Partial { locus, sample: s as u32, allowed });
            }
        }
        for &(s, excluded) in &listed {
            let conflict = Conflict {
                position: self.position,
                sample: self.loci.samples[s].clone(),
                rows: describe(rows, s),
                excluded,
            };
            if excluded && self.options.conflict == ConflictRule::Error {
                let message = format!(
                    "{}:{}: sample {} carries more ALT alleles than it has haplotypes ({}); correct the genotypes, or have such positions left out",
                    self.loci.chrom, self.position, conflict.sample, conflict.rows
                );
                return Err(Error::new("SUPERSITE_CONFLICT", message).with("position", f64::from(self.position)));
            }
            if self.in_conflict.insert(s) {
                self.loci.counts.conflict_samples += 1;
            }
            self.loci.conflicts.push(conflict);
        }
        Ok(clash)
    }

    fn exclude(&mut self, rows: Vec<Pending>, reason: Reason) {
        let rows = rows.into_iter().map(|r| ExcludedRow {
            site: r.site.into_boxed_slice(),
            genotypes: r.genotypes.into_boxed_slice(),
            flags: r.flags.into_boxed_slice(),
        });
        self.loci.excluded.push(Excluded { position: self.position, reason, rows: rows.collect() });
    }
}

fn unknown_samples(wanted: &[String], at: &HashMap<&str, usize>) -> Error {
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|s| !at.contains_key(s)).collect();
    let shown = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let message = format!("{} of {} samples are not in the file: {shown}", missing.len(), wanted.len());
    Error::new("SAMPLE_UNKNOWN", message).with("missing", missing.len() as f64)
}

/// Share of the most common code among the observed.
fn most_common(calls: &[u8], codes: u8) -> f64 {
    let mut seen = [0u64; 256];
    calls.iter().for_each(|&c| seen[usize::from(c)] += 1);
    let known: u64 = seen[..usize::from(codes)].iter().sum();
    let most = seen[..usize::from(codes)].iter().max().copied().unwrap_or(0);
    if known == 0 { 1.0 } else { most as f64 / known as f64 }
}

fn describe(rows: &[Pending], s: usize) -> String {
    let mut out = Vec::new();
    for row in rows {
        let g = [row.genotypes[2 * s], row.genotypes[2 * s + 1]];
        if g.iter().any(|&a| a != 0 && a != MISSING) {
            let text = |a: u8| if a == MISSING { ".".to_owned() } else { a.to_string() };
            let bar = if row.flags[s] & PHASED != 0 { '|' } else { '/' };
            let site = |i| String::from_utf8_lossy(column(&row.site, i)).into_owned();
            out.push(format!("{}>{}={}{bar}{}", site(REF), site(ALT), text(g[0]), text(g[1])));
        }
    }
    out.join(" ")
}

/// Likelihoods of a row in the order of the locus' codes.
fn reorder(row: &Pending, codes: &[u8]) -> Vec<f32> {
    let width = genotype_count(row.alleles);
    let mut out = vec![f32::NAN; row.likelihoods.len()];
    let code = |a: usize| if a == 0 { 0 } else { usize::from(codes[a - 1]) };
    for (from, to) in row.likelihoods.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        for b in 0..row.alleles {
            for a in 0..=b {
                let (x, y) = (code(a).min(code(b)), code(a).max(code(b)));
                to[y * (y + 1) / 2 + x] = from[b * (b + 1) / 2 + a];
            }
        }
    }
    out
}
