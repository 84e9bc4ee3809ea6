//! Switch error of a phased file against a truth, or against what parents say of their children.
//!
//! Of one sample, take the sites heterozygous and phased in truth and estimate. A switch is a pair of neighbours whose
//! orientation differs; a flip is two switches next to each other (one site alone is wrong).

use std::path::Path;

use x_simd::{Error, Job, Result};

use super::runs::{Counts, Site, count, distances};
use super::table::{FIRST, KNOWN_PHASE, SECOND, Table, UNKNOWN, matched};

/// Upper ends of the minor allele count bins.
pub const MAC_BINS: [u32; 8] = [1, 2, 5, 10, 20, 50, 100, u32::MAX];
/// Distances from supersites, in hets.
pub const NEAR: [u32; 3] = [1, 5, 20];

/// A child with one or two parents, by name.
#[derive(Clone, Debug)]
pub struct Trio {
    pub child: String,
    pub father: Option<String>,
    pub mother: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct SwitchOptions {
    pub region: Option<String>,
    /// Only these.
    pub samples: Option<Vec<String>>,
    /// Split rows of a position count as one site.
    pub by_position: bool,
    /// Phase is known where a parent is homozygous, instead of where the truth has bars.
    pub trios: Vec<Trio>,
}

/// The pairs that end at one site.
#[derive(Clone, Debug)]
pub struct SiteRate {
    pub position: u32,
    /// `REF>ALT` of each row, separated by spaces.
    pub rows: String,
    /// Of the rarest row.
    pub mac: u32,
    pub pairs: u64,
    pub switches: u64,
}

#[derive(Clone, Debug, Default)]
pub struct SwitchReport {
    pub samples: Vec<String>,
    pub per_sample: Vec<Counts>,
    /// Rows both files have.
    pub rows: u64,
    pub truth_hets: u64,
    /// Truth hets that are something else in the estimate.
    pub discordant: u64,
    /// Sample positions of the estimate where a haplotype has two ALTs (by position only).
    pub invalid: u64,
    /// Children's genotypes that their parents cannot have given (trios only).
    pub mendel_errors: u64,
    pub per_site: Vec<SiteRate>,
    /// Pairs and switches by minor allele count of the second site.
    pub by_mac: [(u64, u64); 8],
    /// Pairs and switches within so many hets of a supersite, and all others.
    pub near: [(u64, u64); 3],
    pub far: (u64, u64),
}

impl SwitchReport {
    pub fn total(&self) -> Counts {
        let mut sum = Counts::default();
        for c in &self.per_sample {
            sum.pairs += c.pairs;
            sum.switches += c.switches;
            sum.flips += c.flips;
            sum.sites += c.sites;
            sum.hamming += c.hamming;
        }
        sum
    }
}

pub fn switch_error(estimate: &Path, truth: &Path, options: &SwitchOptions, job: &Job) -> Result<SwitchReport> {
    let region = options.region.as_deref();
    let estimate = Table::read(estimate, region, job)?;
    let truth = Table::read(truth, region, job)?;
    let rows = matched(&truth, &estimate);
    if rows.is_empty() {
        let message = format!(
            "no row of the truth ({} rows) is in the estimate ({} rows)",
            truth.positions.len(),
            estimate.positions.len()
        );
        return Err(Error::new("NO_COMMON_VARIANTS", message));
    }
    let who = pair_samples(&truth, &estimate, options)?;
    let sites = Sites::new(&truth, &rows, &who, options.by_position);
    let mut report = SwitchReport { rows: rows.len() as u64, ..SwitchReport::default() };
    report.per_site = sites.rates(&truth, &rows);
    job.start(who.len() as u64);
    for w in &who {
        job.check()?;
        let calls = Calls::new(&truth, &estimate, &rows, w, &mut report.mendel_errors);
        let found = sites.of(&calls, options.by_position, &mut report);
        report.samples.push(truth.samples[w.truth].clone());
        report.per_sample.push(count(&found));
        add_pairs(&found, &sites, &mut report);
        job.advance(1);
    }
    Ok(report)
}

fn add_pairs(found: &[Site], sites: &Sites, report: &mut SwitchReport) {
    let add = |at: &mut (u64, u64), switched: bool| {
        at.0 += 1;
        at.1 += u64::from(switched);
    };
    for (pair, distance) in found.windows(2).zip(distances(found)) {
        let switched = pair[0].opposite != pair[1].opposite;
        let at = pair[1].at as usize;
        report.per_site[at].pairs += 1;
        report.per_site[at].switches += u64::from(switched);
        let bin = MAC_BINS.iter().position(|&b| sites.mac[at] <= b).unwrap_or(MAC_BINS.len() - 1);
        add(&mut report.by_mac[bin], switched);
        for (near, limit) in report.near.iter_mut().zip(NEAR) {
            if distance <= limit {
                add(near, switched);
            }
        }
        if distance > NEAR[2] {
            add(&mut report.far, switched);
        }
    }
}

struct Who {
    truth: usize,
    estimate: usize,
    /// Columns of the truth; `None` when phase comes from its bars.
    parents: Option<(Option<usize>, Option<usize>)>,
}

fn pair_samples(truth: &Table, estimate: &Table, options: &SwitchOptions) -> Result<Vec<Who>> {
    let (in_truth, in_estimate) = (truth.sample_indices(), estimate.sample_indices());
    let wanted = |name: &str| options.samples.as_ref().is_none_or(|s| s.iter().any(|w| w == name));
    let mut who = Vec::new();
    if options.trios.is_empty() {
        for (i, name) in truth.samples.iter().enumerate() {
            if let Some(&j) = in_estimate.get(name.as_str())
                && wanted(name)
            {
                who.push(Who { truth: i, estimate: j, parents: None });
            }
        }
    }
    for trio in &options.trios {
        let find = |name: &Option<String>| name.as_ref().and_then(|n| in_truth.get(n.as_str()).copied());
        let parents = (find(&trio.father), find(&trio.mother));
        let (child, guess) = (in_truth.get(trio.child.as_str()), in_estimate.get(trio.child.as_str()));
        if let (Some(&truth), Some(&estimate), true, true) =
            (child, guess, parents != (None, None), wanted(&trio.child))
        {
            who.push(Who { truth, estimate, parents: Some(parents) });
        }
    }
    if who.is_empty() {
        let what = if options.trios.is_empty() { "sample is" } else { "child with a parent is" };
        return Err(Error::new("NO_COMMON_SAMPLES", format!("no {what} in both files")));
    }
    Ok(who)
}

/// One sample's calls at the matched rows.
struct Calls {
    truth: Vec<u8>,
    estimate: Vec<u8>,
}

impl Calls {
    fn new(truth: &Table, estimate: &Table, rows: &[(usize, usize)], who: &Who, mendel: &mut u64) -> Self {
        let known = |i: usize| match who.parents {
            None => truth.row(i)[who.truth],
            Some(parents) => by_parents(truth.row(i), who.truth, parents),
        };
        let truth_calls: Vec<u8> = rows.iter().map(|&(i, _)| known(i)).collect();
        if who.parents.is_some() {
            *mendel += rows
                .iter()
                .zip(&truth_calls)
                .filter(|((i, _), c)| **c == UNKNOWN && truth.row(*i)[who.truth] != UNKNOWN)
                .count() as u64;
        }
        Self { truth: truth_calls, estimate: rows.iter().map(|&(_, j)| estimate.row(j)[who.estimate]).collect() }
    }
}

/// The child's call with the paternal allele first where a homozygous parent decides; unknown at a Mendelian error.
fn by_parents(row: &[u8], child: usize, parents: (Option<usize>, Option<usize>)) -> u8 {
    let call = row[child];
    if call == UNKNOWN {
        return UNKNOWN;
    }
    let given = |parent: Option<usize>| match parent.map(|p| row[p] & (FIRST | SECOND) | row[p] & 0x80) {
        Some(0) => Some(0u8),
        Some(3) => Some(1),
        _ => None,
    };
    let copies = (call & FIRST) + ((call & SECOND) >> 1);
    let (father, mother) = (given(parents.0), given(parents.1));
    let impossible = match copies {
        1 => father.is_some() && father == mother,
        0 => father == Some(1) || mother == Some(1),
        _ => father == Some(0) || mother == Some(0),
    };
    if impossible {
        return UNKNOWN;
    }
    if copies != 1 {
        return call | KNOWN_PHASE;
    }
    match father.or(mother.map(|m| 1 - m)) {
        Some(paternal) => KNOWN_PHASE | if paternal == 1 { FIRST } else { SECOND },
        None => call & !KNOWN_PHASE,
    }
}

/// What a site is: a matched row, or all matched rows of a position.
struct Sites {
    positions: Vec<u32>,
    /// Matched rows of site i: `first[i] .. first[i + 1]` of `order`.
    first: Vec<usize>,
    order: Vec<usize>,
    mac: Vec<u32>,
    supersite: Vec<bool>,
}

impl Sites {
    fn new(truth: &Table, rows: &[(usize, usize)], who: &[Who], by_position: bool) -> Self {
        let position = |r: usize| truth.positions[rows[r].0];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if by_position {
            order.sort_by_key(|&r| position(r)); // stable: rows of a position keep their order
        }
        let row_mac: Vec<u32> = rows
            .iter()
            .map(|&(i, _)| {
                let row = truth.row(i);
                let copies = |c: u8| if c == UNKNOWN { 0 } else { u32::from(c & FIRST) + u32::from(c & SECOND) / 2 };
                let count: u32 = who.iter().map(|w| copies(row[w.truth])).sum();
                count.min(2 * who.len() as u32 - count)
            })
            .collect();
        // Rows that only the truth has count too.
        let mut several = std::collections::HashMap::new();
        truth.positions.iter().for_each(|&p| *several.entry(p).or_insert(0u32) += 1);
        let mut sites =
            Self { positions: Vec::new(), first: Vec::new(), order, mac: Vec::new(), supersite: Vec::new() };
        for (at, &r) in sites.order.iter().enumerate() {
            if by_position && sites.positions.last() == Some(&position(r)) {
                let last = sites.mac.last_mut();
                last.into_iter().for_each(|m| *m = row_mac[r].min(*m));
                continue;
            }
            sites.positions.push(position(r));
            sites.first.push(at);
            sites.mac.push(row_mac[r]);
            sites.supersite.push(several[&position(r)] > 1);
        }
        sites.first.push(sites.order.len());
        sites
    }

