//! The prefix order of all haplotypes and, for each neighbouring pair, where their match begins. A locus with t codes
//! is a stable sort into t buckets.

#[derive(Debug, Clone)]
pub struct Order {
    /// Haplotypes in prefix order.
    pub order: Vec<u32>,
    /// `start[i]`: first locus of the match between `order[i - 1]` and `order[i]`; the present locus if they differ in
    /// the one before. `start[0]` means nothing.
    pub start: Vec<u32>,
    next_order: Vec<u32>,
    next_start: Vec<u32>,
    /// Of each code: where its bucket goes on, and the latest match start since its last haplotype.
    slot: Vec<u32>,
    latest: Vec<u32>,
}

impl Order {
    /// The order before locus `first`: as the haplotypes are numbered.
    pub fn new(haplotypes: usize, first: u32) -> Self {
        let zero = || vec![0; haplotypes];
        Self {
            order: (0..haplotypes as u32).collect(),
            start: vec![first; haplotypes],
            next_order: zero(),
            next_start: zero(),
            slot: Vec::new(),
            latest: Vec::new(),
        }
    }

    /// Takes the order past `locus`, where haplotype h carries `codes[h]`, all below `count`.
    pub fn step(&mut self, locus: u32, codes: &[u8], count: usize) {
        if count == 2 {
            self.step_two(locus, codes)
        } else {
            self.step_many(locus, codes, count)
        }
        std::mem::swap(&mut self.order, &mut self.next_order);
        std::mem::swap(&mut self.start, &mut self.next_start);
    }

    fn step_two(&mut self, locus: u32, codes: &[u8]) {
        let zeros = self.order.iter().filter(|&&h| codes[h as usize] == 0).count();
        let (mut slot, mut latest) = ([0, zeros], [locus + 1; 2]);
        for (&h, &start) in self.order.iter().zip(&self.start) {
            let c = usize::from(codes[h as usize]) & 1;
            latest = [latest[0].max(start), latest[1].max(start)];
            self.next_order[slot[c]] = h;
            self.next_start[slot[c]] = latest[c];
            slot[c] += 1;
            latest[c] = 0;
        }
    }

    fn step_many(&mut self, locus: u32, codes: &[u8], count: usize) {
        self.slot.clear();
        self.slot.resize(count + 1, 0);
        codes.iter().for_each(|&c| self.slot[usize::from(c) + 1] += 1);
        (1..count).for_each(|c| self.slot[c] += self.slot[c - 1]);
        self.latest.clear();
        self.latest.resize(count, locus + 1);
        for (&h, &start) in self.order.iter().zip(&self.start) {
            let c = usize::from(codes[h as usize]);
            self.latest.iter_mut().for_each(|l| *l = (*l).max(start));
            let at = self.slot[c] as usize;
            self.next_order[at] = h;
            self.next_start[at] = self.latest[c];
            self.slot[c] += 1;
            self.latest[c] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use x_random::Random;

    /// Sorts reversed prefixes outright, and compares every pair of neighbours code by code.
    fn check(counts: &[usize], haplotypes: usize) {
        let mut random = Random::new(7, haplotypes as u64);
        // Few founders, so that long matches occur.
        let founders: Vec<Vec<u8>> =
            (0..4).map(|_| counts.iter().map(|&c| random.int(c as u64) as u8).collect()).collect();
        let rows: Vec<Vec<u8>> = (0..haplotypes)
            .map(|_| {
                let mut f = 0;
                (0..counts.len())
                    .map(|l| {
                        if random.int(5) == 0 {
                            f = random.int(4) as usize;
                        }
                        founders[f][l]
                    })
                    .collect()
            })
            .collect();
        let mut pbwt = Order::new(haplotypes, 0);
        for l in 0..counts.len() {
            let column: Vec<u8> = rows.iter().map(|r| r[l]).collect();
            pbwt.step(l as u32, &column, counts[l]);
            let mut naive: Vec<usize> = (0..haplotypes).collect();
            naive.sort_by_key(|&h| (rows[h][..=l].iter().rev().copied().collect::<Vec<_>>(), h));
            assert!(pbwt.order.iter().map(|&h| h as usize).eq(naive.iter().copied()));
            for i in 1..haplotypes {
                let (a, b) = (&rows[naive[i - 1]], &rows[naive[i]]);
                let start = (0..=l).rev().take_while(|&j| a[j] == b[j]).last().unwrap_or(l + 1);
                assert_eq!(pbwt.start[i] as usize, start);
            }
        }
    }

    #[test]
    fn two_codes_agree_with_sorting() {
        check(&[2; 60], 1);
        check(&[2; 60], 40);
    }

    #[test]
    fn many_codes_agree_with_sorting() {
        check(&[2, 3, 2, 7, 3, 2, 255, 2, 3, 4, 2, 2, 5, 2, 3], 40);
    }
}
