//! Every family's derivatives against finite differences of the next lower ones.

use super::{Derivs, Family, Response, from_options, quadruple, triple};
use crate::json::Json;
use crate::rows::pair;

fn derive(f: &dyn Family, y: f64, theta: &[f64], eta: &[f64]) -> Derivs {
    let mut d = Derivs::default();
    let eta: Vec<Vec<f64>> = eta.iter().map(|e| vec![*e]).collect();
    f.derive(Response { y: &[y], w: &[1.5] }, theta, &eta, true, &mut d);
    d
}

fn close(what: &str, found: f64, fd: f64) {
    assert!((found - fd).abs() < 2e-6 * found.abs().max(1.0), "{what}: {found} against {fd}");
}

fn check(options: &str, ys: &[f64], etas: &[&[f64]]) {
    let f = from_options(&Json::parse(options).unwrap()).unwrap();
    let theta = f.theta_start();
    let k = f.predictors();
    let h = 1e-5;
    for &y in ys {
        for &eta in etas {
            let d = derive(&*f, y, &theta, eta);
            for a in 0..k {
                let moved = |s: f64| {
                    let mut e = eta.to_vec();
                    e[a] += s;
                    derive(&*f, y, &theta, &e)
                };
                let (up, down) = (moved(h), moved(-h));
                let fd = |g: &dyn Fn(&Derivs) -> f64| (g(&up) - g(&down)) / (2.0 * h);
                close(&format!("{options} d1"), d.d1[a][0], fd(&|d| d.f[0]));
                for b in 0..k {
                    close(&format!("{options} d2"), d.d2[pair(a, b)][0], fd(&|d| d.d1[b][0]));
                    for c in 0..k {
                        close(&format!("{options} d3"), d.d3[triple([a, b, c])][0], fd(&|d| d.d2[pair(b, c)][0]));
                        for e in 0..k {
                            let found = d.d4[quadruple([a, b, c, e])][0];
                            close(&format!("{options} d4"), found, fd(&|d| d.d3[triple([b, c, e])][0]));
                        }
                    }
                }
            }
            for t in 0..theta.len() {
                let moved = |s: f64| {
                    let mut x = theta.clone();
                    x[t] += s;
                    derive(&*f, y, &x, eta)
                };
                let (up, down) = (moved(h), moved(-h));
                let fd = |g: &dyn Fn(&Derivs) -> f64| (g(&up) - g(&down)) / (2.0 * h);
                close("theta 0", d.theta[t][0][0], fd(&|d| d.f[0]));
                close("theta 1", d.theta[t][1][0], fd(&|d| d.d1[0][0]));
                close("theta 2", d.theta[t][2][0], fd(&|d| d.d2[0][0]));
                close("theta 3", d.theta[t][3][0], fd(&|d| d.d3[0][0]));
                for u in 0..theta.len() {
                    for e in 0..3 {
                        close("theta2", d.theta2[pair(t, u)][e][0], fd(&|d| d.theta[u][e][0]));
                    }
                }
            }
        }
    }
}

#[test]
fn derivatives_agree_with_differences() {
    for link in ["logit", "probit", "cloglog", "cauchit"] {
        check(&format!(r#"{{"family":"binomial","link":"{link}"}}"#), &[0.0, 0.3, 1.0], &[&[-2.1], &[0.4], &[1.3]]);
    }
    for link in ["log", "identity", "sqrt"] {
        check(&format!(r#"{{"family":"poisson","link":"{link}"}}"#), &[0.0, 3.0], &[&[0.4], &[1.3]]);
        check(&format!(r#"{{"family":"nb","link":"{link}"}}"#), &[0.0, 3.0], &[&[0.4], &[1.3]]);
    }
    for link in ["inverse", "log", "identity"] {
        check(&format!(r#"{{"family":"Gamma","link":"{link}"}}"#), &[0.2, 3.0], &[&[0.4], &[1.3]]);
    }
    for link in ["1/mu^2", "inverse", "log", "identity"] {
        check(&format!(r#"{{"family":"inverse.gaussian","link":"{link}"}}"#), &[0.8, 3.0], &[&[0.7], &[1.3]]);
    }
    for link in ["log", "identity", "inverse"] {
        check(&format!(r#"{{"family":"gaussian","link":"{link}"}}"#), &[-0.2, 3.0], &[&[0.4], &[1.3]]);
    }
    for link in ["log", "identity", "inverse", "sqrt"] {
        check(&format!(r#"{{"family":"tw","link":"{link}"}}"#), &[0.0, 0.2, 3.0, 40.0], &[&[0.4], &[1.3]]);
    }
    check(r#"{"family":"tw","theta":[1.3]}"#, &[0.0, 3.0], &[&[0.4]]);
    check(r#"{"family":"tw","theta":[1.3,2.0]}"#, &[0.0, 3.0], &[&[0.4]]);
    for link in ["logit", "probit", "cloglog", "cauchit"] {
        check(&format!(r#"{{"family":"betar","link":"{link}","thetaStart":[3]}}"#), &[0.02, 0.6], &[&[-0.7], &[0.9]]);
    }
    check(r#"{"family":"ocat","classes":5}"#, &[0.0, 1.0, 2.0, 3.0, 4.0], &[&[-2.0], &[0.3], &[2.2]]);
    check(r#"{"family":"gaulss"}"#, &[0.3, -2.0], &[&[0.4, -0.5], &[-1.0, 1.2]]);
    check(r#"{"family":"multinom","classes":4}"#, &[0.0, 2.0], &[&[0.4, -0.5, 0.1], &[-1.0, 1.2, 0.3]]);
}

#[test]
fn saturated_derivatives_by_log_scale() {
    for text in [r#"{"family":"Gamma"}"#, r#"{"family":"inverse.gaussian"}"#, r#"{"family":"gaussian"}"#] {
        let f = from_options(&Json::parse(text).unwrap()).unwrap();
        let r = Response { y: &[0.5, 2.0, 1.1], w: &[1.0, 2.0, 0.5] };
        let at = |s: f64| f.saturated(r, s);
        let (h, s) = (1e-5, -0.7);
        let fd = |k: usize| (at(s + h)[k] - at(s - h)[k]) / (2.0 * h);
        close(text, at(s)[1], fd(0));
        close(text, at(s)[2], fd(1));
    }
}
