//! The partial likelihood of Cox's proportional hazards model, ties by Breslow's (Peto's) rule: sums with their
//! derivatives for the criterion, residuals, baseline hazard. Rows come sorted from the longest time to the shortest, so
//! that a risk set is a beginning of the rows. One thread, one order of summation.
//!
//! At the event time j the rows at risk have the weights e_i / s0_j, e_i = exp(eta_i): the likelihood's derivatives are
//! the cumulants of their rows x_i under these weights (Cox 1972; Breslow 1974; Wood, Pya & Säfken 2016 for the criterion).

use x_simd::{Error, Job, Result, try_zeroed};

use crate::design::Design;
use crate::mat::{Mat, axpy, dot};
use crate::passes::{Data, Third, Working};
use crate::predict::Prediction;
use crate::rows::{BLOCK, Block, Layout, Rows, pair};

/// An event time.
struct Event {
    /// Rows at risk: all before this one.
    end: usize,
    deaths: f64,
    /// Sum of e over the rows at risk.
    s0: f64,
}

struct Sweep {
    eta: Vec<f64>,
    /// exp(eta - shift)
    e: Vec<f64>,
    shift: f64,
    events: Vec<Event>,
    /// First event at which a row is at risk no longer than that; `events.len()` = it never is.
    event: Vec<usize>,
}

fn linear(d: &Data, layout: &Layout, beta: &[f64], with_offset: bool) -> Result<Vec<f64>> {
    let offset = if with_offset { d.offset } else { &[] };
    crate::residuals::linear_predictors(d.rows, layout, beta, offset, 1, d.job)
}

impl Sweep {
    fn new(y: &[f64], w: &[f64], eta: Vec<f64>) -> Sweep {
        let shift = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let e: Vec<f64> = eta.iter().map(|x| (x - shift).exp()).collect();
        let n = y.len();
        let (mut events, mut event) = (Vec::new(), vec![0; n]);
        let (mut s0, mut from) = (0.0, 0);
        while from < n {
            let end = (from..n).find(|&i| y[i] != y[from]).unwrap_or(n);
            s0 += e[from..end].iter().sum::<f64>();
            let deaths: f64 = w[from..end].iter().sum();
            event[from..end].fill(events.len());
            if deaths > 0.0 {
                events.push(Event { end, deaths, s0 });
            }
            from = end;
        }
        Sweep { eta, e, shift, events, event }
    }

    /// For each row the sum of `value` over the events at which it is at risk.
    fn at_risk(&self, value: impl Fn(usize, &Event) -> f64) -> Vec<f64> {
        let mut after = vec![0.0; self.events.len() + 1];
        for (j, event) in self.events.iter().enumerate().rev() {
            after[j] = after[j + 1] + value(j, event);
        }
        self.event.iter().map(|&j| after[j]).collect()
    }

    /// Cumulative baseline hazard at each row's time, on the scale of `e`.
    fn hazard(&self) -> Vec<f64> {
        self.at_risk(|_, e| e.deaths / e.s0)
    }

    /// Running sums of `v` up to each event.
    fn running(&self, v: impl Fn(usize) -> f64) -> Vec<f64> {
        let (mut sum, mut at) = (0.0, 0);
        self.events
            .iter()
            .map(|event| {
                sum += (at..event.end).map(&v).sum::<f64>();
                at = event.end;
                sum
            })
            .collect()
    }

    fn negative_log_lik(&self, w: &[f64]) -> f64 {
        let own: f64 = w.iter().zip(&self.eta).map(|(w, e)| w * e).sum();
        self.events.iter().map(|e| e.deaths * (e.s0.ln() + self.shift)).sum::<f64>() - own
    }
}

/// Rows of the model matrix in order; `each` gets the row and its number.
fn each_row(d: &Data, layout: &Layout, rows: usize, mut each: impl FnMut(usize, &[f64])) -> Result<()> {
    for from in (0..rows).step_by(BLOCK) {
        d.job.check()?;
        let count = BLOCK.min(rows - from);
        let x = layout.dense(d.rows, from, count);
        (0..count).for_each(|i| each(from + i, x.row(i)));
    }
    Ok(())
}

/// Each block with its first row.
fn each_block(d: &Data, mut each: impl FnMut(&Block, usize)) -> Result<()> {
    let mut block = Block::default();
    for from in (0..d.n()).step_by(BLOCK) {
        d.job.check()?;
        d.rows.fill(from, BLOCK.min(d.n() - from), &mut block);
        each(&block, from);
    }
    Ok(())
}

