//! Coordinates: in-space ones first, then the constant, then the axes that covariates and phenotypes add outside the
//! range of K, last what is left of a variant. Eigenvalues of all but the in-space ones are 0.

use rayon::prelude::*;
use x_dense::SquareMatrix;
use x_genotype::SnpSet;
use x_simd::{Error, Job, Result, try_zeroed, with_pool};

/// GEMMA's threshold: smaller eigenvalues count as 0.
const ZERO_BELOW: f64 = 1e-10;
/// A column is constant when its centred sum of squares is below this share of its sum of squares.
const CONSTANT: f64 = 1e-24;
/// An axis is left out when less than this share of its column's centred sum of squares lies along it: it is rounding.
const ROUNDING: f64 = 1e-13;

/// A kinship of analysed people by its variants.
#[derive(Clone, Copy)]
pub struct DualKinship<'a> {
    /// Variants of the analysed people, missing calls as the kinship has them.
    pub snps: &'a SnpSet,
    /// Those that make the kinship, ascending.
    pub members: &'a [u32],
    /// Eigenvectors of the members' X'X, in ascending order of its eigenvalues.
    pub vectors: &'a SquareMatrix,
    /// X'X of all of `snps`: needed where a variant of the set that is no member is tested.
    pub gram: Option<&'a SquareMatrix>,
}

/// The basis, and covariates and phenotypes in it.
pub struct Frame {
    people: usize,
    /// First eigenvector in the space, and (p s)^(-1/2) of those from it on.
    first: usize,
    inverse: Vec<f64>,
    /// One an axis: eigenvalues of K, then zeros.
    pub values: Vec<f64>,
    /// Coordinates of the columns, in the order they were given.
    pub columns: Vec<Vec<f64>>,
    /// The columns centred, one after another, and X'a of them for every variant of the set (`[variant * k + column]`).
    centred: Vec<f64>,
    dots: Vec<f64>,
    /// Which columns added an axis.
    axes: Vec<usize>,
    /// Position among the members of each variant of the set; `None`: no member.
    member: Vec<Option<u32>>,
}

/// One variant under test.
enum Source {
    /// The kinship's own column: its place in the set.
    Own(usize),
    /// Position among the vectors of X'x that were multiplied by V, and the place in the set.
    Known(usize, usize),
    /// The same, and the place in the set of other variants.
    Other(usize, usize),
}

impl Frame {
    /// `values`: eigenvalues of the members' X'X / p; `columns`: covariates and phenotypes, `people` values each, one
    /// after another. Errors: SHAPE, KIN_ZERO.
    pub fn new(kinship: DualKinship, values: &[f64], columns: &[f64], threads: usize, job: &Job) -> Result<Self> {
        let DualKinship { snps, members, vectors, gram } = kinship;
        let (n, p) = (snps.samples(), members.len());
        let shaped = n > 0 && columns.len().is_multiple_of(n) && values.len() == p && vectors.n() == p;
        if !shaped || gram.is_some_and(|g| g.n() != snps.len()) || !members.is_sorted_by(|a, b| a < b) {
            return Err(Error::new("SHAPE", format!("{p} kinship variants, eigenvectors and columns do not match")));
        }
        let mut member = vec![None; snps.len()];
        for (at, &m) in members.iter().enumerate() {
            *member.get_mut(m as usize).ok_or_else(|| Error::new("SHAPE", format!("no variant {m}")))? =
                Some(at as u32);
        }
        let first = values.partition_point(|&s| s < ZERO_BELOW);
        if first == p {
            return Err(Error::new("KIN_ZERO", "every eigenvalue of the kinship is zero"));
        }
        let inverse: Vec<f64> = values[first..].iter().map(|s| 1.0 / (p as f64 * s).sqrt()).collect();
        let k = columns.len() / n;
        let (centred, means): (Vec<Vec<f64>>, Vec<f64>) = columns.chunks_exact(n).map(center).unzip();
        let centred = centred.concat();
        let dots = snps.dots(&centred, k, threads, job)?;
        let mut xta = Vec::with_capacity(k * p);
        for at in 0..k {
            xta.extend(members.iter().map(|&m| dots[m as usize * k + at]));
        }
        let inside = x_dense::project(vectors, &xta, k, threads, job)?;
        let mut frame = Self {
            people: n,
            first,
            inverse,
            values: values[first..].to_vec(),
            columns: Vec::new(),
            centred,
            dots,
            axes: Vec::new(),
            member,
        };
        for (at, mean) in means.iter().enumerate() {
            frame.add_column(k, at, &inside[at * p..(at + 1) * p], *mean);
        }
        let width = frame.values.len() + frame.axes.len() + 2;
        frame.values.resize(width, 0.0);
        frame.columns.iter_mut().for_each(|c| c.resize(width, 0.0));
        Ok(frame)
    }

