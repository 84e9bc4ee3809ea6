//! Bases and penalties against mgcv's `smooth.construct` (basis_fixtures.json of the shared references).

mod common;

use common::{close, folder, matrix, read};
use x_gam::basis::{Basis, Plan};
use x_gam::json::Json;
use x_gam::mat::{Factor, Mat};
use x_gam::term::Term;

fn spec(name: &str) -> Option<String> {
    let s = |bs: &str, k: usize, more: &str| {
        format!(r#"{{"label":"s(x)","kind":"s","bs":"{bs}","columns":[0],"k":{k}{more}}}"#)
    };
    Some(match name {
        "cr k=7" => s("cr", 7, ""),
        "cr k=5 knots 0,.2,.5,.8,1" => s("cr", 5, r#","knots":[0,0.2,0.5,0.8,1]"#),
        "cc k=6 knots 0..1" => s("cc", 6, r#","knots":[0,0.2,0.4,0.6000000000000001,0.8,1]"#),
        "ps k=8 m=(2,2)" => s("ps", 8, r#","m":[2,2]"#),
        "ps k=8 m=(2,1)" => s("ps", 8, r#","m":[2,1]"#),
        "bs k=8 m=(3,2)" => s("bs", 8, r#","m":[3,2]"#),
        "tp 1d k=6" => s("tp", 6, ""),
        "tp 1d full k=13" => s("tp", 13, ""),
        "te cr 4x3" => r#"{"label":"te(x,z)","kind":"te","margins":[{"bs":"cr","columns":[0],"k":4},{"bs":"cr","columns":[1],"k":3}]}"#.to_owned(),
        _ => return None,
    })
}

fn dense(basis: &Basis, columns: &[Vec<f64>]) -> Mat {
    let lift = basis.lift();
    let mut x = Mat::zeros(columns[0].len(), basis.width());
    for i in 0..x.rows {
        basis.dense(columns, i, lift.as_ref(), x.row_mut(i));
    }
    x
}

/// Least squares solution of X A = Y.
fn solve(x: &Mat, y: &Mat) -> Mat {
    let factor = Factor::new(&x.tmul(x)).unwrap();
    let mut t = y.tmul(x);
    for i in 0..t.rows {
        factor.solve(t.row_mut(i));
    }
    t.t()
}

#[test]
fn bases_match() {
    let Some(root) = folder() else { return };
    let all = read(&root.join("reference/basis_fixtures.json"));
    let columns = vec![all.get("x").nums("x").unwrap(), all.get("z").nums("z").unwrap()];
    let mut failures = Vec::new();
    let mut seen = 0;
    for b in all.get("bases").list("bases").unwrap() {
        let name = b.get("name").text("name").unwrap();
        let Some(text) = spec(name) else { continue };
        seen += 1;
        let j = Json::parse(&text).unwrap();
        let basis = match Plan::read(&j) {
            Ok(plan) => Basis::learn(&plan, &columns).unwrap(),
            Err(_) => Term::learn(&j, 0, false, &columns, columns[0].len()).unwrap().basis,
        };
        let restored = Basis::restore(&Json::parse(&basis.state().print()).unwrap()).unwrap();
        let (found, x) = (dense(&basis, &columns), matrix(b.get("X")));
        assert_eq!(found, dense(&restored, &columns), "{name}: state");
        let penalties = basis.penalties().unwrap();
        // The basis of a thin plate spline's space is arbitrary: X A = the reference's X, A'SA its penalty.
        let tp = name.starts_with("tp");
        let change = if tp { solve(&found, &x) } else { Mat::identity(found.cols) };
        let tolerance = if tp { 1e-8 } else { 1e-13 };
        for (f, e) in found.mul(&change).data.iter().zip(&x.data) {
            close(format!("{name} X"), *f, *e, tolerance, 1.0, &mut failures);
        }
        let ranks = b.get("rank").nums("rank").unwrap();
        for (i, (s, rank)) in penalties.iter().enumerate() {
            let expected = matrix(&b.get("S").list("S").unwrap()[i]);
            assert_eq!(*rank as f64, ranks[i], "{name}");
            let scale = expected.largest();
            for (f, e) in s.congruence(&change).data.iter().zip(&expected.data) {
                close(format!("{name} S"), *f, *e, tolerance, scale, &mut failures);
            }
        }
    }
    assert_eq!(seen, 9);
    failures.truncate(40);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
