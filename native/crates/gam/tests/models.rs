//! Whole models from their data: bases, constraints, penalties, fit, predictions with standard errors against mgcv
//! (ref_*.json of the shared references).

mod common;

use common::{close, family_options, folder, matrix, number, read};
use x_gam::design::Design;
use x_gam::fit_design;
use x_gam::json::Json;
use x_gam::predict::{by_term, predict};
use x_simd::Job;

fn smooth(label: &str, bs: &str, covariates: &[(usize, Option<usize>)], more: &str) -> String {
    let columns: Vec<String> = covariates.iter().map(|c| c.0.to_string()).collect();
    let levels: Vec<String> = covariates.iter().map(|c| c.1.map_or("null".into(), |l| l.to_string())).collect();
    format!(
        r#"{{"label":"{label}","kind":"s","bs":"{bs}","columns":[{}],"levels":[{}]{more}}}"#,
        columns.join(","),
        levels.join(",")
    )
}

/// CSV columns; text columns as codes of their sorted values.
struct Table {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    levels: Vec<Option<Vec<String>>>,
}

impl Table {
    fn read(file: &str, factors: &[String]) -> Table {
        let text = std::fs::read_to_string(folder().unwrap().join("data").join(file)).unwrap();
        let mut lines = text.lines();
        let names: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
        let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
        let (mut columns, mut levels) = (Vec::new(), Vec::new());
        for (c, name) in names.iter().enumerate() {
            if factors.contains(name) {
                let mut all: Vec<String> = rows.iter().map(|r| r[c].to_owned()).collect();
                if all.iter().all(|x| x.parse::<f64>().is_ok()) {
                    all.sort_by(|a, b| a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()));
                } else {
                    all.sort();
                }
                all.dedup();
                columns.push(rows.iter().map(|r| all.iter().position(|l| l == r[c]).unwrap() as f64).collect());
                levels.push(Some(all));
            } else {
                columns.push(rows.iter().map(|r| r[c].parse().unwrap_or(f64::NAN)).collect());
                levels.push(None);
            }
        }
        Table { names, columns, levels }
    }

    fn at(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).unwrap()
    }
}