fn add_outer(to: &mut Mat, a: f64, x: &[f64], y: &[f64]) {
    for (i, x) in x.iter().enumerate() {
        axpy(a * x, y, to.row_mut(i));
    }
}

pub fn working(d: &Data, layout: &Layout, beta: &[f64]) -> Result<Working> {
    let s = Sweep::new(d.y, d.w, linear(d, layout, beta, true)?);
    let f = s.negative_log_lik(d.w);
    if !f.is_finite() {
        let p = layout.width;
        return Ok(Working { f: f64::INFINITY, score: vec![0.0; p], gram: Mat::zeros(p, p) });
    }
    let hazard = s.hazard();
    let weights: Vec<f64> = s.e.iter().zip(&hazard).map(|(e, a)| e * a).collect();
    let (mut score, mut gram) = (vec![0.0; layout.raw_width], layout.empty_gram()?);
    let mut parts = vec![Vec::new()];
    each_block(d, |block, from| {
        let own = from..from + block.rows;
        parts[0] = weights[own.clone()].to_vec();
        layout.add_gram(block, &parts, &mut gram);
        let residual: Vec<f64> = own.map(|i| weights[i] - d.w[i]).collect();
        layout.add_tmul(block, 0, &residual, &mut score);
    })?;
    let mut gram = layout.fold_gram(&gram);
    let mut s1 = vec![0.0; layout.width];
    let (mut next, mut means) = (0, Vec::new());
    let rows = s.events.last().map_or(0, |e| e.end);
    each_row(d, layout, rows, |i, x| {
        axpy(s.e[i], x, &mut s1);
        if s.events[next].end == i + 1 {
            let event = &s.events[next];
            let root = event.deaths.sqrt() / event.s0;
            means.extend(s1.iter().map(|x| root * x));
            next += 1;
            if means.len() >= BLOCK * s1.len() {
                subtract(&mut means, &mut gram);
            }
        }
    })?;
    subtract(&mut means, &mut gram);
    gram.symmetrise();
    Ok(Working { f, score: layout.fold_vec(&score), gram })
}

/// gram -= M'M for the rows of M, which are used up.
fn subtract(rows: &mut Vec<f64>, gram: &mut Mat) {
    let p = gram.cols;
    let minus = vec![-1.0; rows.len() / p];
    crate::kernels::outer_dense(x_simd::Level::get(), &minus, rows, p, rows, p, &mut gram.data);
    rows.clear();
}

/// See `Data::third`; `inverse` is the P of the criterion.
pub fn third(d: &Data, layout: &Layout, beta: &[f64], inverse: &Mat, directions: &[Vec<f64>]) -> Result<Third> {
    let (nd, p) = (directions.len(), layout.width);
    let pairs = nd * (nd + 1) / 2;
    let s = Sweep::new(d.y, d.w, linear(d, layout, beta, true)?);
    let along: Vec<Vec<f64>> = directions.iter().map(|u| linear(d, layout, u, false)).collect::<Result<_>>()?;
    let hazard = s.hazard();
    // Means of the directions over the risk sets, m_u, and of their products.
    let first: Vec<Vec<f64>> = along.iter().map(|u| mean(&s, s.running(|i| s.e[i] * u[i]))).collect();
    let mut second = vec![Vec::new(); pairs];
    for u in 0..nd {
        for v in 0..=u {
            second[pair(u, v)] = mean(&s, s.running(|i| s.e[i] * along[u][i] * along[v][i]));
        }
    }
    // First and second derivatives of the hazard.
    let slope: Vec<Vec<f64>> = first.iter().map(|m| s.at_risk(|j, e| -e.deaths / e.s0 * m[j])).collect();
    let bend = |u: usize, v: usize| {
        s.at_risk(|j, e| e.deaths / e.s0 * (2.0 * first[u][j] * first[v][j] - second[pair(u, v)][j]))
    };
    let cells = layout.cells_of(inverse)?;
    let mut leverage = Vec::with_capacity(d.n());
    let mut pull = vec![0.0; layout.raw_width];
    let mut grams = (0..nd).map(|_| layout.empty_gram()).collect::<Result<Vec<_>>>()?;
    let (mut h, mut row) = (vec![Vec::new()], vec![Vec::new()]);
    each_block(d, |block, from| {
        layout.quadratic(block, &cells, &mut h);
        let own = from..from + block.rows;
        leverage.extend_from_slice(&h[0]);
        row[0] = own.clone().map(|i| h[0][i - from] * s.e[i] * hazard[i]).collect();
        layout.add_tmul(block, 0, &row[0], &mut pull);
        for (u, gram) in grams.iter_mut().enumerate() {
            row[0] = own.clone().map(|i| s.e[i] * (along[u][i] * hazard[i] + slope[u][i])).collect();
            layout.add_gram(block, &row, gram);
        }
    })?;
    let mut out = Third {
        pull: layout.fold_vec(&pull),
        grams: grams.iter().map(|g| layout.fold_gram(g)).collect(),
        scores: vec![Vec::new(); pairs],
        traces: vec![0.0; pairs],
        theta_f: Vec::new(),
        theta_trace: Vec::new(),
        theta_cross: Mat::zeros(nd, 0),
    };
    for u in 0..nd {
        for v in 0..=u {
            let bend = bend(u, v);
            out.traces[pair(u, v)] = (0..d.n())
                .map(|i| {
                    let (a, b) = (along[u][i], along[v][i]);
                    leverage[i] * s.e[i] * (a * b * hazard[i] + a * slope[v][i] + b * slope[u][i] + bend[i])
                })
                .sum();
        }
    }
    let mut sums = Moments::new(p, nd);
    let mut next = 0;
    let rows = s.events.last().map_or(0, |e| e.end);
    each_row(d, layout, rows, |i, x| {
        sums.add(s.e[i], leverage[i], &along, i, x);
        if s.events[next].end == i + 1 {
            let m: Vec<f64> = first.iter().map(|m| m[next]).collect();
            let mm: Vec<f64> = second.iter().map(|m| m[next]).collect();
            sums.subtract(&s.events[next], inverse, &m, &mm, &mut out);
            next += 1;
        }
    })?;
    out.grams.iter_mut().for_each(Mat::symmetrise);
    for u in 0..nd {
        for v in 0..=u {
            out.scores[pair(u, v)] = out.grams[u].mul_vec(&directions[v]);
        }
    }
    Ok(out)
}

