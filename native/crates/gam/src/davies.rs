//! Davies' numerical inversion for weighted sums of chi-square variables (Davies 1980, Applied Statistics 29, algorithm
//! AS 155), with its bounds on truncation and discretisation.
//!
//! `mixture` computes the same probability to full relative precision. This one exists because the reference implementation
//! prints probabilities at an absolute accuracy of 2e-5, and its users compare them digit by digit: truncation point and
//! step follow the published rules, so that the error is the same too.

use crate::mixture::ln_upper_tail;

/// Weight and degrees of freedom of one variable.
type Term = (f64, f64);

/// Absolute accuracy and most terms of the integration.
const ACCURACY: f64 = 2e-5;
const TERMS: f64 = 1e5;
/// ln(2) / 8
const LN2_8: f64 = 0.0866;

/// P(sum of weight × chi-square(df) > t), between 0 and 1; where the method fails, the exact value.
pub fn upper_tail(terms: &[Term], t: f64) -> f64 {
    match Davies::new(terms, t, ACCURACY).and_then(Davies::run) {
        Some(p) => (1.0 - p).clamp(0.0, 1.0),
        None => ln_upper_tail(terms, t).exp(),
    }
}

fn exp(x: f64) -> f64 {
    if x < -50.0 { 0.0 } else { x.exp() }
}

/// ln(1 + x) - x
fn ln_1p_less(x: f64) -> f64 {
    if x.abs() > 0.1 {
        return x.ln_1p() - x;
    }
    // Series in y = x / (2 + x).
    let y = x / (2.0 + x);
    let mut sum = -x * y;
    let (mut power, mut k) = (2.0 * y * y * y, 3.0);
    loop {
        let next = sum + power / k;
        if next == sum {
            return sum;
        }
        sum = next;
        power *= y * y;
        k += 2.0;
    }
}

struct Davies {
    terms: Vec<Term>,
    c: f64,
    accuracy: f64,
    mean: f64,
    sd: f64,
    /// Largest and smallest weight, at least and at most zero.
    high: f64,
    low: f64,
    /// Variance of the normal variable added as a convergence factor.
    variance: f64,
    integral: f64,
}

impl Davies {
    fn new(terms: &[Term], c: f64, accuracy: f64) -> Option<Davies> {
        let terms: Vec<Term> = terms.iter().copied().filter(|(w, n)| *w != 0.0 && *n > 0.0).collect();
        let sd = terms.iter().map(|(w, n)| 2.0 * n * w * w).sum::<f64>().sqrt();
        if !(sd > 0.0 && sd.is_finite() && c.is_finite()) {
            return None;
        }
        Some(Davies {
            mean: terms.iter().map(|(w, n)| w * n).sum(),
            high: terms.iter().fold(0.0, |m: f64, t| m.max(t.0)),
            low: terms.iter().fold(0.0, |m: f64, t| m.min(t.0)),
            terms,
            c,
            accuracy,
            sd,
            variance: 0.0,
            integral: 0.0,
        })
    }

