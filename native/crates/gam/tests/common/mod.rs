//! Reading the shared reference problems.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use x_gam::criterion::Method;
use x_gam::family::{Family, from_options};
use x_gam::fit::{Fit, Options};
use x_gam::json::Json;
use x_gam::mat::Mat;
use x_gam::outer::Control;
use x_gam::penalty::Penalty;
use x_gam::rows::{Block, Layout, Rows, Window};

pub fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/gam");
    if root.join("reference").is_dir() {
        return Some(root);
    }
    eprintln!("skipped: {} is not there", root.display());
    None
}

/// Ids of the reference files with this prefix.
pub fn reference(prefix: &str) -> Option<Vec<String>> {
    let mut ids: Vec<String> = std::fs::read_dir(folder()?.join("reference"))
        .unwrap()
        .filter_map(|e| {
            let name = e.unwrap().file_name().into_string().unwrap();
            Some(name.strip_prefix(prefix)?.strip_suffix(".json")?.to_owned())
        })
        .collect();
    ids.sort();
    Some(ids)
}

pub fn read(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).unwrap();
    // The writer marks infinite numbers as 1e999, which reads as infinity: good enough here.
    Json::parse(&text).unwrap()
}

pub fn number(j: &Json, key: &str) -> f64 {
    if let Json::Num(x) = j.get(key) { *x } else { f64::NAN }
}

/// A failure line when two numbers differ by more than `relative` (of the larger of both and `floor`).
pub fn close(what: String, found: f64, expected: f64, relative: f64, floor: f64, failures: &mut Vec<String>) {
    let error = (found - expected).abs() / expected.abs().max(floor);
    if error.is_nan() || error > relative {
        failures.push(format!("{what}: {found} against {expected}, off by {error:.2e}"));
    }
}

/// A whole model matrix as rows.
pub struct Dense {
    pub x: Mat,
    pub layout: Layout,
}

impl Dense {
    pub fn new(x: Mat) -> Dense {
        let mut layout = Layout::default();
        layout.push(1, x.cols, x.cols, 0, None);
        Dense { x, layout }
    }
}

impl Rows for Dense {
    fn rows(&self) -> usize {
        self.x.rows
    }
    fn layout(&self) -> &Layout {
        &self.layout
    }
    fn fill(&self, from: usize, rows: usize, block: &mut Block) {
        block.rows = rows;
        block.windows.resize_with(1, Window::default);
        block.windows[0].place = vec![0; rows];
        block.windows[0].values = self.x.data[from * self.x.cols..(from + rows) * self.x.cols].to_vec();
    }
}

pub fn matrix(j: &Json) -> Mat {
    let rows: Vec<Vec<f64>> = j.list("matrix").unwrap().iter().map(|r| r.nums("row").unwrap()).collect();
    Mat { rows: rows.len(), cols: rows.first().map_or(0, Vec::len), data: rows.concat() }
}

pub struct Problem {
    pub id: String,
    pub rows: Dense,
    pub penalties: Vec<Penalty>,
    pub blocks: Vec<(usize, usize)>,
    pub family: Box<dyn Family>,
    pub family_name: String,
    pub y: Vec<f64>,
    pub w: Vec<f64>,
    pub offset: Vec<f64>,
    pub reference: Json,
    pub problem: Json,
}

