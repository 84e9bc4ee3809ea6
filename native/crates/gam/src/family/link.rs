//! Link functions as Taylor series of the inverse link.

use x_stats::{ln_normal_cdf, ln_normal_sf};

use crate::jet::Jet;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    Identity,
    Log,
    Inverse,
    Sqrt,
    InverseSquare,
    Logit,
    Probit,
    Cloglog,
    Cauchit,
}

const NAMES: [(Link, &str); 9] = [
    (Link::Identity, "identity"),
    (Link::Log, "log"),
    (Link::Inverse, "inverse"),
    (Link::Sqrt, "sqrt"),
    (Link::InverseSquare, "1/mu^2"),
    (Link::Logit, "logit"),
    (Link::Probit, "probit"),
    (Link::Cloglog, "cloglog"),
    (Link::Cauchit, "cauchit"),
];

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

impl Link {
    pub fn named(name: &str) -> Option<Link> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(l, _)| *l)
    }

    pub fn name(&self) -> &'static str {
        NAMES.iter().find(|(l, _)| l == self).expect("every link has a name").1
    }

    /// Mean as a series in the linear predictor.
    pub fn mean<const T: usize>(self, eta: f64) -> Jet<T> {
        let x = Jet::eta(eta);
        match self {
            Link::Identity => x,
            Link::Log => x.exp(),
            Link::Inverse => x.recip(),
            Link::Sqrt => x * x,
            Link::InverseSquare => x.powf(-0.5),
            Link::Logit | Link::Probit | Link::Cloglog | Link::Cauchit => self.log_probabilities::<T>(eta).0.exp(),
        }
    }

    /// Linear predictor of a mean.
    pub fn eta(self, mu: f64) -> f64 {
        match self {
            Link::Identity => mu,
            Link::Log => mu.ln(),
            Link::Inverse => 1.0 / mu,
            Link::Sqrt => mu.sqrt(),
            Link::InverseSquare => 1.0 / (mu * mu),
            Link::Logit => (mu / (1.0 - mu)).ln(),
            // A start value only: the logistic approximation will do.
            Link::Probit => (mu / (1.0 - mu)).ln() * 0.6,
            Link::Cloglog => (-(-mu).ln_1p()).ln(),
            Link::Cauchit => ((mu - 0.5) * std::f64::consts::PI).tan(),
        }
    }

    /// ln(mu) and ln(1 - mu) of the links of a probability, without cancellation in either tail.
    pub fn log_probabilities<const T: usize>(self, eta: f64) -> (Jet<T>, Jet<T>) {
        match self {
            Link::Logit => {
                // ln mu = -ln(1 + e^-eta); its derivative is 1 - mu.
                let p = 1.0 / (1.0 + (-eta).exp());
                let q = 1.0 / (1.0 + eta.exp());
                let v = p * q;
                let rest = [-v / 2.0, -v * (q - p) / 6.0, -v * (1.0 - 6.0 * v) / 24.0];
                let soft = |x: f64| if x > 0.0 { -(-x).exp().ln_1p() } else { x - x.exp().ln_1p() };
                (
                    Jet::series([soft(eta), q, rest[0], rest[1], rest[2]]),
                    Jet::series([soft(-eta), -p, rest[0], rest[1], rest[2]]),
                )
            }
            Link::Probit => {
                let upper = log_normal_series(-eta);
                let mirrored = std::array::from_fn(|k| if k % 2 == 1 { -upper[k] } else { upper[k] });
                (Jet::series(log_normal_series(eta)), Jet::series(mirrored))
            }
            Link::Log => {
                // 1 - mu = -(e^eta - 1); all its derivatives are -e^eta.
                let e = eta.exp();
                let rest = Jet::series([-eta.exp_m1(), -e, -e / 2.0, -e / 6.0, -e / 24.0]);
                (Jet::eta(eta), rest.ln())
            }
            Link::Cloglog => {
                let t = Jet::<T>::eta(eta).exp();
                let x = t.value();
                let q = 1.0 / x.exp_m1();
                let a = q * (1.0 + q);
                let ln = if x > 0.5 { (-(-x).exp()).ln_1p() } else { (-(-x).exp_m1()).ln() };
                let g = [ln, q, -a, a * (1.0 + 2.0 * q), -a * (1.0 + 6.0 * a), 0.0, 0.0];
                (t.compose(g), -t)
            }
            _ => {
                // Cauchit: mu = 1/2 + atan(eta)/pi; 1/(1 + eta^2) integrated term by term.
                let x = Jet::<1>::eta(eta);
                let slope = (x * x).shift(1.0).recip().0[0];
                let pi = std::f64::consts::PI;
                let side = |sign: f64| {
                    let z = sign * eta;
                    let value = if z < -1.0 { (-1.0 / z).atan() / pi } else { 0.5 + z.atan() / pi };
                    let mut c = [value; 5];
                    for k in 1..5 {
                        c[k] = sign * slope[k - 1] / (k as f64 * pi);
                    }
                    Jet::<T>::series(c).ln()
                };
                (side(1.0), side(-1.0))
            }
        }
    }
}

/// Taylor coefficients of ln Phi at x: its derivative m = phi / Phi obeys m' = -m (x + m).
fn log_normal_series(x: f64) -> [f64; 5] {
    let ln = if x > 0.0 { ln_normal_cdf(x) } else { ln_normal_sf(-x) };
    let mut m = [0.0; 4];
    m[0] = (-0.5 * x * x - LN_SQRT_2PI - ln).exp();
    for k in 0..3 {
        let mut s = x * m[k];
        if k > 0 {
            s += m[k - 1];
        }
        for i in 0..=k {
            s += m[i] * m[k - i];
        }
        m[k + 1] = -s / (k + 1) as f64;
    }
    [ln, m[0], m[1] / 2.0, m[2] / 3.0, m[3] / 4.0]
}
