//! Scaffold and placed variants as the rows of one file, by position.

use std::collections::VecDeque;
use std::sync::Arc;

use x_simd::Result;
use x_vcf::loci::Row;
use x_vcf::{Field, HAPLOID, Loci, MISSING, OutRow, PHASED, RowSource};

use crate::data::{InputRow, Order, Reason, Study};

/// FORMAT field of the probabilities.
pub const FIELD: (&str, &str) =
    ("PP", "Probability of the phase written, of heterozygous genotypes placed on the scaffold");

pub struct StudyRows {
    study: Arc<Study>,
    /// Scaffold loci from here to there are written.
    scaffold: usize,
    end: usize,
    rare: usize,
    /// Rows of the current position still to be written, and whether the scaffold and the placed variants are at it.
    queue: VecDeque<Next>,
    here: [bool; 2],
    column: Vec<u8>,
    done: usize,
}

/// A row by its number.
enum Next {
    Scaffold(usize),
    /// Of the input's rows, one that the scaffold has.
    Shared(usize),
    Rare(usize),
}

impl StudyRows {
    /// Scaffold positions within the span `from ..= to` and all placed variants.
    pub fn new(study: Arc<Study>, from: u32, to: u32) -> Self {
        let p = &study.scaffold.about.positions;
        let (scaffold, end) = (p.partition_point(|&p| p < from), p.partition_point(|&p| p <= to));
        let column = vec![0; study.scaffold.bits.haplotypes()];
        Self { study, scaffold, end, rare: 0, queue: VecDeque::new(), here: [false; 2], column, done: 0 }
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
        for locus in self.scaffold..self.end {
            let order = self.study.rare.order.get(&(locus as u32));
            for row in order.iter().flat_map(|o| &o.rows) {
                if let InputRow::Shared { site, .. } = row {
                    about.rows.push(Row { site: site.clone(), codes: Box::default() });
                }
            }
        }
        about.rows.extend((self.scaffold..self.end).flat_map(|i| scaffold.rows_of(i)).cloned());
        about
    }

    pub fn fields() -> Vec<Field> {
        vec![Field { id: FIELD.0.to_owned(), description: FIELD.1.to_owned(), number: 1, heterozygous: true }]
    }

    fn flags(single: &[bool], out: &mut Vec<u8>) {
        out.clear();
        out.extend(single.iter().map(|&one| if one { HAPLOID | PHASED } else { PHASED }));
    }

    /// The rows of the next position: the scaffold's that the input has not, then the input's in their order.
    fn plan(&mut self) -> bool {
        let Study { scaffold, rare, .. } = &*self.study;
        let theirs = (self.scaffold < self.end).then(|| scaffold.about.positions[self.scaffold]);
        let own = rare.about.positions.get(self.rare).copied();
        let Some(position) = theirs.into_iter().chain(own).min() else { return false };
        self.here = [theirs == Some(position), own == Some(position)];
        let order = rare.order.get(&(self.scaffold as u32)).filter(|_| self.here[0]);
        if let Some(Order { rows, rest }) = order {
            self.queue.extend(rest.iter().map(|&i| Next::Scaffold(i)));
            self.queue.extend(rows.iter().enumerate().map(|(i, row)| match row {
                InputRow::Shared { .. } => Next::Shared(i),
                InputRow::Rare(i) => Next::Rare(*i),
            }));
            return true;
        }
        if self.here[0] {
            self.queue.extend((0..scaffold.about.rows_of(self.scaffold).len()).map(Next::Scaffold));
        }
        if self.here[1] {
            self.queue.extend((0..rare.about.rows_of(self.rare).len()).map(Next::Rare));
        }
        true
    }

    fn scaffold_row(&mut self, number: usize, out: &mut OutRow) {
        let study = self.study.clone();
        let row = &study.scaffold.about.rows_of(self.scaffold)[number];
        self.on_scaffold(&row.site, row.codes.len() + 1, |c| row.allele(c), out);
    }

    fn shared_row(&mut self, number: usize, out: &mut OutRow) {
        let study = self.study.clone();
        let row = study.rare.order.get(&(self.scaffold as u32)).and_then(|o| o.rows.get(number));
        if let Some(InputRow::Shared { site, alleles, numbers }) = row {
            self.on_scaffold(site, *alleles, |c| numbers[usize::from(c)], out);
        }
    }

    fn on_scaffold(&mut self, site: &[u8], alleles: usize, allele: impl Fn(u8) -> u8, out: &mut OutRow) {
        let s = &self.study.scaffold;
        s.bits.column(self.scaffold, &mut self.column);
        out.position = s.about.positions[self.scaffold];
        out.site.clear();
        out.site.extend_from_slice(site);
        out.alleles = alleles;
        out.genotypes.clear();
        out.genotypes.extend(self.column.iter().map(|&c| allele(c)));
        out.extra.clear();
        Self::flags(s.coding.at(self.scaffold), &mut out.flags);
    }

    fn rare_row(&self, number: usize, out: &mut OutRow) {
        let r = &self.study.rare;
        let locus = self.rare;
        let rows = r.about.rows_of(locus);
        out.position = r.about.positions[locus];
        let row = &rows[number];
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
        Self::flags(r.coding.at(locus), &mut out.flags);
        for e in r.of(locus) {
            let s = e.sample as usize;
            let mut pair = e.codes.map(|c| if c == MISSING { MISSING } else { row.allele(c) });
            let holes = r.holes.get(&(locus as u32, e.sample));
            let ordered = holes.is_none_or(|h| h.restore(number, e.codes, &mut pair));
            out.genotypes[2 * s..2 * s + 2].copy_from_slice(&pair);
            if pair[0] != pair[1] {
                out.extra[0][s] = e.probability;
            }
            // An order nobody looked for is not claimed.
            if e.reason == Reason::Open || pair.contains(&MISSING) || !ordered {
                out.flags[s] &= !PHASED;
            }
            if out.flags[s] & HAPLOID == 0 && out.flags[s] & PHASED == 0 && pair[0] > pair[1] {
                out.genotypes.swap(2 * s, 2 * s + 1);
            }
        }
    }
}

impl RowSource for StudyRows {
    fn next(&mut self, out: &mut OutRow) -> Result<bool> {
        if self.queue.is_empty() && !self.plan() {
            return Ok(false);
        }
        match self.queue.pop_front() {
            Some(Next::Scaffold(i)) => self.scaffold_row(i, out),
            Some(Next::Shared(i)) => self.shared_row(i, out),
            Some(Next::Rare(i)) => self.rare_row(i, out),
            None => return Ok(false),
        }
        if self.queue.is_empty() {
            let [scaffold, rare] = self.here.map(usize::from);
            self.scaffold += scaffold;
            self.rare += rare;
            self.done += scaffold + rare;
        }
        Ok(true)
    }

    fn done(&self) -> usize {
        self.done
    }
}