fn mean(s: &Sweep, mut sums: Vec<f64>) -> Vec<f64> {
    sums.iter_mut().zip(&s.events).for_each(|(x, e)| *x /= e.s0);
    sums
}

/// Running sums over the rows at risk of e x, e h, e xx', e eta_u x and e eta_u eta_v x.
struct Moments {
    s1: Vec<f64>,
    h: f64,
    s2: Mat,
    along: Vec<Vec<f64>>,
    both: Vec<Vec<f64>>,
}

impl Moments {
    fn new(p: usize, nd: usize) -> Moments {
        Moments {
            s1: vec![0.0; p],
            h: 0.0,
            s2: Mat::zeros(p, p),
            along: vec![vec![0.0; p]; nd],
            both: vec![vec![0.0; p]; nd * (nd + 1) / 2],
        }
    }

    fn add(&mut self, e: f64, h: f64, along: &[Vec<f64>], i: usize, x: &[f64]) {
        axpy(e, x, &mut self.s1);
        self.h += e * h;
        add_outer(&mut self.s2, e, x, x);
        for (u, values) in along.iter().enumerate() {
            let a = e * values[i];
            axpy(a, x, &mut self.along[u]);
            for (v, other) in along.iter().enumerate().take(u + 1) {
                axpy(a * other[i], x, &mut self.both[pair(u, v)]);
            }
        }
    }

    /// What the outer product of the mean of x contributes at an event.
    fn subtract(&self, event: &Event, inverse: &Mat, m: &[f64], mm: &[f64], out: &mut Third) {
        let (deaths, over) = (event.deaths, 1.0 / event.s0);
        let x: Vec<f64> = self.s1.iter().map(|s| s * over).collect();
        let px = inverse.mul_vec(&x);
        let q = dot(&px, &x);
        axpy(-deaths * self.h * over + 2.0 * deaths * q, &x, &mut out.pull);
        axpy(-2.0 * deaths * over, &self.s2.mul_vec(&px), &mut out.pull);
        let slopes: Vec<Vec<f64>> =
            self.along.iter().zip(m).map(|(s, m)| s.iter().zip(&x).map(|(s, x)| s * over - x * m).collect()).collect();
        let inner: Vec<f64> = self.along.iter().map(|s| dot(s, &px) * over).collect();
        for (u, slope) in slopes.iter().enumerate() {
            add_outer(&mut out.grams[u], -deaths, slope, &x);
            add_outer(&mut out.grams[u], -deaths, &x, slope);
            let p_slope = inverse.mul_vec(slope);
            for v in 0..=u {
                let at = pair(u, v);
                let second = dot(&self.both[at], &px) * over - inner[u] * m[v] - inner[v] * m[u] - q * mm[at]
                    + 2.0 * q * m[u] * m[v];
                out.traces[at] -= 2.0 * deaths * (second + dot(&slopes[v], &p_slope));
            }
        }
    }
}