    /// What the sites are, before anything is counted.
    fn rates(&self, truth: &Table, rows: &[(usize, usize)]) -> Vec<SiteRate> {
        let change = |&r: &usize| String::from_utf8_lossy(&truth.alleles[rows[r].0]).replace('\t', ">");
        let names = |at: usize| self.order[self.first[at]..self.first[at + 1]].iter().map(change).collect::<Vec<_>>();
        let rate = |(at, &position): (usize, &u32)| SiteRate {
            position,
            rows: names(at).join(" "),
            mac: self.mac[at],
            pairs: 0,
            switches: 0,
        };
        self.positions.iter().enumerate().map(rate).collect()
    }

    /// Sites of one sample that can be compared; the report's counts go on.
    fn of(&self, calls: &Calls, by_position: bool, report: &mut SwitchReport) -> Vec<Site> {
        let mut found = Vec::new();
        for at in 0..self.positions.len() {
            let rows = &self.order[self.first[at]..self.first[at + 1]];
            let outcome = if by_position { position(calls, rows) } else { row(calls, rows[0]) };
            report.truth_hets += u64::from(outcome.truth_het);
            report.discordant += u64::from(outcome.discordant);
            report.invalid += u64::from(outcome.invalid);
            if let Some(opposite) = outcome.opposite {
                found.push(Site { at: at as u32, opposite, supersite: self.supersite[at] });
            }
        }
        found
    }
}

#[derive(Default)]
struct Outcome {
    truth_het: bool,
    discordant: bool,
    invalid: bool,
    opposite: Option<bool>,
}

fn is_het(call: u8) -> bool {
    matches!(call & (FIRST | SECOND), FIRST | SECOND)
}

fn row(calls: &Calls, r: usize) -> Outcome {
    let (t, e) = (calls.truth[r], calls.estimate[r]);
    let truth_het = t != UNKNOWN && is_het(t) && t & KNOWN_PHASE != 0;
    let both = truth_het && e != UNKNOWN && is_het(e) && e & KNOWN_PHASE != 0;
    Outcome {
        truth_het,
        discordant: truth_het && e != UNKNOWN && !is_het(e),
        invalid: false,
        opposite: both.then_some((t ^ e) & FIRST != 0),
    }
}

fn position(calls: &Calls, rows: &[usize]) -> Outcome {
    let (t, e) = (Codes::new(&calls.truth, rows), Codes::new(&calls.estimate, rows));
    let invalid = e.two_alts;
    let bad = invalid || t.two_alts || t.missing || e.missing;
    let truth_het = t.code[0] != t.code[1] && !t.unphased;
    let (same, opposite) = (t.code == e.code, t.code[0] == e.code[1] && t.code[1] == e.code[0]);
    let compared = truth_het && !bad && e.code[0] != e.code[1] && !e.unphased && (same || opposite);
    Outcome {
        truth_het,
        discordant: truth_het && !bad && !(same || opposite),
        invalid,
        opposite: compared.then_some(opposite),
    }
}

/// Both haplotypes' codes over the rows of a position: 0 = REF, k = the k-th row's ALT.
#[derive(Default)]
struct Codes {
    code: [u32; 2],
    two_alts: bool,
    missing: bool,
    unphased: bool,
}

impl Codes {
    fn new(calls: &[u8], rows: &[usize]) -> Self {
        let mut out = Self::default();
        for (i, &r) in rows.iter().enumerate() {
            let call = calls[r];
            if call == UNKNOWN {
                out.missing = true;
                continue;
            }
            out.unphased |= is_het(call) && call & KNOWN_PHASE == 0;
            for (slot, bit) in [FIRST, SECOND].into_iter().enumerate() {
                if call & bit != 0 {
                    out.two_alts |= out.code[slot] != 0;
                    out.code[slot] += i as u32 + 1;
                }
            }
        }
        out
    }
}
