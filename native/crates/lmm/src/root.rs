//! Root of the likelihood's derivative inside one interval, along the path GEMMA takes (spec: Brent's method until the
//! interval is within 10 %, then Newton steps until one is below 1e-5; the point *before* the last step is kept).
//! Where Newton fails, which gives nan there, Brent's method goes on to full precision here.

/// A function of lambda with its derivative.
pub trait Function {
    fn value(&mut self, x: f64) -> f64;
    fn value_and_slope(&mut self, x: f64) -> (f64, f64);
}

const ROUGH: f64 = 1e-1;
const NEWTON: f64 = 1e-5;
const FULL: f64 = 1e-12;
const STEPS: usize = 100;

/// `low`, `high`: (x, value) at the ends, of opposite signs. `bounds`: where Newton may go. The function's last
/// evaluation is at the returned point, with its slope.
pub fn find(f: &mut impl Function, low: (f64, f64), high: (f64, f64), bounds: (f64, f64)) -> f64 {
    let start = brent(f, low, high, ROUGH);
    newton(f, start, bounds).unwrap_or_else(|| {
        let root = brent(f, low, high, FULL);
        f.value_and_slope(root);
        root
    })
}

fn newton(f: &mut impl Function, start: f64, bounds: (f64, f64)) -> Option<f64> {
    let mut x = start;
    for _ in 0..STEPS {
        let (value, slope) = f.value_and_slope(x);
        let next = x - value / slope;
        if !(next > bounds.0 && next < bounds.1) {
            return None;
        }
        if (next - x).abs() < NEWTON * next {
            return Some(x);
        }
        x = next;
    }
    None
}

/// Brent (1973), "Algorithms for minimization without derivatives", chapter 4: until the bracket is narrower than
/// `relative` times its smaller end.
fn brent(f: &mut impl Function, low: (f64, f64), high: (f64, f64), relative: f64) -> f64 {
    let ((mut a, mut fa), (mut b, mut fb)) = (low, high);
    let (mut c, mut fc) = (b, fb);
    let (mut step, mut previous) = (b - a, b - a);
    for _ in 0..STEPS {
        if (fb > 0.0) == (fc > 0.0) && fb != 0.0 {
            (c, fc) = (a, fa);
            step = b - a;
            previous = step;
        }
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let tolerance = 0.5 * f64::EPSILON * b.abs();
        let half = 0.5 * (c - b);
        if fb == 0.0 || half.abs() <= tolerance {
            return b;
        }
        if previous.abs() < tolerance || fa.abs() <= fb.abs() {
            (step, previous) = (half, half);
        } else {
            let s = fb / fa;
            let (mut p, mut q) = if a == c {
                (2.0 * half * s, 1.0 - s)
            } else {
                let (q, r) = (fa / fc, fb / fc);
                (s * (2.0 * half * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
            };
            if p > 0.0 {
                q = -q
            } else {
                p = -p
            }
            if 2.0 * p < (3.0 * half * q - (tolerance * q).abs()).min((previous * q).abs()) {
                (previous, step) = (step, p / q);
            } else {
                (step, previous) = (half, half);
            }
        }
        (a, fa) = (b, fb);
        b += if step.abs() > tolerance { step } else { tolerance.copysign(half) };
        fb = f.value(b);
        let other = if (fb > 0.0) == (fc > 0.0) { a } else { c };
        if (b - other).abs() < relative * b.abs().min(other.abs()) {
            return b;
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::{Function, find};

    struct Test(fn(f64) -> (f64, f64));

    impl Function for Test {
        fn value(&mut self, x: f64) -> f64 {
            self.0(x).0
        }

        fn value_and_slope(&mut self, x: f64) -> (f64, f64) {
            self.0(x)
        }
    }

    fn root(f: fn(f64) -> (f64, f64), low: f64, high: f64) -> f64 {
        find(&mut Test(f), (low, f(low).0), (high, f(high).0), (1e-5, 1e5))
    }

    #[test]
    fn newton_refines_brent() {
        let x = root(|x| (x.ln() - 1.0, 1.0 / x), 1.0, 10.0);
        assert!((x / std::f64::consts::E - 1.0).abs() < 1e-5);
    }

    #[test]
    fn where_newton_leaves_the_bounds_or_cycles_brent_finishes() {
        // Slopes of 0, of the wrong sign, and NaN.
        for f in [
            |x: f64| (x * x - 2.0, 0.0),
            |x: f64| (x * x - 2.0, -1e-3),
            |x: f64| (x * x - 2.0, f64::NAN),
            |x: f64| (x * x - 2.0, (x * x - 2.0) * if x > std::f64::consts::SQRT_2 { 1.0 } else { -1.0 }),
        ] {
            assert!((root(f, 1.0, 10.0) - std::f64::consts::SQRT_2).abs() < 1e-11);
        }
    }
}