/// Martingale residuals: event minus expected number of events.
pub fn martingale(y: &[f64], w: &[f64], eta: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|&a, &b| y[b].total_cmp(&y[a]));
    let take = |x: &[f64]| -> Vec<f64> { order.iter().map(|&i| x[i]).collect() };
    let s = Sweep::new(&take(y), &take(w), take(eta));
    let hazard = s.hazard();
    let mut out = vec![0.0; y.len()];
    for (k, &i) in order.iter().enumerate() {
        out[i] = w[i] - hazard[k] * s.e[k];
    }
    out
}

/// Deviance residual of a martingale residual.
pub fn deviance_residual(martingale: f64, event: f64) -> f64 {
    let log = if event > 0.0 { event * (event - martingale).ln() } else { 0.0 };
    martingale.signum() * (-2.0 * (martingale + log)).max(0.0).sqrt()
}

/// Log partial likelihood; rows by descending time.
pub fn log_lik(y: &[f64], w: &[f64], eta: &[f64]) -> f64 {
    -Sweep::new(y, w, eta.to_vec()).negative_log_lik(w)
}

/// Sum of squared deviance residuals.
pub fn deviance(y: &[f64], w: &[f64], eta: &[f64]) -> f64 {
    martingale(y, w, eta).iter().zip(w).map(|(m, w)| deviance_residual(*m, *w).powi(2)).sum()
}

/// What survival predictions need, one row an event time, ascending: the time, the cumulative baseline hazard, the sum of
/// deaths / s0², and the sum of deaths / s0 times the mean row at risk (one value a coefficient).
pub fn baseline(d: &Data, layout: &Layout, beta: &[f64]) -> Result<Vec<f64>> {
    let s = Sweep::new(d.y, d.w, linear(d, layout, beta, true)?);
    let (p, scale) = (layout.width, (-s.shift).exp());
    let width = p + 3;
    let mut out = vec![0.0; s.events.len() * width];
    let (mut s1, mut next) = (vec![0.0; p], 0);
    let rows = s.events.last().map_or(0, |e| e.end);
    let count = s.events.len();
    each_row(d, layout, rows, |i, x| {
        axpy(s.e[i], x, &mut s1);
        if s.events[next].end == i + 1 {
            let (event, row) = (&s.events[next], &mut out[(count - 1 - next) * width..][..width]);
            row[0] = d.y[i];
            row[1] = event.deaths / event.s0 * scale;
            row[2] = event.deaths / (event.s0 * event.s0) * scale * scale;
            axpy(event.deaths / (event.s0 * event.s0) * scale, &s1, &mut row[3..]);
            next += 1;
        }
    })?;
    for j in 1..count {
        let (before, row) = out.split_at_mut(j * width);
        axpy(1.0, &before[(j - 1) * width + 1..], &mut row[1..width]);
    }
    Ok(out)
}

