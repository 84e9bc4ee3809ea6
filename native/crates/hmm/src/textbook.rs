//! The model against forward and backward written out state by state in double precision, O(K²) a locus, every locus.

use x_pbwt::Panel;
use x_random::Random;
use x_simd::Level;

use crate::backward::Posterior;
use crate::graph::Graph;
use crate::model::{Model, Window};
use crate::options::{Imputation, Options};
use crate::panel::survey;
use crate::pass::MISMATCH;
use crate::study::{Locus, MISSING, Partial, Study};

/// Posterior probabilities agree to this.
const BOUND: f64 = 2e-4;

struct Case {
    study: Study,
    donors: Vec<Vec<u8>>,
}

/// One sample; donors are mosaics of a few founders, the sample too, with some noise.
fn random_case(seed: u64, loci: usize, donors: usize, codes: u64, missing: u64) -> Case {
    let mut r = Random::new(seed, 5);
    let list: Vec<Locus> = (0..loci)
        .map(|i| Locus {
            position: i as u32 + 1,
            cm: i as f64 * 0.01,
            codes: if r.int(3) == 0 { 2 + r.int(codes - 1) as u8 } else { 2 },
        })
        .collect();
    let founders: Vec<Vec<u8>> =
        (0..5).map(|_| list.iter().map(|l| r.int(u64::from(l.codes)) as u8).collect()).collect();
    let mosaic = |r: &mut Random| -> Vec<u8> {
        let mut f = 0;
        (0..loci)
            .map(|l| {
                if l == 0 || r.int(12) == 0 {
                    f = r.int(5) as usize;
                }
                if r.int(40) == 0 { r.int(u64::from(list[l].codes)) as u8 } else { founders[f][l] }
            })
            .collect()
    };
    let donors: Vec<Vec<u8>> = (0..donors).map(|_| mosaic(&mut r)).collect();
    let (a, b) = (mosaic(&mut r), mosaic(&mut r));
    let mut study = Study { samples: 1, loci: list, ..Study::default() };
    for l in 0..loci {
        let (x, y) = match r.int(100) {
            p if p < missing => (MISSING, MISSING),
            p if p < 2 * missing => (a[l], MISSING),
            _ => (a[l], b[l]),
        };
        if x == MISSING && study.loci[l].codes > 2 && r.int(2) == 0 {
            study.partial.push(Partial { locus: l as u32, sample: 0, allowed: vec![0, 2] });
        }
        study.calls.extend([x, y]);
    }
    Case { study, donors }
}

/// Runs the model over one window of everything.
fn run(case: &Case, level: Level) -> (Graph, Posterior) {
    let study = &case.study;
    let options = Options::default();
    let (mut map, _) = survey(study, &options);
    map.major.fill(MISSING);
    map.rate = 2.0;
    let graph = Graph::new(study, 0);
    let mut panel = Panel::new(map.layout.clone(), 2 + case.donors.len()).unwrap();
    for l in 0..study.loci.len() {
        let call = study.call(l, 0);
        panel.set(0, l, if call[0] == MISSING { 0 } else { call[0] });
        case.donors.iter().enumerate().for_each(|(k, d)| panel.set(2 + k, l, d[l]));
    }
    let mut model = Model::default();
    let mut posterior = Posterior::default();
    posterior.reset(&graph, &map.codes);
    let segments = 0..graph.segments.len();
    let window =
        Window { map: &map, graph: &graph, row: panel.row(0), segments, imputation: Imputation::Argmax, level };
    let end = map.layout.end(study.loci.len() - 1);
    model.donors.whole(2..2 + case.donors.len() as u32, 0, end);
    model.donors.load(|id| panel.row(id as usize), 0, end);
    model.run(&window, &mut posterior);
    (graph, posterior)
}

type State = Vec<[f64; 8]>;

fn emission(case: &Case, graph: &Graph, l: usize, k: usize) -> [f64; 8] {
    let (donor, call) = (case.donors[k][l], case.study.call(l, 0));
    let miss = f64::from(MISMATCH);
    if let Some(site) = graph.ambiguous.iter().find(|a| a.locus as usize == l) {
        return std::array::from_fn(|h| {
            let code = site.codes[usize::from(site.bits >> h & 1)];
            if code == MISSING || code == donor { 1.0 } else { miss }
        });
    }
    let fits = match graph.queries.iter().find(|q| q.locus as usize == l) {
        Some(q) => q.allows(donor),
        None => call[0] == donor,
    };
    [if fits { 1.0 } else { miss }; 8]
}

/// Every state moves to every state.
fn moved(state: &State, distance: f64) -> State {
    let k = state.len();
    let stay = (-2.0 * distance).exp();
    (0..k)
        .map(|to| {
            std::array::from_fn(|h| {
                (0..k)
                    .map(|from| state[from][h] * ((1.0 - stay) / k as f64 + f64::from(u8::from(from == to)) * stay))
                    .sum()
            })
        })
        .collect()
}

/// States before a segment: the sum over the lanes of the one before it.
fn collapsed(state: &State, lanes: u8) -> State {
    state.iter().map(|v| [v[..usize::from(lanes)].iter().sum(); 8]).collect()
}