/// Fit options for the family text of a reference file, e.g. `Gamma(link=log)`.
pub fn family_options(text: &str) -> String {
    let (name, rest) = text.split_once('(').unwrap();
    let link = rest.trim_end_matches(')').strip_prefix("link=");
    match link {
        Some(l) => format!(r#"{{"family":"{name}","link":"{l}"}}"#),
        None => format!(r#"{{"family":"{name}"}}"#),
    }
}

impl Problem {
    pub fn read(id: &str) -> Option<Problem> {
        let dir = folder()?.join("reference");
        let reference = read(&dir.join(format!("ref_{id}.json")));
        let problem = read(&dir.join(format!("problem_{id}.json")));
        let gz = dir.join(format!("X_{id}.csv.gz"));
        if !gz.exists() {
            return None;
        }
        let out = Command::new("gzip").arg("-dc").arg(gz).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let data: Vec<Vec<f64>> =
            text.lines().skip(1).map(|l| l.split(',').map(|x| x.parse().unwrap()).collect()).collect();
        let x = Mat { rows: data.len(), cols: data[0].len(), data: data.concat() };
        let mut penalties = Vec::new();
        let mut blocks = Vec::new();
        for b in problem.get("blocks").list("blocks").unwrap() {
            let from = number(b, "first_para_1based") as usize - 1;
            blocks.push((from, number(b, "last_para") as usize));
            for s in b.get("S").list("S").unwrap() {
                penalties.push(Penalty { parts: vec![(from, matrix(s))], rank: 0, label: String::new(), scale: 1.0 });
            }
        }
        let family_name = reference.get("family").text("family").unwrap().to_owned();
        Some(Problem {
            id: id.to_owned(),
            rows: Dense::new(x),
            penalties,
            blocks,
            family: from_options(&Json::parse(&family_options(&family_name)).unwrap()).unwrap(),
            family_name,
            y: problem.get("y").nums("y").unwrap(),
            w: problem.get("prior_weights").nums("w").unwrap(),
            offset: problem.get("offset").nums("offset").unwrap(),
            reference,
            problem,
        })
    }

    /// `held`: at the reference's rho.
    pub fn options(&self, held: bool) -> Options {
        let method = match self.reference.get("method").text("method").unwrap() {
            "REML" => Method::Reml,
            "ML" => Method::Ml,
            _ => Method::Gcv,
        };
        let rho = held.then(|| self.problem.get("rho_log_sp").nums("rho").unwrap());
        let control = Control { rho, fixed: held, ..Control::default() };
        Options { method, scale: None, gamma: 1.0, control, covariances: true, tests: true }
    }

    /// Did mgcv stop short of the optimum? Then its degrees of freedom are those of its own rho.
    pub fn short(&self) -> bool {
        number(&self.reference, "outer_grad_max_abs") > 1e-6
    }

    /// Coordinates whose probe moves the criterion by less than 1e-4.
    pub fn flat(&self) -> Vec<bool> {
        let probes = self.reference.get("criterion_probes").list("probes").unwrap();
        let at = number(&probes[0], "score");
        probes[3..].iter().map(|p| (number(p, "score") - at).abs() < 1e-4).collect()
    }

    pub fn compare(&self, f: &Fit, held: bool, failures: &mut Vec<String>) {
        let r = &self.reference;
        let id = &self.id;
        let tol = if id.starts_with("m08") {
            1e-3
        } else if self.family_name.starts_with("gaussian") {
            1e-6
        } else {
            1e-5
        };
        let mut check = |what: &str, found: f64, expected: f64| {
            // A GCV fit has no REML scale and no corrected edf; the correction is for an estimated rho.
            if expected.is_nan() && id.starts_with("m08") || held && ["edf2", "aic", "bic"].contains(&what) {
                return;
            }
            close(format!("{id} {what}"), found, expected, tol, 1e-300, failures);
        };
        check("criterion", f.criterion, number(r, "score"));
        check("deviance", f.deviance, number(r, "deviance"));
        check("null deviance", f.null_deviance, number(r, "null_deviance"));
        check("scale", f.scale, number(r, "scale"));
        check("reml scale", f.reml_scale, number(r, "reml_scale"));
        check("log likelihood", f.log_lik, number(r, "loglik"));
        check("r squared", f.r_sq_adj, number(r, "r_sq_adj"));
        check("edf2", f.edf2.iter().sum(), number(r, "edf2_total"));
        check("aic", f.aic, number(r, "aic"));
        check("bic", f.bic, number(r, "bic"));
        check("trace Vp", f.vp.trace(), number(r, "Vp_trace"));
        check("trace Ve", f.ve.trace(), number(r, "Ve_trace"));
        // Random effects have one penalty, a multiple of the identity.
        let ranges: Vec<_> = self.blocks.iter().map(|(a, b)| *a..*b).collect();
        let own = |from: usize| {
            let list = self.penalties.iter().enumerate().filter(move |(_, p)| p.parts[0].0 == from);
            list.map(|(j, p)| (j, &p.parts[0].1)).collect::<Vec<_>>()
        };
        let ridge =
            |m: &Mat| (0..m.rows).all(|i| (0..m.cols).all(|j| m[(i, j)] == if i == j { m[(0, 0)] } else { 0.0 }));
        let random: Vec<bool> = ranges.iter().map(|r| matches!(own(r.start)[..], [(_, m)] if ridge(m))).collect();
        let flat = self.flat();
        let tests = x_gam::termtest::all(f, &self.penalties, &ranges, &random).unwrap();
        for ((t, (from, to)), test) in r.get("terms").list("terms").unwrap().iter().zip(&self.blocks).zip(&tests) {
            let sum = |e: &[f64]| e[*from..*to].iter().sum::<f64>();
            let absolute = |what: &str, found: f64, expected: f64, failures: &mut Vec<String>| {
                if self.short() && !held {
                    return;
                }
                // A shrunken term: its edf to 1e-4 absolute.
                let floor = if flat.contains(&true) { (1e-4 / tol).max(expected) } else { 1e-300 };
                close(format!("{id} {what}"), found, expected, tol, floor, failures);
            };
            // Variances of a term at infinity are rounding error, and with them the rank that divides its statistic.
            let gone = test.ref_df.fract() == 0.0 && own(*from).iter().any(|(j, _)| flat[*j]);
            if !gone {
                absolute("ref df", test.ref_df, number(t, "ref_df"), failures);
            }
            let unit = if gone { test.ref_df / number(t, "ref_df") } else { 1.0 };
            close(format!("{id} statistic"), test.statistic * unit, number(t, "stat"), tol.max(1e-5), 1e-300, failures);
            let p = number(t, "p_value");
            if p >= 1e-10 {
                close(format!("{id} p"), test.p, p, 1e-3, 1e-300, failures);
            } else if test.p >= 1e-9 {
                failures.push(format!("{id} p: {} against {p}", test.p));
            }
            absolute("edf", sum(&f.edf), number(t, "edf"), failures);
            absolute("edf1", sum(&f.edf1), number(t, "edf1"), failures);
        }
        eprintln!(
            "{id}: criterion {:.9} outer {} evaluations {} inner {} gradient {:.1e} infinite {:?}",
            f.criterion, f.outer, f.evaluations, f.inner, f.certificate.gradient, f.certificate.infinite
        );
    }
}