/// Survival probabilities of the rows of a design at `times` (rows × times), with standard errors where `v` is given:
/// the delta method over coefficients and baseline hazard (Andersen & Gill 1982), as mgcv's.
#[allow(clippy::too_many_arguments)]
pub fn survival(
    design: &Design,
    baseline: &[f64],
    beta: &[f64],
    v: &[f64],
    offset: &[f64],
    times: &[f64],
    job: &Job,
) -> Result<Prediction> {
    let link = crate::predict::predict(design, beta, &[], offset, &[], job)?;
    let (n, p) = (design.rows(), beta.len());
    if !baseline.len().is_multiple_of(p + 3) || !(v.is_empty() || v.len() == p * p) {
        return Err(Error::new("SHAPE", "baseline hazard, coefficients and covariance do not belong together"));
    }
    let events: Vec<&[f64]> = baseline.chunks_exact(p + 3).collect();
    let at = |t: &f64| events.partition_point(|e| e[0] <= *t).checked_sub(1).map(|j| events[j]);
    let known: Vec<Option<&[f64]>> = times.iter().map(at).collect();
    let mut fit = try_zeroed(n * times.len())?;
    let mut se = try_zeroed(if v.is_empty() { 0 } else { n * times.len() })?;
    let v = Mat { rows: v.len() / p.max(1), cols: p, data: v.to_vec() };
    // V a and a'V a for each time.
    let means: Vec<(Vec<f64>, f64)> = known
        .iter()
        .map(|e| match e.filter(|_| v.rows > 0) {
            Some(e) => {
                let va = v.mul_vec(&e[3..]);
                let ava = dot(&va, &e[3..]);
                (va, ava)
            }
            None => (Vec::new(), 0.0),
        })
        .collect();
    for i in 0..n {
        if i % BLOCK == 0 {
            job.check()?;
        }
        let ratio = link.fit[i].exp();
        for (k, e) in known.iter().enumerate() {
            fit[i * times.len() + k] = e.map_or(1.0, |e| (-e[1] * ratio).exp());
        }
        if v.rows == 0 {
            continue;
        }
        let x = design.layout().dense(design, i, 1);
        let vx = dot(&v.mul_vec(x.row(0)), x.row(0));
        for (k, e) in known.iter().enumerate() {
            let Some(e) = e else { continue };
            let (va, ava) = &means[k];
            let spread = e[2] + ava - 2.0 * e[1] * dot(va, x.row(0)) + e[1] * e[1] * vx;
            se[i * times.len() + k] = fit[i * times.len() + k] * ratio * spread.max(0.0).sqrt();
        }
    }
    Ok(Prediction { fit, se })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::from_options;
    use crate::json::object;

    struct Dense(Mat, Layout);

    impl Rows for Dense {
        fn rows(&self) -> usize {
            self.0.rows
        }
        fn layout(&self) -> &Layout {
            &self.1
        }
        fn fill(&self, from: usize, rows: usize, block: &mut Block) {
            block.rows = rows;
            block.windows.resize_with(1, Default::default);
            block.windows[0].place = vec![0; rows];
            block.windows[0].values = self.0.data[from * self.0.cols..(from + rows) * self.0.cols].to_vec();
        }
    }

    #[test]
    fn derivatives_match_differences() {
        let (n, p) = (60, 3);
        let x = Mat::from_fn(n, p, |i, j| ((i * (j + 2)) as f64 * 0.37 + j as f64).sin());
        let mut layout = Layout::new(1);
        layout.push(1, p, p, 0, None);
        let rows = Dense(x, layout.clone());
        let y: Vec<f64> = (0..n).map(|i| (30 - i / 2) as f64).collect();
        let w: Vec<f64> = (0..n).map(|i| f64::from(i % 3 != 1)).collect();
        let family = from_options(&object([("family", "cox.ph".into())])).unwrap();
        let job = Job::default();
        let d = Data { rows: &rows, family: &*family, y: &y, w: &w, offset: &[], job: &job };
        let beta = [0.4, -0.7, 0.2];
        let at = |b: &[f64]| working(&d, &layout, b).unwrap();
        let moved = |u: &[f64], h: f64| -> Vec<f64> { beta.iter().zip(u).map(|(b, u)| b + h * u).collect() };
        let now = at(&beta);
        let h = 1e-5;
        let units = [vec![1.0, 0.0, 0.0], vec![0.3, -1.0, 0.5]];
        let inverse = Mat::from_fn(p, p, |i, j| if i == j { 1.0 + i as f64 } else { 0.2 });
        let third = third(&d, &layout, &beta, &inverse, &units).unwrap();
        for (u, unit) in units.iter().enumerate() {
            let (up, down) = (at(&moved(unit, h)), at(&moved(unit, -h)));
            assert!(((up.f - down.f) / (2.0 * h) - dot(&now.score, unit)).abs() < 1e-8);
            let bend = now.gram.mul_vec(unit);
            for i in 0..p {
                assert!(((up.score[i] - down.score[i]) / (2.0 * h) - bend[i]).abs() < 1e-7);
                for j in 0..p {
                    let slope = (up.gram[(i, j)] - down.gram[(i, j)]) / (2.0 * h);
                    assert!((slope - third.grams[u][(i, j)]).abs() < 1e-7, "{u} {i} {j}");
                }
            }
            assert!((dot(&third.pull, unit) - inverse.trace_with(&third.grams[u])).abs() < 1e-10);
            for (v, other) in units.iter().enumerate().take(u + 1) {
                let slope = |step: f64| {
                    let t = super::third(&d, &layout, &moved(other, step), &inverse, &units).unwrap();
                    inverse.trace_with(&t.grams[u])
                };
                let want = (slope(h) - slope(-h)) / (2.0 * h);
                assert!((want - third.traces[pair(u, v)]).abs() < 1e-6, "{u} {v}");
            }
        }
    }
}