/// States at each locus in the given order, with emission, scaled to 1 in all; and before the emission of the first
/// locus of each segment, lanes uncollapsed but moved.
fn pass(case: &Case, graph: &Graph, order: &[usize]) -> Vec<State> {
    let k = case.donors.len();
    let segment = |l: usize| graph.segments.iter().position(|s| l < s.end as usize).unwrap();
    let mut states: Vec<State> = Vec::new();
    for (i, &l) in order.iter().enumerate() {
        let mut state = if i == 0 {
            vec![[1.0 / k as f64; 8]; k]
        } else {
            let before = order[i - 1];
            let (s, t) = (segment(before), segment(l));
            let from = &states[i - 1];
            let from = if s == t { from.clone() } else { collapsed(from, graph.segments[s].lanes) };
            moved(&from, (case.study.loci[l].cm - case.study.loci[before].cm).abs())
        };
        for (k, v) in state.iter_mut().enumerate() {
            let e = emission(case, graph, l, k);
            (0..8).for_each(|h| v[h] *= e[h]);
        }
        let total: f64 = state.iter().flatten().sum();
        state.iter_mut().flatten().for_each(|x| *x /= total);
        states.push(state);
    }
    states
}

fn check(case: &Case, level: Level) {
    let (graph, posterior) = run(case, level);
    let n = case.study.loci.len();
    let forward = pass(case, &graph, &(0..n).collect::<Vec<_>>());
    let mut backward = pass(case, &graph, &(0..n).rev().collect::<Vec<_>>());
    backward.reverse();
    let k = case.donors.len();
    for (s, pair) in graph.segments.windows(2).enumerate() {
        let (a, b) = (pair[0].end as usize - 1, pair[1].first as usize);
        let left = moved(&forward[a], case.study.loci[b].cm - case.study.loci[a].cm);
        let h = |x: usize, y: usize| (0..k).map(|k| left[k][x] * backward[b][k][y]).sum::<f64>();
        let mut joint = [0.0; 64];
        for x in 0..pair[0].legal() {
            for y in 0..pair[1].legal() {
                joint[8 * x + y] = h(x, y) * h(pair[0].partner(x), pair[1].partner(y));
            }
        }
        let total: f64 = joint.iter().sum();
        for (i, want) in joint.iter().enumerate() {
            let got = f64::from(posterior.borders[s][i]);
            assert!((got - want / total).abs() < BOUND, "{level:?} border {s} pair {i}: {got} {}", want / total);
        }
    }
    for (q, query) in graph.queries.iter().enumerate() {
        let l = query.locus as usize;
        let s = graph.segments.iter().position(|s| l < s.end as usize).unwrap();
        let codes = usize::from(case.study.loci[l].codes);
        for lane in 0..usize::from(graph.segments[s].lanes) {
            let mut mass = vec![0.0; codes];
            for k in 0..k {
                let code = case.donors[k][l];
                if query.allows(code) {
                    mass[usize::from(code)] +=
                        forward[l][k][lane] * backward[l][k][lane] / emission(case, &graph, l, k)[lane];
                }
            }
            let total: f64 = mass.iter().sum();
            let site = graph.ambiguous.iter().find(|a| a.locus as usize == l);
            // Lanes with a known code, and codes that no donor has, are not the model's to say.
            if total == 0.0 || site.is_some_and(|a| a.bits >> lane & 1 == 0) {
                continue;
            }
            for (c, mass) in mass.iter().enumerate() {
                let got = f64::from(posterior.codes[posterior.offset[q] + lane * codes + c]);
                assert!((got - mass / total).abs() < BOUND, "{level:?} query {q} lane {lane}: {got} {}", mass / total);
            }
        }
    }
}

#[test]
fn hom_het_and_missing_at_two_codes() {
    for seed in 0..6 {
        let case = random_case(seed, 60, 14, 2, 6);
        Level::available().into_iter().for_each(|level| check(&case, level));
    }
}

#[test]
fn every_genotype_at_supersites() {
    for seed in 10..18 {
        let case = random_case(seed, 90, 17, 6, 5);
        Level::available().into_iter().for_each(|level| check(&case, level));
    }
}

#[test]
fn one_donor_and_segments_longer_than_a_block() {
    check(&random_case(30, 40, 1, 3, 5), Level::get());
    // Almost no hets: both haplotypes alike.
    let mut case = random_case(31, 500, 9, 3, 3);
    for l in 0..500 {
        let at = 2 * l;
        if l % 90 != 0 && !case.study.calls[at..at + 2].contains(&MISSING) {
            case.study.calls[at + 1] = case.study.calls[at];
        }
    }
    check(&case, Level::get());
}

/// Nothing fits anywhere: masses fall far below what one float can hold, and the answer stays right.
#[test]
fn mismatches_at_hundreds_of_loci_do_not_underflow() {
    let mut case = random_case(40, 600, 12, 4, 0);
    for l in 0..600 {
        case.study.loci[l].codes = 4;
        case.donors.iter_mut().for_each(|d| d[l] %= 2);
        let het = l % 40 == 7;
        case.study.calls[2 * l..2 * l + 2].copy_from_slice(&if het { [0, 1] } else { [3, 3] });
    }
    check(&case, Level::get());
}

#[test]
fn simd_levels_give_the_same_bits() {
    for seed in 50..54 {
        let case = random_case(seed, 200, 40, 5, 4);
        let (_, want) = run(&case, Level::Scalar);
        for level in Level::available() {
            let (_, got) = run(&case, level);
            let bits =
                |p: &Posterior| p.borders.iter().flatten().chain(&p.codes).map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&got), bits(&want), "{level:?}");
        }
    }
}