    /// Coordinates of a vector.
    pub fn width(&self) -> usize {
        self.values.len()
    }

    pub fn people(&self) -> usize {
        self.people
    }

    fn rank(&self) -> usize {
        self.inverse.len()
    }

    /// One step of a Cholesky factorisation of the columns' products outside the range of K.
    fn add_column(&mut self, k: usize, at: usize, projected: &[f64], mean: f64) {
        let (n, rank) = (self.people, self.rank());
        let own = &self.centred[at * n..(at + 1) * n];
        let square = dot(own, own);
        let mut column: Vec<f64> = self.inside(projected).collect();
        column.push(mean * (n as f64).sqrt());
        let with: Vec<f64> = self.axes.iter().map(|&axis| dot(own, &self.centred[axis * n..(axis + 1) * n])).collect();
        column.extend(self.outside(&column[..rank], &with));
        let left = square - dot(&column[..rank], &column[..rank]) - sum_of_squares(&column[rank + 1..]);
        debug_assert!(at < k);
        if left > ROUNDING * square {
            column.push(left.sqrt());
            self.axes.push(at);
        }
        self.columns.push(column);
    }

    /// (p S)^(-1/2) V'X'a from V'X'a.
    fn inside<'a>(&'a self, projected: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        projected[self.first..].iter().zip(&self.inverse).map(|(x, inverse)| x * inverse)
    }

    /// Coordinates along the axes, from the products of a vector with the axes' columns.
    fn outside(&self, inside: &[f64], products: &[f64]) -> Vec<f64> {
        let rank = self.rank();
        let mut out: Vec<f64> = Vec::with_capacity(self.axes.len());
        for (&axis, product) in self.axes.iter().zip(products) {
            let column = &self.columns[axis];
            let before = &column[rank + 1..rank + 1 + out.len()];
            let known: f64 = before.iter().zip(&out).map(|(a, b)| a * b).sum();
            let left = product - dot(&column[..rank], inside) - known;
            out.push(left / column[rank + 1 + out.len()]);
        }
        out
    }

    /// Coordinates of the SNPs `rows` of a block of packed rows of the analysed people, one after another. Missing calls
    /// are the mean of these people. `places[i]` is the place of `rows[i]` in the kinship's set, -1 when it is not there.
    /// Beside them, how many were multiplied by the eigenvectors.
    pub fn variants(
        &self,
        kinship: DualKinship,
        packed: &[u8],
        rows: &[u32],
        places: &[i32],
        threads: usize,
        job: &Job,
    ) -> Result<(Vec<f64>, u64)> {
        let DualKinship { snps, members, vectors, gram } = kinship;
        let (p, k) = (members.len(), self.centred.len() / self.people);
        if places.len() != rows.len() || places.iter().any(|&at| at >= snps.len() as i32) {
            return Err(Error::new("SHAPE", "places do not match the rows or the kinship's variants"));
        }
        let mut others = SnpSet::new(self.people);
        let unknown: Vec<u32> =
            rows.iter().zip(places).filter(|&(_, &at)| !self.known(snps, at)).map(|(&row, _)| row).collect();
        others.push(packed, &unknown, None, threads, job)?;
        let cross = snps.cross(&others, threads, job)?;
        let other_dots = others.dots(&self.centred, k, threads, job)?;
        let (mut xtx, mut sources) = (Vec::new(), Vec::with_capacity(rows.len()));
        let (mut found, mut other) = (0, 0);
        for &place in places {
            let row = if !self.known(snps, place) {
                sources.push(Source::Other(found, other));
                other += 1;
                &cross[(other - 1) * snps.len()..other * snps.len()]
            } else if self.member[place as usize].is_some() {
                sources.push(Source::Own(place as usize));
                continue;
            } else {
                sources.push(Source::Known(found, place as usize));
                gram.ok_or_else(|| Error::new("SHAPE", "the products of this variant are not at hand"))?
                    .row(place as usize)
            };
            found += 1;
            xtx.extend(members.iter().map(|&m| row[m as usize]));
        }
        drop(cross);
        let projected = x_dense::project(vectors, &xtx, found, threads, &Job::default())?;
        drop(xtx);
        let width = self.width();
        let mut out: Vec<f64> = try_zeroed(rows.len() * width)?;
        with_pool(threads, || {
            out.par_chunks_mut(width).zip(&sources).try_for_each(|(out, source)| {
                job.check()?;
                let (set, at, dots) = match *source {
                    Source::Own(place) => {
                        self.own(vectors, place, out);
                        out[self.rank()] = snps.total(place) / (self.people as f64).sqrt();
                        return Ok(());
                    }
                    Source::Known(_, place) => (snps, place, &self.dots[place * k..(place + 1) * k]),
                    Source::Other(_, other) => (&others, other, &other_dots[other * k..(other + 1) * k]),
                };
                let (Source::Known(found, _) | Source::Other(found, _)) = *source else { return Ok(()) };
                self.fill(set, at, dots, &projected[found * p..(found + 1) * p], out);
                Ok(())
            })
        })?;
        Ok((out, found as u64))
    }

    /// The variant's column is the one in the set: no call is missing, or missing calls have the same mean there.
    fn known(&self, snps: &SnpSet, place: i32) -> bool {
        place >= 0 && snps.own_mean(place as usize)
    }

    /// A member: sqrt(p s) times a row of V, and nothing outside the range of K but the constant.
    fn own(&self, vectors: &SquareMatrix, place: usize, out: &mut [f64]) {
        if let Some(at) = self.member[place] {
            let row = &vectors.row(at as usize)[self.first..];
            for ((to, v), inverse) in out.iter_mut().zip(row).zip(&self.inverse) {
                *to = v / inverse;
            }
        }
    }

    fn fill(&self, set: &SnpSet, at: usize, dots: &[f64], projected: &[f64], out: &mut [f64]) {
        let rank = self.rank();
        for (to, x) in out.iter_mut().zip(self.inside(projected)) {
            *to = x;
        }
        let products: Vec<f64> = self.axes.iter().map(|&axis| dots[axis]).collect();
        let outside = self.outside(&out[..rank], &products);
        let left = set.square(at) - dot(&out[..rank], &out[..rank]) - sum_of_squares(&outside);
        out[rank] = set.total(at) / (self.people as f64).sqrt();
        out[rank + 1..][..outside.len()].copy_from_slice(&outside);
        out[rank + 1 + outside.len()] = left.max(0.0).sqrt();
    }
}

/// The column less its mean, and the mean.
fn center(column: &[f64]) -> (Vec<f64>, f64) {
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    let mut out: Vec<f64> = column.iter().map(|x| x - mean).collect();
    if sum_of_squares(&out) <= CONSTANT * sum_of_squares(column) {
        out.fill(0.0);
    }
    (out, mean)
}

fn sum_of_squares(a: &[f64]) -> f64 {
    dot(a, a)
}

/// Eight accumulators in a fixed order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut acc = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for l in 0..8 {
            acc[l] += a[l] * b[l];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    ((acc[0] + acc[4]) + (acc[2] + acc[6])) + ((acc[1] + acc[5]) + (acc[3] + acc[7])) + rest
}
