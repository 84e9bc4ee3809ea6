//! Counting along one sample's heterozygous sites.

/// A site where truth and estimate can be compared: does the estimate have it the other way round?
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Row or position index.
    pub at: u32,
    pub opposite: bool,
    pub supersite: bool,
}

#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Counts {
    pub pairs: u64,
    pub switches: u64,
    /// Two switches next to each other: one site alone is wrong.
    pub flips: u64,
    pub sites: u64,
    /// Sites against the majority orientation.
    pub hamming: u64,
}

pub fn count(sites: &[Site]) -> Counts {
    let switched: Vec<bool> = sites.windows(2).map(|w| w[0].opposite != w[1].opposite).collect();
    let opposite = sites.iter().filter(|s| s.opposite).count() as u64;
    let mut flips = 0;
    let mut i = 0;
    while i + 1 < switched.len() {
        if switched[i] && switched[i + 1] {
            flips += 1;
            i += 2;
        } else {
            i += 1;
        }
    }
    Counts {
        pairs: switched.len() as u64,
        switches: switched.iter().filter(|&&s| s).count() as u64,
        flips,
        sites: sites.len() as u64,
        hamming: opposite.min(sites.len() as u64 - opposite),
    }
}

/// For each pair of neighbours, the number of hets to the nearest one at a supersite; 1 when it is one of the pair.
pub fn distances(sites: &[Site]) -> Vec<u32> {
    let n = sites.len();
    let mut out = vec![u32::MAX; n.saturating_sub(1)];
    let mut last = None;
    for (i, d) in out.iter_mut().enumerate() {
        if sites[i].supersite {
            last = Some(i);
        }
        if let Some(j) = last {
            *d = (i + 1 - j) as u32;
        }
    }
    let mut next = None;
    for i in (0..out.len()).rev() {
        if sites[i + 1].supersite {
            next = Some(i + 1);
        }
        if let Some(j) = next {
            out[i] = out[i].min((j - i) as u32);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(text: &str) -> Vec<Site> {
        text.bytes()
            .enumerate()
            .map(|(i, b)| Site {
                at: i as u32,
                opposite: b.eq_ignore_ascii_case(&b'x'),
                supersite: b.is_ascii_uppercase(),
            })
            .collect()
    }

    #[test]
    fn flips_are_apart_from_other_switches() {
        let c = count(&sites("oooxooxxx"));
        assert_eq!((c.pairs, c.switches, c.flips, c.sites, c.hamming), (8, 3, 1, 9, 4));
        assert_eq!(count(&sites("")), Counts::default());
        assert_eq!(count(&sites("x")).pairs, 0);
    }

    #[test]
    fn distance_counts_hets_to_the_nearest_supersite() {
        assert_eq!(distances(&sites("oooOooo")), [3, 2, 1, 1, 2, 3]);
        assert_eq!(distances(&sites("ooo")), [u32::MAX, u32::MAX]);
        assert_eq!(distances(&sites("O")), Vec::<u32>::new());
    }
}