    /// P(Q < c)
    fn run(mut self) -> Option<f64> {
        let mut accuracy = self.accuracy;
        let (mut up, mut down) = (4.5 / self.sd, -4.5 / self.sd);
        let mut end = self.truncation_point(16.0 / self.sd, 0.5 * accuracy);
        if self.c != 0.0 && self.high.max(-self.low) > 0.07 * self.sd {
            // Does a convergence factor help?
            if let Some(e) = self.factor_error(self.c) {
                let extra = 0.25 * accuracy / e;
                if self.truncation_error(end, extra) < 0.2 * accuracy {
                    self.variance += extra;
                    end = self.truncation_point(end, 0.25 * accuracy);
                }
            }
        }
        accuracy *= 0.5;
        let mut allowed = TERMS;
        loop {
            let above = self.cutoff(accuracy, &mut up) - self.c;
            if above < 0.0 {
                return Some(1.0);
            }
            let below = self.c - self.cutoff(accuracy, &mut down);
            if below < 0.0 {
                return Some(0.0);
            }
            let step = 2.0 * std::f64::consts::PI / above.max(below);
            let count = end / step;
            let coarse = 3.0 / accuracy.sqrt();
            if count > 1.5 * coarse {
                // An auxiliary integration with few terms lets the main one stop earlier.
                if coarse > allowed {
                    return None;
                }
                let terms = (coarse + 0.5).floor();
                let wide = end / terms;
                let x = 2.0 * std::f64::consts::PI / wide;
                let errors = if x > self.c.abs() {
                    self.factor_error(self.c - x).zip(self.factor_error(self.c + x))
                } else {
                    None
                };
                if let Some((a, b)) = errors {
                    let extra = 0.33 * accuracy / (1.1 * (a + b));
                    accuracy *= 0.67;
                    self.integrate(terms as usize, wide, Some(extra));
                    allowed -= coarse;
                    self.variance += extra;
                    end = self.truncation_point(end, 0.25 * accuracy);
                    accuracy *= 0.75;
                    continue;
                }
            }
            if count > allowed {
                return None;
            }
            self.integrate((count + 0.5).floor() as usize, step, None);
            return Some(0.5 - self.integral);
        }
    }

    /// Bound on a tail probability from the moment generating function at `u`, and the point it belongs to.
    fn tail_bound(&self, u: f64) -> (f64, f64) {
        let mut point = u * self.variance;
        let mut sum = u * point;
        let u = 2.0 * u;
        for (w, n) in self.terms.iter().rev() {
            let (x, y) = (u * w, 1.0 - u * w);
            point += w * n / y;
            sum += n * (x * x / y + ln_1p_less(-x));
        }
        (exp(-0.5 * sum), point)
    }

    /// A point beyond which less than `accuracy` lies, above for a positive `u` and below for a negative one.
    fn cutoff(&self, accuracy: f64, u: &mut f64) -> f64 {
        let bend = 2.0 * if *u > 0.0 { self.high } else { self.low };
        let at = |u: f64| self.tail_bound(u / (1.0 + u * bend));
        let (mut inner, mut c1) = (0.0, self.mean);
        let mut outer = *u;
        let mut c2;
        loop {
            let (bound, point) = at(outer);
            c2 = point;
            if bound <= accuracy {
                break;
            }
            (inner, c1) = (outer, point);
            outer *= 2.0;
        }
        while (c1 - self.mean) / (c2 - self.mean) < 0.9 {
            let middle = 0.5 * (inner + outer);
            let (bound, point) = at(middle);
            if bound > accuracy {
                (inner, c1) = (middle, point);
            } else {
                (outer, c2) = (middle, point);
            }
        }
        *u = outer;
        c2
    }

    /// Bound on the error of stopping the integral at `u` with a convergence factor `extra` beside the present one.
    fn truncation_error(&self, u: f64, extra: f64) -> f64 {
        let normal = (self.variance + extra) * u * u;
        let (mut near, mut far, mut exact, mut count) = (2.0 * normal, 0.0, 0.0, 0.0);
        for (w, n) in &self.terms {
            let x = (2.0 * u * w).powi(2);
            if x > 1.0 {
                far += n * x.ln();
                exact += n * x.ln_1p();
                count += n;
            } else {
                near += n * x.ln_1p();
            }
        }
        far += near;
        exact += near;
        let pi = std::f64::consts::PI;
        let (x, y) = (exp(-0.25 * far) / pi, exp(-0.25 * exact) / pi);
        let first = if count == 0.0 { 1.0 } else { 2.0 * x / count };
        let second = if exact > 1.0 { 2.5 * y } else { 1.0 };
        let half = 0.5 * normal;
        let third = if half <= y { 1.0 } else { y / half };
        first.min(second).min(third)
    }

    /// Where the integral may stop: within a factor 1.2 of the smallest point that the bound allows.
    fn truncation_point(&self, start: f64, accuracy: f64) -> f64 {
        let good = |u: f64| self.truncation_error(u, 0.0) <= accuracy;
        let mut end = start;
        if good(end / 4.0) {
            end /= 4.0;
            while good(end / 4.0) {
                end /= 4.0;
            }
        } else {
            while !good(end) {
                end *= 4.0;
            }
        }
        for d in [2.0, 1.4, 1.2, 1.1] {
            if good(end / d) {
                end /= d;
            }
        }
        end
    }

