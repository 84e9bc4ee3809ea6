//! Leaving out loci after they were read.

use super::{Excluded, Loci, Reason};

impl Loci {
    /// Leaves out every locus whose entry in `keep` is false. With a reason it joins the excluded positions, its calls
    /// as they would be written; without one it is forgotten.
    pub fn retain(&mut self, keep: &[bool], reason: Option<Reason>) {
        let n = self.samples.len();
        if let Some(reason) = reason {
            for i in (0..self.len()).filter(|&i| !keep[i]) {
                let rows = (0..self.rows_of(i).len()).map(|row| self.row_as_read(i, row)).collect();
                self.excluded.push(Excluded { position: self.positions[i], reason, rows });
            }
            self.excluded.sort_by_key(|e| e.position);
        }
        let mut number = vec![u32::MAX; keep.len()];
        let (mut to, mut row_to) = (0, 0);
        for (i, _) in keep.iter().enumerate().filter(|(_, k)| **k) {
            number[i] = to as u32;
            let rows = self.first_row[i] as usize..self.first_row[i + 1] as usize;
            for row in rows {
                self.rows.swap(row_to, row);
                row_to += 1;
            }
            self.positions[to] = self.positions[i];
            self.codes[to] = self.codes[i];
            self.calls.copy_within(2 * n * i..2 * n * (i + 1), 2 * n * to);
            self.flags.copy_within(n * i..n * (i + 1), n * to);
            if !self.likelihoods.is_empty() {
                self.likelihoods.swap(to, i);
            }
            to += 1;
            self.first_row[to] = row_to as u32;
        }
        self.positions.truncate(to);
        self.codes.truncate(to);
        self.calls.truncate(2 * n * to);
        self.flags.truncate(n * to);
        self.likelihoods.truncate(to);
        self.first_row.truncate(to + 1);
        self.rows.truncate(row_to);
        let renumber = |locus: &mut u32| {
            *locus = number[*locus as usize];
            *locus != u32::MAX
        };
        self.partial.retain_mut(|p| renumber(&mut p.locus));
        self.holes.retain_mut(|h| renumber(&mut h.locus));
        let supersites = (0..to).filter(|&i| self.codes[i] > 2);
        self.counts.supersites = supersites.clone().count() as u64;
        self.counts.supersite_rows = supersites.map(|i| self.rows_of(i).len() as u64).sum();
    }

    /// Forgets what lies outside a range of positions.
    pub fn trim(&mut self, [from, to]: [u32; 2]) {
        let inside = |p: u32| (from..=to).contains(&p);
        let keep: Vec<bool> = self.positions.iter().map(|&p| inside(p)).collect();
        self.excluded.retain(|e| inside(e.position));
        self.conflicts.retain(|c| inside(c.position));
        if keep.contains(&false) {
            self.retain(&keep, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReadOptions, RowsBuilder};

    #[test]
    fn what_stays_is_as_if_read_alone() {
        let names = ["a".to_owned(), "b".to_owned()];
        let build = |positions: &[u32]| {
            let mut b = RowsBuilder::new("1", &names, &ReadOptions::default()).unwrap();
            for &p in positions {
                b.push(p, "x", ["A", "C"], [0, (p % 3) as i8].into_iter()).unwrap();
                if p % 2 == 0 {
                    b.push(p, "y", ["A", "G"], [1, -1].into_iter()).unwrap();
                }
            }
            b.finish().unwrap()
        };
        let mut loci = build(&[1, 2, 3, 4, 5, 8]);
        loci.retain(&[true, false, true, true, false, true], Some(Reason::NotInReference));
        let want = build(&[1, 3, 4, 8]);
        assert_eq!((&loci.positions, &loci.codes, &loci.calls), (&want.positions, &want.codes, &want.calls));
        assert_eq!((&loci.partial, &loci.first_row), (&want.partial, &want.first_row));
        assert_eq!((&loci.holes, loci.holes.len()), (&want.holes, 2));
        assert_eq!((loci.counts.supersites, loci.counts.supersite_rows), (2, 4));
        let sites = |l: &Loci| l.rows.iter().map(|r| (r.site.clone(), r.codes.clone())).collect::<Vec<_>>();
        assert_eq!(sites(&loci), sites(&want));
        assert_eq!(loci.excluded.iter().map(|e| (e.position, e.rows.len())).collect::<Vec<_>>(), [(2, 2), (5, 1)]);
        // b is 0/1, 1/1 or missing in the rows of 2: two copies of C, so G is not missing any more.
        assert_eq!(*loci.excluded[0].rows[0].genotypes, [0, 0, 1, 1]);
        loci.trim([3, 4]);
        assert_eq!((loci.positions, loci.excluded.len()), (vec![3, 4], 0));
    }
}
