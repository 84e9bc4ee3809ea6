//! Scaffold and placed variants as the rows of one file, by position.

use std::sync::Arc;

use x_simd::Result;
use x_vcf::{Field, HAPLOID, Loci, MISSING, OutRow, PHASED, RowSource};

use crate::data::{Reason, Study};

/// FORMAT field of the probabilities.
pub const FIELD: (&str, &str) =
    ("PP", "Probability of the phase written, of heterozygous genotypes placed on the scaffold");

pub struct StudyRows {
    study: Arc<Study>,
    /// Scaffold loci from here to there are written.
    scaffold: usize,
    end: usize,
    rare: usize,
    row: usize,
    column: Vec<u8>,
    done: usize,
}

impl StudyRows {
    /// Scaffold positions within the span `from ..= to` and all placed variants.
    pub fn new(study: Arc<Study>, from: u32, to: u32) -> Self {
        let p = &study.scaffold.about.positions;
        let (scaffold, end) = (p.partition_point(|&p| p < from), p.partition_point(|&p| p <= to));
        let column = vec![0; study.scaffold.bits.haplotypes()];
        Self { study, scaffold, end, rare: 0, row: 0, column, done: 0 }
    }

    /// Positions there are.
    pub fn total(&self) -> usize {
        self.end - self.scaffold + self.study.rare.len()
    }

    /// What a header is made of: all rows of both.
    pub fn about(&self) -> Loci {
        let rare = &self.study.rare.about;
        let scaffold = &self.study.scaffold.about;
        let mut about = Loci {
            header: rare.header.clone(),
            chrom: rare.chrom.clone(),
            samples: rare.samples.clone(),
            ..Loci::default()
        };
        let last = rare.positions.last().max(self.end.checked_sub(1).and_then(|i| scaffold.positions.get(i)));
        about.positions.extend(last);
        about.rows.extend(rare.rows.iter().cloned());
        about.rows.extend((self.scaffold..self.end).flat_map(|i| scaffold.rows_of(i)).cloned());
        about
    }

    pub fn fields() -> Vec<Field> {
        vec![Field { id: FIELD.0.to_owned(), description: FIELD.1.to_owned(), number: 1 }]
    }

    fn flags(&self, haploid: bool, out: &mut Vec<u8>) {
        let flag = |&one: &bool| if one && haploid { HAPLOID | PHASED } else { PHASED };
        out.clear();
        out.extend(self.study.haploid.iter().map(flag));
    }

    fn scaffold_row(&mut self, out: &mut OutRow) {
        let s = &self.study.scaffold;
        let locus = self.scaffold;
        let rows = s.about.rows_of(locus);
        s.bits.column(locus, &mut self.column);
        out.position = s.about.positions[locus];
        let row = &rows[self.row];
        out.site.clear();
        out.site.extend_from_slice(&row.site);
        out.alleles = row.codes.len() + 1;
        out.genotypes.clear();
        out.genotypes.extend(self.column.iter().map(|&c| row.allele(c)));
        out.extra.clear();
        self.flags(s.haploid[locus], &mut out.flags);
        self.row += 1;
        if self.row == rows.len() {
            (self.scaffold, self.row, self.done) = (locus + 1, 0, self.done + 1);
        }
    }

    fn rare_row(&mut self, out: &mut OutRow) {
        let r = &self.study.rare;
        let locus = self.rare;
        let rows = r.about.rows_of(locus);
        out.position = r.about.positions[locus];
        let row = &rows[self.row];
        out.site.clear();
        out.site.extend_from_slice(&row.site);
        out.alleles = row.codes.len() + 1;
        let n = self.study.samples.len();
        out.genotypes.clear();
        out.genotypes.resize(2 * n, row.allele(r.major[locus]));
        out.extra.resize(1, Vec::new());
        out.extra.truncate(1);
        out.extra[0].clear();
        out.extra[0].resize(n, f32::NAN);
        self.flags(r.haploid[locus], &mut out.flags);
        for e in r.of(locus) {
            let s = e.sample as usize;
            let seen = |c: u8| if c == MISSING { self.unseen(locus, e.sample, &row.codes) } else { row.allele(c) };
            let pair = e.codes.map(seen);
            out.genotypes[2 * s..2 * s + 2].copy_from_slice(&pair);
            out.extra[0][s] = e.probability;
            // An order nobody looked for is not claimed.
            if e.reason == Reason::Open || pair.contains(&MISSING) {
                out.flags[s] &= !PHASED;
            }
            if out.flags[s] & HAPLOID == 0 && out.flags[s] & PHASED == 0 && pair[0] > pair[1] {
                out.genotypes.swap(2 * s, 2 * s + 1);
            }
        }
        self.row += 1;
        if self.row == rows.len() {
            (self.rare, self.row, self.done) = (locus + 1, 0, self.done + 1);
        }
    }

    /// A missing allele in one row: where only other rows of the position were missing, its 0 was observed.
    fn unseen(&self, locus: usize, sample: u32, codes: &[u8]) -> u8 {
        let allowed = self.study.rare.allowed.get(&(locus as u32, sample));
        if allowed.is_some_and(|a| !codes.iter().any(|c| a.contains(c))) { 0 } else { MISSING }
    }
}

impl RowSource for StudyRows {
    fn next(&mut self, out: &mut OutRow) -> Result<bool> {
        let scaffold = (self.scaffold < self.end).then(|| self.study.scaffold.about.positions[self.scaffold]);
        let rare = self.study.rare.about.positions.get(self.rare).copied();
        match (scaffold, rare) {
            (None, None) => return Ok(false),
            // At one position the scaffold's rows come first; a locus begun is ended.
            (Some(s), Some(r)) if s <= r => self.scaffold_row(out),
            (Some(_), None) => self.scaffold_row(out),
            _ => self.rare_row(out),
        }
        Ok(true)
    }

    fn done(&self) -> usize {
        self.done
    }
}
