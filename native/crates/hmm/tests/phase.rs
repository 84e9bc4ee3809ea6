//! The whole engine on small simulated studies.

use x_hmm::{
    Anchor, Imputation, Likelihood, Locus, MISSING, Options, Partial, Phased, Schedule, Study, Trio, inherit, phase,
};
use x_random::Random;
use x_simd::Job;

/// True haplotypes (locus-major, two a sample) as mosaics of a few founders with long tracts.
fn truth(seed: u64, samples: usize, loci: usize, codes: u64) -> (Vec<Locus>, Vec<u8>) {
    let mut r = Random::new(seed, 9);
    let list: Vec<Locus> = (0..loci)
        .map(|i| {
            let codes = if r.int(4) == 0 { 2 + r.int(codes - 1) as u8 } else { 2 };
            Locus { position: 100 * (i as u32 + 1), cm: 0.02 * i as f64, codes }
        })
        .collect();
    let founders: Vec<Vec<u8>> =
        (0..8).map(|_| list.iter().map(|l| r.int(u64::from(l.codes)) as u8).collect()).collect();
    let mut haplotypes = vec![0; 2 * samples * loci];
    for h in 0..2 * samples {
        let mut f = r.int(8) as usize;
        for l in 0..loci {
            if r.int(60) == 0 {
                f = r.int(8) as usize;
            }
            haplotypes[2 * samples * l + h] = founders[f][l];
        }
    }
    (list, haplotypes)
}

/// The truth with its phase, and some alleles, taken away.
fn study(seed: u64, samples: usize, loci: usize, codes: u64) -> (Study, Vec<u8>) {
    let (list, truth) = truth(seed, samples, loci, codes);
    let mut calls = truth.clone();
    let mut r = Random::new(seed, 10);
    for pair in calls.chunks_exact_mut(2) {
        pair.sort_unstable();
        match r.int(100) {
            0 => pair.fill(MISSING),
            1 => pair[1] = MISSING,
            _ => {}
        }
    }
    (Study { samples, loci: list, calls, ..Study::default() }, truth)
}

fn quick(seed: u64) -> Options {
    Options { seed, schedule: Schedule::parse("2b,1p,1b,1p,3m").unwrap(), ..Options::default() }
}

fn run(study: &Study, options: &Options) -> Phased {
    phase(study, options, &|_| {}, &Job::default()).unwrap()
}

fn keeps_observed(study: &Study, codes: &[u8]) {
    for (i, (got, call)) in codes.chunks_exact(2).zip(study.calls.chunks_exact(2)).enumerate() {
        let locus = &study.loci[i / study.samples];
        assert!(got.iter().all(|&c| c < locus.codes));
        let mut left = got.to_vec();
        for c in call.iter().filter(|&&c| c != MISSING) {
            let at = left.iter().position(|x| x == c).unwrap_or_else(|| panic!("{call:?} became {got:?} at {i}"));
            left.remove(at);
        }
    }
}

/// Switches per pair of consecutive hets.
fn switch_rate(study: &Study, truth: &[u8], codes: &[u8], samples: std::ops::Range<usize>) -> f64 {
    let (mut switches, mut pairs) = (0, 0);
    for s in samples {
        let mut last = None;
        for l in 0..study.loci.len() {
            let at = 2 * (l * study.samples + s);
            let (t, g) = (&truth[at..at + 2], &codes[at..at + 2]);
            if t[0] == t[1] || !(t == g || t[0] == g[1] && t[1] == g[0]) {
                continue;
            }
            let same = t == g;
            pairs += usize::from(last.is_some());
            switches += usize::from(last.is_some_and(|x| x != same));
            last = Some(same);
        }
    }
    f64::from(switches as u32) / f64::from(pairs.max(1) as u32)
}

#[test]
fn phases_supersites_keeps_what_was_observed_and_does_not_depend_on_threads() {
    let (study, truth) = study(1, 60, 400, 6);
    let one = run(&study, &Options { confidence: true, ..quick(3) });
    keeps_observed(&study, &one.codes);
    let rate = switch_rate(&study, &truth, &one.codes, 0..60);
    assert!(rate < 0.02, "{rate}");
    for threads in [2, 4] {
        let more = run(&study, &Options { threads, confidence: true, ..quick(3) });
        assert_eq!(more.codes, one.codes);
        assert_eq!(
            (more.phase_confidence, more.code_confidence),
            (one.phase_confidence.clone(), one.code_confidence.clone())
        );
    }
    assert_ne!(run(&study, &quick(4)).codes, one.codes);
    let plain = run(&study, &quick(3));
    assert_eq!(plain.codes, one.codes);
    assert!(plain.phase_confidence.is_empty());
    // One number for each het, each gap; sure on average, as the data are easy.
    let hets = study.calls.chunks_exact(2).filter(|c| c[0] != c[1] && !c.contains(&MISSING)).count();
    let gaps = study.calls.chunks_exact(2).filter(|c| c.contains(&MISSING)).count();
    assert_eq!((one.phase_confidence.len(), one.code_confidence.len()), (hets, gaps));
    assert!(one.phase_confidence.iter().all(|c| (0.0..=1.0001).contains(&c.probability)));
    let mean = one.phase_confidence.iter().map(|c| f64::from(c.probability)).sum::<f64>() / hets as f64;
    assert!(mean > 0.95, "{mean}");
}