    fn integrate(&mut self, count: usize, step: f64, extra: Option<f64>) {
        for k in (0..=count).rev() {
            let u = (k as f64 + 0.5) * step;
            let (mut angle, mut size) = (-2.0 * u * self.c, -0.5 * self.variance * u * u);
            for (w, n) in self.terms.iter().rev() {
                let x = 2.0 * w * u;
                size -= 0.25 * n * (x * x).ln_1p();
                angle += n * x.atan();
            }
            let mut x = step / std::f64::consts::PI * exp(size) / u;
            if let Some(extra) = extra {
                x *= 1.0 - exp(-0.5 * extra * u * u);
            }
            self.integral += (0.5 * angle).sin() * x;
        }
    }

    /// Factor of the variance of a convergence factor in the error at `x`; `None` when it is too large to be of use.
    fn factor_error(&self, x: f64) -> Option<f64> {
        let mut order: Vec<&Term> = self.terms.iter().collect();
        order.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let sign = if x > 0.0 { 1.0 } else { -1.0 };
        let mut rest = x.abs();
        let mut sum = 0.0;
        for (j, (w, n)) in order.iter().enumerate().rev().filter(|(_, t)| t.0 * sign > 0.0) {
            let w = w.abs();
            let (without, least) = (rest - w * n, w / LN2_8);
            if without > least {
                rest = without;
                continue;
            }
            rest = rest.min(least);
            sum = (rest - without) / w + order[..j].iter().map(|t| t.1).sum::<f64>();
            break;
        }
        (sum <= 100.0).then(|| 2f64.powf(0.25 * sum) / (std::f64::consts::PI * rest * rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (weight, df) …, t and `mgcv::psum.chisq(t, weights, df)` of mgcv 1.8-41.
    #[test]
    fn the_same_digits_as_the_reference_implementation() {
        let ones = |w: &[f64]| -> Vec<Term> { w.iter().map(|w| (*w, 1.0)).collect() };
        let ratio = |w: &[f64], t: f64, n: f64| -> Vec<Term> { ones(w).into_iter().chain([(-t / n, n)]).collect() };
        let cases = [
            (ones(&[1.0, 1.0, 0.7, 0.3]), 5.0, 0.1600258268402863),
            (ones(&[1.0, 1.0, 1.0, 1.0, 0.8, 0.21]), 30.0, 9.711490975172765e-06),
            (ratio(&[1.0, 1.0, 0.8, 0.1], 30.0, 385.0), 0.0, 1.436521859243811e-06),
            (ones(&[2.0, 0.5]), 12.0, 0.01693775927775221),
            (ones(&[2.0, 0.5, 0.1]), 0.4, 0.8613933841969126),
            (ratio(&[0.9, 0.5, 0.2, 0.05, 0.01], 9.3, 70.0), 0.0, 0.00387887921604535),
            (ones(&[3.0, 1.2, 0.1]), 25.0, 0.005335462048730033),
            (ones(&[1.0, 1e-3]), 3.0, 0.08331787413710157),
            (ones(&[1.0, 1.0]), 60.0, 0.0),
            (ones(&[1.0, 0.4, 0.2]), 0.001, 0.9999659888285279),
            (vec![(4.0, 2.0), (-3.0, 5.0)], 1.0, 0.2178241484779397),
            (ones(&[1.0, 1.0, 1.0, 1.2, 0.6]), 28.0, 3.784844980048163e-05),
        ];
        for (terms, t, expected) in cases {
            let found = upper_tail(&terms, t);
            assert!((found - expected).abs() < 1e-12, "{terms:?} {t}: {found} {expected}");
            assert!((found - ln_upper_tail(&terms, t).exp()).abs() < ACCURACY, "{terms:?} {t}: {found}");
        }
    }
}