/// The spec of a reference formula: only the forms that occur there.
fn spec(formula: &str, table: &Table, select: bool, knots: &Json) -> String {
    let mut predictors = Vec::new();
    for (p, part) in formula.split(" ; ").enumerate() {
        let right = part.split_once('~').unwrap().1;
        let mut parametric = vec![r#"{"name":"(Intercept)","column":null}"#.to_owned()];
        let mut smooths = Vec::new();
        for term in right.split(" + ").map(str::trim) {
            let Some((kind, inside)) = term.split_once('(') else {
                match &table.levels[table.at(term)] {
                    None => parametric.push(format!(r#"{{"name":"{term}","column":{}}}"#, table.at(term))),
                    Some(levels) => parametric.extend((1..levels.len()).map(|l| {
                        let at = table.names.len() + dummy(term, l, table);
                        format!(r#"{{"name":"{term}{}","term":"{term}","column":{at}}}"#, levels[l])
                    })),
                }
                continue;
            };
            if kind == "offset" {
                continue;
            }
            let inside = inside.strip_suffix(')').unwrap();
            let mut names = Vec::new();
            let (mut bs, mut k, mut m, mut by) = ("tp".to_owned(), "null".to_owned(), "null".to_owned(), None);
            for argument in split(inside) {
                match argument.split_once(" = ") {
                    None => names.push(argument),
                    Some(("bs", v)) => bs = v.trim_matches('"').to_owned(),
                    Some(("k", v)) => k = v.trim_start_matches('c').replace('(', "[").replace(')', "]"),
                    Some(("m", v)) => m = v.trim_start_matches('c').replace('(', "[").replace(')', "]"),
                    Some(("by", v)) => by = Some(v.to_owned()),
                    Some(other) => panic!("{other:?}"),
                }
            }
            let at: Vec<usize> = names.iter().map(|n| table.at(n)).collect();
            let label = format!("{kind}{}({})", if p > 0 { ".1" } else { "" }, names.join(","));
            if kind != "s" {
                let ks: Vec<String> = k.trim_matches(['[', ']']).split(',').map(|x| x.trim().to_owned()).collect();
                let margins: Vec<String> =
                    at.iter().zip(&ks).map(|(c, k)| format!(r#"{{"bs":"{bs}","columns":[{c}],"k":{k}}}"#)).collect();
                smooths.push(format!(r#"{{"label":"{label}","kind":"{kind}","margins":[{}]}}"#, margins.join(",")));
                continue;
            }
            let covariates: Vec<_> = at.iter().map(|&c| (c, table.levels[c].as_ref().map(Vec::len))).collect();
            let own = knots.get(&names[0]);
            let more = format!(r#","k":{k},"m":{m},"knots":{}"#, own.print());
            match by {
                None => smooths.push(smooth(&label, &bs, &covariates, &more)),
                Some(by) => match &table.levels[table.at(&by)] {
                    None => {
                        let more = format!(r#"{more},"by":{{"column":{}}}"#, table.at(&by));
                        smooths.push(smooth(&format!("{label}:{by}"), &bs, &covariates, &more));
                    }
                    Some(levels) => smooths.extend(levels.iter().enumerate().map(|(l, name)| {
                        let more = format!(r#"{more},"by":{{"column":{},"level":{l}}}"#, table.at(&by));
                        smooth(&format!("{label}:{by}{name}"), &bs, &covariates, &more)
                    })),
                },
            }
        }
        predictors.push(format!(r#"{{"parametric":[{}],"smooths":[{}]}}"#, parametric.join(","), smooths.join(",")));
    }
    format!(r#"{{"select":{select},"predictors":[{}]}}"#, predictors.join(","))
}

/// Arguments at the top level of a call.
fn split(text: &str) -> Vec<String> {
    let (mut out, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if c == ',' && depth == 0 {
            out.push(String::new());
        } else {
            out.last_mut().unwrap().push(c);
        }
    }
    out.into_iter().map(|s| s.trim().to_owned()).collect()
}

/// Place of the dummy of level `l` of a factor behind the data columns.
fn dummy(name: &str, l: usize, table: &Table) -> usize {
    let before: usize = table.levels[..table.at(name)].iter().map(|l| l.as_ref().map_or(0, |l| l.len() - 1)).sum();
    before + l - 1
}

fn with_dummies(columns: &[Vec<f64>], table: &Table) -> Vec<Vec<f64>> {
    let mut out = columns.to_vec();
    for (c, levels) in table.levels.iter().enumerate() {
        for l in 1..levels.as_ref().map_or(0, Vec::len) {
            out.push(columns[c].iter().map(|x| f64::from(*x == l as f64)).collect());
        }
    }
    out
}

/// Numbers still outside their limits ("Where it stands" in docs/design/gam-engine.md); it only goes down.
const OPEN: usize = 5;

#[test]
fn every_model_from_its_data() {
    let Some(ids) = common::reference("ref_") else { return };
    let only = std::env::var("GAM_ONLY").unwrap_or_default();
    let mut failures = Vec::new();
    for id in ids.iter().filter(|id| id.contains(&only)) {
        let r = read(&folder().unwrap().join(format!("reference/ref_{id}.json")));
        let factors: Vec<String> =
            r.get("factors").list("factors").unwrap().iter().map(|f| f.text("f").unwrap().to_owned()).collect();
        let mut table = Table::read(r.get("data").text("data").unwrap(), &factors);
        let formula = r.get("formula").text("formula").unwrap().to_owned();
        // Rows with a missing value in a variable of the model are dropped.
        let used: Vec<usize> = (0..table.names.len()).filter(|&c| formula.contains(&table.names[c])).collect();
        let keep: Vec<usize> =
            (0..table.columns[0].len()).filter(|&i| used.iter().all(|&c| !table.columns[c][i].is_nan())).collect();
        for c in &mut table.columns {
            *c = keep.iter().map(|&i| c[i]).map(|x| if x.is_nan() { 0.0 } else { x }).collect();
        }
        let select = r.get("select").flag();
        let text = spec(&formula, &table, select, r.get("knots_argument"));
        let columns = with_dummies(&table.columns, &table);
        let n = columns[0].len();
        let job = Job::default();
        let design = Design::learn(&Json::parse(&text).unwrap(), columns.clone(), n, &job).unwrap();
        let y = columns[table.at(formula.split_once(" ~").unwrap().0)].clone();
        let w = if id.contains("prior_weights") { columns[table.at("w")].clone() } else { Vec::new() };
        let offset: Vec<f64> = if formula.contains("offset(log(expo))") {
            columns[table.at("expo")].iter().map(|x| x.ln()).collect()
        } else {
            Vec::new()
        };
        let method = r.get("method").text("method").unwrap().split('.').next().unwrap().to_owned();
        let mut options = family_options(r.get("family").text("family").unwrap());
        options.insert_str(options.len() - 1, &format!(r#","method":"{method}""#));
        let (summary, fit) = match fit_design(&design, &y, &w, &offset, &Json::parse(&options).unwrap(), &job) {
            Ok(x) => x,
            Err(e) => {
                failures.push(format!("{id}: {e}"));
                continue;
            }
        };
        Json::parse(&summary).unwrap();
        let gaussian = r.get("family").text("family").unwrap().starts_with("gaussian");
        let tol = if id.starts_with("m08") {
            1e-3
        } else if gaussian {
            1e-6
        } else {
            1e-5
        };
        close(format!("{id} deviance"), fit.deviance, number(&r, "deviance"), tol, 1e-300, &mut failures);
        close(
            format!("{id} null deviance"),
            fit.null_deviance,
            number(&r, "null_deviance"),
            tol,
            1e-300,
            &mut failures,
        );
        close(format!("{id} log likelihood"), fit.log_lik, number(&r, "loglik"), tol, 1e-300, &mut failures);
        close(format!("{id} scale"), fit.scale, number(&r, "scale"), tol, 1e-300, &mut failures);
        close(format!("{id} edf"), fit.edf.iter().sum(), number(&r, "edf_total"), tol, 1e-4 / tol, &mut failures);
        // Scales of penalties are part of the meaning of rho (thin plate bases have none of their own).
        let scales: Vec<f64> =
            r.get("smooths").list("s").unwrap().iter().flat_map(|s| s.get("S_scale").nums("s").unwrap()).collect();
        for (p, s) in design.penalties.iter().zip(&scales) {
            close(format!("{id} scale of {}", p.label), p.scale, *s, 1e-8, 1e-300, &mut failures);
        }
        // New data through the state.
        let new = r.get("newdata");
        let rows = new
            .get(match new {
                Json::Obj(pairs) => &pairs[0].0,
                _ => unreachable!(),
            })
            .list("new")
            .unwrap()
            .len();
        let fresh: Vec<Vec<f64>> = table
            .names
            .iter()
            .zip(&table.levels)
            .map(|(name, levels)| match (new.get(name), levels) {
                (Json::Null, _) => vec![0.0; rows],
                (list, None) => list.nums("new").unwrap(),
                (list, Some(l)) => list
                    .list("new")
                    .unwrap()
                    .iter()
                    .map(|x| l.iter().position(|l| l == x.text("level").unwrap()).map_or(f64::NAN, |p| p as f64))
                    .collect(),
            })
            .collect();
        let state = Json::parse(&design.state().print()).unwrap();
        let at = Design::restore(&state, with_dummies(&fresh, &table), rows, &job).unwrap();
        let new_offset: Vec<f64> =
            if offset.is_empty() { Vec::new() } else { fresh[table.at("expo")].iter().map(|x| x.ln()).collect() };
        let k = fit.eta.len() / n;
        let flat_matrix = |j: &Json| if k > 1 { matrix(j).data } else { j.nums("x").unwrap() };
        let p = r.get("predict");
        let sd = {
            let m = y.iter().sum::<f64>() / n as f64;
            (y.iter().map(|y| (y - m).powi(2)).sum::<f64>() / n as f64).sqrt()
        };
        let mut compare = |what: &str, found: &[f64], expected: &[f64], floor: f64| {
            for (i, (f, e)) in found.iter().zip(expected).enumerate() {
                close(format!("{id} {what} {i}"), *f, *e, tol, floor, &mut failures);
            }
        };
        let link = predict(&at, &fit.beta, &fit.vp.data, &new_offset, &[], &job).unwrap();
        let floor = if gaussian { sd } else { 1.0 };
        compare("link", &link.fit, &flat_matrix(p.get("link_fit")), floor);
        compare("se", &link.se, &flat_matrix(p.get("link_se")), 1e-300);
        if !p.get("link_se_unconditional").is_null() && fit.vc.rows > 0 && fit.hessian.rows > 0 && method != "GCV" {
            let wide = predict(&at, &fit.beta, &fit.vc.data, &new_offset, &[], &job).unwrap();
            compare("unconditional se", &wide.se, &flat_matrix(p.get("link_se_unconditional")), 1e-300);
        }
        if k == 1 {
            let terms = by_term(&at, &fit.beta, &fit.vp.data, &job).unwrap();
            compare("terms", &terms.fit, &matrix(p.get("terms_fit")).data, floor);
            compare("terms se", &terms.se, &matrix(p.get("terms_se")).data, floor);
        }
        eprintln!("{id}: criterion {} against {}", fit.criterion, number(&r, "score"));
    }
    failures.truncate(150);
    assert!(failures.len() <= OPEN, "\n{}", failures.join("\n"));
}