#[test]
fn two_codes_do_not_feel_the_supersite_settings() {
    let (study, _) = study(2, 40, 300, 2);
    let one = run(&study, &quick(1));
    let imputation = Imputation::Anchor(Anchor::Hmm);
    assert_eq!(run(&study, &Options { supersite_pbwt: false, imputation, ..quick(1) }).codes, one.codes);
}

#[test]
fn anchors_impute_ref_or_one_alt() {
    let (study, truth) = study(3, 60, 300, 5);
    for imputation in [Imputation::Argmax, Imputation::Anchor(Anchor::Pbwt), Imputation::Anchor(Anchor::Hmm)] {
        let found = run(&study, &Options { imputation, ..quick(1) });
        keeps_observed(&study, &found.codes);
        let (mut right, mut all) = (0, 0);
        for (i, call) in study.calls.chunks_exact(2).enumerate() {
            if call == [MISSING; 2] {
                let (t, g) = (&truth[2 * i..2 * i + 2], &found.codes[2 * i..2 * i + 2]);
                all += 1;
                right += usize::from(t == g || t[0] == g[1] && t[1] == g[0]);
            }
        }
        let least = if imputation == Imputation::Argmax { 0.95 } else { 0.7 };
        assert!(f64::from(right as u32) / f64::from(all as u32) > least, "{imputation:?}: {right} of {all}");
    }
}

#[test]
fn few_samples_reference_donors_and_nobody_at_all() {
    let (one, _) = study(4, 1, 150, 4);
    keeps_observed(&one, &run(&one, &quick(1)).codes);
    let (two, _) = study(5, 2, 150, 4);
    keeps_observed(&two, &run(&two, &quick(1)).codes);
    assert!(run(&Study::default(), &quick(1)).codes.is_empty());
    let none = Study { samples: 3, ..Study::default() };
    assert!(run(&none, &quick(1)).codes.is_empty());
    // Ten samples alone, and with ninety haplotypes to copy from.
    let (all, truth) = study(6, 55, 400, 4);
    let width = 2 * 55;
    let take = |data: &[u8], from: usize, to: usize| -> Vec<u8> {
        data.chunks_exact(width).flat_map(|row| row[from..to].to_vec()).collect()
    };
    let mut small = Study { samples: 10, calls: take(&all.calls, 0, 20), ..all.clone() };
    let truth10 = take(&truth, 0, 20);
    let alone = run(&small, &quick(1));
    keeps_observed(&small, &alone.codes);
    small.reference = take(&truth, 20, width);
    let helped = run(&small, &quick(1));
    keeps_observed(&small, &helped.codes);
    let rates = [alone, helped].map(|p| switch_rate(&small, &truth10, &p.codes, 0..10));
    assert!(rates[1] < rates[0] && rates[1] < 0.02, "{rates:?}");
    // A single reference haplotype is a single donor.
    let (mut lone, _) = study(7, 1, 150, 4);
    lone.reference = vec![0; 150];
    keeps_observed(&lone, &run(&lone, &quick(1)).codes);
}

#[test]
fn haploid_samples_have_two_equal_haplotypes() {
    let (mut study, _) = study(8, 50, 300, 4);
    study.haploid = (0..50).map(|s| s % 2 == 0).collect();
    for l in 0..300 {
        for s in (0..50).step_by(2) {
            // One allele, sometimes missing, and now and then an impossible het.
            let at = 2 * (l * 50 + s);
            if (l + s) % 31 != 0 {
                study.calls[at + 1] = study.calls[at];
            }
        }
    }
    let found = run(&study, &quick(1));
    for (i, (got, call)) in found.codes.chunks_exact(2).zip(study.calls.chunks_exact(2)).enumerate() {
        if study.haploid[i % 50] {
            assert_eq!(got[0], got[1]);
            assert!(call[0] != call[1] || call[0] == MISSING || got[0] == call[0]);
        }
    }
}

