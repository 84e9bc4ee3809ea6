//! Truncated Taylor series in the linear predictor (order 4) and, for `T` = 3, in one family parameter (order 2): a
//! family writes its log likelihood once and has every derivative that REML and its Hessian need.

use std::ops::{Add, Mul, Neg, Sub};

/// Coefficients c[t][e] of theta^t eta^e around the point of expansion.
#[derive(Debug, Clone, Copy)]
pub struct Jet<const T: usize>(pub [[f64; 5]; T]);

/// Order at which every product of nilpotent parts vanishes.
const DEPTH: usize = 7;

impl<const T: usize> Jet<T> {
    pub fn constant(x: f64) -> Self {
        let mut c = [[0.0; 5]; T];
        c[0][0] = x;
        Jet(c)
    }

    /// The linear predictor at `x`.
    pub fn eta(x: f64) -> Self {
        let mut j = Self::constant(x);
        j.0[0][1] = 1.0;
        j
    }

    /// From Taylor coefficients in the linear predictor.
    pub fn series(c: [f64; 5]) -> Self {
        let mut out = Self::constant(0.0);
        out.0[0] = c;
        out
    }

    pub fn value(&self) -> f64 {
        self.0[0][0]
    }

    /// Mixed derivative: `t` times by the parameter, `e` times by the linear predictor.
    pub fn derivative(&self, t: usize, e: usize) -> f64 {
        const FACTORIAL: [f64; 5] = [1.0, 1.0, 2.0, 6.0, 24.0];
        self.0[t][e] * FACTORIAL[t] * FACTORIAL[e]
    }

    /// g(self) from the derivatives of g at the value.
    pub fn compose(&self, g: [f64; DEPTH]) -> Self {
        let mut delta = *self;
        delta.0[0][0] = 0.0;
        let depth = if T == 1 { 5 } else { DEPTH };
        let mut out = Self::constant(0.0);
        let factorial = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0];
        // Horner's scheme.
        for k in (0..depth).rev() {
            out = out * delta;
            out.0[0][0] += g[k] / factorial[k];
        }
        out
    }

    pub fn exp(&self) -> Self {
        self.compose([self.value().exp(); DEPTH])
    }

    pub fn ln(&self) -> Self {
        let x = self.value();
        let r = 1.0 / x;
        let mut g = [x.ln(), r, 0.0, 0.0, 0.0, 0.0, 0.0];
        for k in 2..DEPTH {
            g[k] = -g[k - 1] * (k - 1) as f64 * r;
        }
        self.compose(g)
    }

    pub fn powf(&self, p: f64) -> Self {
        let x = self.value();
        let mut g = [x.powf(p); DEPTH];
        for k in 1..DEPTH {
            g[k] = g[k - 1] * (p - (k - 1) as f64) / x;
        }
        self.compose(g)
    }

    pub fn recip(&self) -> Self {
        self.powf(-1.0)
    }

    pub fn scale(&self, a: f64) -> Self {
        Jet(self.0.map(|row| row.map(|x| a * x)))
    }

    pub fn shift(&self, a: f64) -> Self {
        let mut out = *self;
        out.0[0][0] += a;
        out
    }

    pub fn ln_gamma(&self) -> Self {
        let x = self.value();
        let mut g = [x_stats::ln_gamma(x); DEPTH];
        for (k, g) in g.iter_mut().enumerate().skip(1) {
            *g = polygamma(k - 1, x);
        }
        self.compose(g)
    }
}

impl Jet<3> {
    /// The family parameter at `x`.
    pub fn theta(x: f64) -> Self {
        let mut j = Self::constant(x);
        j.0[1][0] = 1.0;
        j
    }
}

impl<const T: usize> Add for Jet<T> {
    type Output = Self;
    fn add(mut self, b: Self) -> Self {
        for (a, b) in self.0.iter_mut().flatten().zip(b.0.iter().flatten()) {
            *a += b;
        }
        self
    }
}

impl<const T: usize> Sub for Jet<T> {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self + b.scale(-1.0)
    }
}

impl<const T: usize> Neg for Jet<T> {
    type Output = Self;
    fn neg(self) -> Self {
        self.scale(-1.0)
    }
}

impl<const T: usize> Mul for Jet<T> {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        let mut out = [[0.0; 5]; T];
        for s in 0..T {
            for t in 0..T - s {
                for i in 0..5 {
                    for j in 0..5 - i {
                        out[s + t][i + j] += self.0[s][i] * b.0[t][j];
                    }
                }
            }
        }
        Jet(out)
    }
}

/// The derivative of order `n` of the digamma function, for x > 0: recurrence up to 12, then the asymptotic series
/// (Abramowitz & Stegun 6.4.11).
pub fn polygamma(n: usize, x: f64) -> f64 {
    const BERNOULLI: [f64; 8] =
        [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0, -3617.0 / 510.0];
    let sign = if n.is_multiple_of(2) { -1.0 } else { 1.0 };
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let mut x = x;
    let mut sum = 0.0;
    let start = 14.0 + n as f64;
    while x < start {
        sum += sign * factorial(n) / x.powi(n as i32 + 1);
        x += 1.0;
    }
    let power = x.powi(n as i32);
    sum += if n == 0 { x.ln() } else { sign * factorial(n - 1) / power };
    sum += sign * factorial(n) / (2.0 * power * x);
    let mut term = power;
    for (i, b) in BERNOULLI.iter().enumerate() {
        let k = 2 * (i + 1);
        term *= x * x;
        // (2k + n - 1)! / (2k)!
        let ratio = (1..n).map(|j| (k + j) as f64).product::<f64>() / if n == 0 { k as f64 } else { 1.0 };
        sum += sign * b * ratio / term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polygamma_values() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13 * b.abs().max(1.0), "{a} {b}");
        close(polygamma(0, 1.0), -0.577_215_664_901_532_9);
        close(polygamma(1, 1.0), std::f64::consts::PI.powi(2) / 6.0);
        close(polygamma(2, 1.0), -2.404_113_806_319_188_6);
        close(polygamma(3, 0.5), std::f64::consts::PI.powi(4));
        close(polygamma(5, 1.0), 120.0 * 1.017_343_061_984_449);
    }

    #[test]
    fn mixed_derivatives_of_a_product() {
        // f = exp(eta * theta) + ln(eta + theta) at (0.5, 2).
        let (e, t) = (Jet::<3>::eta(0.5), Jet::<3>::theta(2.0));
        let f = (e * t).exp() + (e + t).ln();
        let x = 1f64.exp();
        assert!((f.derivative(0, 4) - (16.0 * x - 6.0 / 2.5f64.powi(4))).abs() < 1e-10);
        // d/dtheta d2/deta2 of theta^2 exp = 2 theta exp + theta^2 eta exp; of ln: 2 / s^3.
        assert!((f.derivative(1, 2) - (4.0 * x + 2.0 * x + 2.0 / 2.5f64.powi(3))).abs() < 1e-10);
    }
}
