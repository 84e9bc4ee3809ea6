//! What no caller can see: derivatives against differences, the search against its own slopes, EM's direction.

use x_dense::SquareMatrix;
use x_simd::Level;

use super::data::{Column, Data, MultiStudy};
use super::derivatives::Parameter;
use super::frame::Frame;
use super::maximise::{MultiOptions, expectation_maximisation, maximise};
use super::null::plain_gram;
use super::point::{Model, Scratch};
use super::small::ln_det;
use crate::elimination::Likelihood;

struct Made {
    data: Data,
    added: Vec<Column>,
}

/// Small deterministic numbers around 0.
pub fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        let mut sum = 0.0;
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            sum += (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        }
        sum * 3f64.sqrt()
    }
}

/// A diagonal kinship: its eigenvectors are the unit vectors.
fn made(n: usize, d: usize, genetic: f64) -> Made {
    let mut next = noise(7 + d as u64);
    let values: Vec<f64> = (0..n).map(|i| if i == 0 { 0.0 } else { 3.0 * i as f64 / n as f64 }).collect();
    let mut vectors = SquareMatrix::zeros(n).unwrap();
    for i in 0..n {
        vectors.set_tile(i, 1, i, 1, &[1.0]).unwrap();
    }
    let w: Vec<f64> = (0..2 * n).map(|at| if at < n { 1.0 + 0.1 * next() } else { next() }).collect();
    let mut y = vec![0.0; d * n];
    for i in 0..n {
        let (g, e) = (next() * (genetic * values[i]).sqrt(), next());
        for t in 0..d {
            y[t * n + i] = 2.0 * t as f64 + (1.0 - 0.3 * t as f64) * g + 0.4 * e + next();
        }
    }
    let keep: Vec<u32> = (0..n as u32).collect();
    let study =
        MultiStudy { values: &values, keep: &keep, samples_in_file: n, y: &y, d, w: &w, c: 2, environment: None };
    let data = Data::new(&vectors, &study, 2, Level::get()).unwrap();
    let mut added = data.columns().unwrap();
    for k in 0..2 {
        let x: Vec<f64> = (0..n).map(|_| next().round()).collect();
        data.set_last(&mut added[..=k], &x);
    }
    Made { data, added }
}

fn each_model(made: &Made, mut check: impl FnMut(&Model, &mut Scratch)) {
    let data = &made.data;
    let mut scratch = Scratch::new(data).unwrap();
    for kind in [Likelihood::Reml, Likelihood::Mle] {
        // No variant, a variant, a variant and its product with an environment.
        for added in (0..=2).map(|added| &made.added[..added]) {
            let gram = plain_gram(data, added).unwrap();
            let m = data.c + added.len();
            check(&Model { data, added, kind, ln_det_xx: ln_det(&gram, m) }, &mut scratch);
        }
    }
}

fn somewhere(d: usize) -> Frame {
    let entry = |at: usize, diagonal: f64| if at / d == at % d { diagonal + 0.1 * (at / d) as f64 } else { 0.2 };
    let vg: Vec<f64> = (0..d * d).map(|at| entry(at, 0.7)).collect();
    let ve: Vec<f64> = (0..d * d).map(|at| entry(at, 1.1)).collect();
    Frame::new(&vg, &ve, d).unwrap()
}

#[test]
fn derivatives_are_those_of_the_likelihood() {
    for d in [1, 2, 3] {
        let made = made(60, d, 1.0);
        let parameters = Parameter::all(d);
        each_model(&made, |model, scratch| {
            let frame = somewhere(d);
            let point = model.evaluate(frame.clone(), scratch).unwrap();
            let at = model.derivatives(&point, &parameters, true, scratch);
            let h = 1e-4;
            let mut along = |steps: &[(usize, f64)]| {
                let [mut ve, mut vg] = [vec![0.0; d * d], vec![0.0; d * d]];
                (0..d).for_each(|i| (vg[i * d + i], ve[i * d + i]) = (frame.ratios[i], 1.0));
                for &(j, step) in steps {
                    let p = parameters[j];
                    let target = if p.power == 1 { &mut vg } else { &mut ve };
                    target[p.a * d + p.b] += step;
                    if p.a != p.b {
                        target[p.b * d + p.a] += step;
                    }
                }
                model.evaluate(frame.moved(&vg, &ve).unwrap(), scratch).unwrap().loglik
            };
            for j in 0..parameters.len() {
                let slope = (along(&[(j, h)]) - along(&[(j, -h)])) / (2.0 * h);
                assert!((slope - at.gradient[j]).abs() < 1e-4 * (1.0 + slope.abs()), "{slope} {}", at.gradient[j]);
                for k in 0..parameters.len() {
                    let second = (along(&[(j, h), (k, h)]) - along(&[(j, h), (k, -h)]) - along(&[(j, -h), (k, h)])
                        + along(&[(j, -h), (k, -h)]))
                        / (4.0 * h * h);
                    let found = at.hessian[j * parameters.len() + k];
                    assert!((second - found).abs() < 1e-3 * (1.0 + second.abs()), "d {d} {j} {k}: {second} {found}");
                }
            }
        });
    }
}

#[test]
fn newton_ends_where_em_goes_and_em_never_descends() {
    let made = made(80, 2, 1.5);
    let parameters = Parameter::all(2);
    let slow = MultiOptions { em_precision: 1e-13, em_iterations: 100_000, ..MultiOptions::default() };
    let mut smaller = somewhere(2);
    each_model(&made, |model, scratch| {
        // Of two columns from the estimates with one, as variants are: the full likelihood rises without end on one side.
        let start = if model.added.len() < 2 { somewhere(2) } else { smaller.clone() };
        let newton = maximise(model, start, &parameters, &MultiOptions::default(), scratch).unwrap();
        assert!(newton.converged && newton.steps < 30, "{}", newton.steps);
        smaller = newton.point.frame.clone();
        let em = expectation_maximisation(model, somewhere(2), &parameters, &slow, scratch).unwrap();
        let gain = newton.point.loglik - em.loglik;
        assert!((-1e-10..1e-5).contains(&gain), "{gain}");
        assert!(em.loglik > model.evaluate(somewhere(2), scratch).unwrap().loglik);
    });
}

#[test]
fn a_trait_without_genetic_variance_is_on_the_border() {
    let made = made(60, 2, 0.0);
    let parameters = Parameter::all(2);
    each_model(&made, |model, scratch| {
        let found = maximise(model, somewhere(2), &parameters, &MultiOptions::default(), scratch).unwrap();
        assert!(found.converged && found.steps < 40, "{}", found.steps);
        let em = MultiOptions { em_precision: 1e-9, ..MultiOptions::default() };
        let slow = expectation_maximisation(model, somewhere(2), &parameters, &em, scratch).unwrap();
        assert!(found.point.loglik >= slow.loglik - 1e-9);
    });
}