#[test]
fn rows_that_were_observed_narrow_missing_codes_and_likelihoods_weigh_them() {
    let (mut study, _) = study(9, 50, 300, 6);
    for l in 0..300_u32 {
        let codes = usize::from(study.loci[l as usize].codes);
        let at = 2 * l as usize * 50;
        if codes >= 4 {
            study.calls[at..at + 2].copy_from_slice(&[MISSING; 2]);
            study.partial.push(Partial { locus: l, sample: 0, allowed: vec![0, 3] });
        }
        if l % 10 == 0 {
            // All but certain: the last genotype, homozygous for the last code.
            let mut weights = vec![1e-6; codes * (codes + 1) / 2];
            *weights.last_mut().unwrap() = 1.0;
            study.likelihoods.push(Likelihood { locus: l, sample: 1, weights });
        }
    }
    let found = run(&study, &quick(1));
    for p in &study.partial {
        let at = 2 * p.locus as usize * 50;
        assert!(found.codes[at..at + 2].iter().all(|c| p.allowed.contains(c)));
    }
    let likely = study.likelihoods.iter().filter(|g| {
        let at = 2 * (g.locus as usize * 50 + 1);
        found.codes[at..at + 2] == [study.loci[g.locus as usize].codes - 1; 2]
    });
    assert!(likely.count() >= 20, "likelihoods decide most genotypes");
}

#[test]
fn missing_alleles_stay_missing_if_asked() {
    let (study, _) = study(10, 40, 200, 4);
    let found = run(&study, &Options { keep_missing: true, ..quick(1) });
    for (got, call) in found.codes.chunks_exact(2).zip(study.calls.chunks_exact(2)) {
        let sorted = |x: &[u8]| if x[0] <= x[1] { [x[0], x[1]] } else { [x[1], x[0]] };
        assert_eq!(sorted(got), sorted(call));
    }
}

#[test]
fn children_follow_their_parents() {
    let (list, mut truth) = truth(11, 60, 400, 5);
    // Samples 2, 5, 8 … are children of the two before them: hap 0 of each parent is transmitted.
    for row in truth.chunks_exact_mut(120) {
        for child in (2..60).step_by(3) {
            (row[2 * child], row[2 * child + 1]) = (row[2 * child - 4], row[2 * child - 2]);
        }
    }
    let mut calls = truth.clone();
    calls.chunks_exact_mut(2).for_each(|pair| pair.sort_unstable());
    let mut study = Study { samples: 60, loci: list, calls, ..Study::default() };
    let trios: Vec<Trio> =
        (2..60).step_by(3).map(|c| Trio { child: c, father: Some(c - 2), mother: Some(c - 1) }).collect();
    let found = inherit(&mut study, &trios);
    assert!(found.errors.is_empty() && found.oriented > 1000);
    let phased = run(&study, &quick(1));
    keeps_observed(&study, &phased.codes);
    for (i, &fixed) in study.fixed.iter().enumerate() {
        assert!(!fixed || phased.codes[2 * i..2 * i + 2] == truth[2 * i..2 * i + 2], "{i}");
    }
    let children = || (2..60).step_by(3);
    let rates: Vec<f64> = children().map(|c| switch_rate(&study, &truth, &phased.codes, c..c + 1)).collect();
    assert!(rates.iter().sum::<f64>() / 20.0 < 0.005, "{rates:?}");
}

#[test]
fn cancels_reports_and_refuses() {
    let (study, _) = study(12, 30, 100, 3);
    let job = Job::default();
    let seen = std::sync::Mutex::new(Vec::new());
    phase(&study, &quick(1), &|i| seen.lock().unwrap().push((i.number, i.of)), &job).unwrap();
    assert_eq!(*seen.lock().unwrap(), (0..8).map(|i| (i, 8)).collect::<Vec<_>>());
    assert_eq!((job.done(), job.total()), (240, 240));
    let cancel = Job::default();
    let error = phase(
        &study,
        &quick(1),
        &|i| {
            if i.number == 1 {
                cancel.cancel()
            }
        },
        &cancel,
    )
    .unwrap_err();
    assert_eq!(error.code, "CANCELLED");
    let mut bad = study.clone();
    bad.calls[7] = 200;
    assert_eq!(phase(&bad, &quick(1), &|_| {}, &job).unwrap_err().code, "BAD_STUDY");
    assert_eq!(Schedule::parse("5b,2x").unwrap_err().code, "BAD_SCHEDULE");
    assert_eq!(Schedule::parse("5b").unwrap_err().code, "BAD_SCHEDULE");
    assert_eq!(Schedule::parse("3b,1p,1b,1p,1b,1p,24m").unwrap(), Schedule::default());
}
