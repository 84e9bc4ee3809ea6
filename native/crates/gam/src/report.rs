//! The figures of a fit as JSON.

use x_stats::{ln_normal_sf, ln_t_sf};

use crate::design::Design;
use crate::fit::Fit;
use crate::json::{Json, object};

fn indices(list: &[usize]) -> Json {
    list.to_vec().into()
}

/// `warm`: the caller gave start coefficients.
pub fn summary(fit: &Fit, design: &Design, family: &str, link: &str, method: &str, warm: bool) -> Json {
    let start = fit.trace.first().map_or(Vec::new(), |t| t.1[..fit.rho.len()].to_vec());
    let sum = |e: &[f64], r: &std::ops::Range<usize>| e[r.clone()].iter().sum::<f64>();
    let terms = design.terms.iter().zip(design.ranges()).enumerate().map(|(t, (term, range))| {
        let test = fit.tests.get(t);
        let stat = |x: Option<f64>| Json::from(x.unwrap_or(f64::NAN));
        object([
            ("label", term.label.as_str().into()),
            ("edf", sum(&fit.edf, &range).into()),
            ("edf1", sum(&fit.edf1, &range).into()),
            ("edf2", sum(&fit.edf2, &range).into()),
            ("refDf", stat(test.map(|t| t.ref_df))),
            ("stat", stat(test.map(|t| t.statistic))),
            ("statKind", if fit.scale_estimated { "F".into() } else { "Chi.sq".into() }),
            ("p", stat(test.map(|t| t.p))),
            ("pLog", stat(test.map(|t| t.log_p))),
        ])
    });
    let parametric = design.parametric_columns().into_iter().map(|(p, k, at)| {
        let estimate = fit.beta[at];
        let se = if fit.vp.rows > 0 { fit.vp[(at, at)].max(0.0).sqrt() } else { f64::NAN };
        let z = estimate / se;
        let ln_p = std::f64::consts::LN_2
            + if fit.scale_estimated { ln_t_sf(z.abs(), fit.residual_df) } else { ln_normal_sf(z.abs()) };
        object([
            ("name", if k == 0 { p.name.as_str().into() } else { format!("{}.{k}", p.name).as_str().into() }),
            ("estimate", estimate.into()),
            ("se", se.into()),
            ("stat", z.into()),
            ("statKind", if fit.scale_estimated { "t".into() } else { "z".into() }),
            ("p", ln_p.exp().into()),
            ("pLog", ln_p.into()),
        ])
    });
    let trace = fit.trace.iter().map(|(criterion, point)| {
        object([("criterion", (*criterion).into()), ("rho", point[..fit.rho.len()].to_vec().into())])
    });
    let total = |e: &[f64]| Json::from(e.iter().sum::<f64>());
    object([
        ("family", family.into()),
        ("link", link.into()),
        ("method", method.into()),
        ("criterion", fit.criterion.into()),
        ("deviance", fit.deviance.into()),
        ("nullDeviance", fit.null_deviance.into()),
        ("scale", fit.scale.into()),
        ("remlScale", fit.reml_scale.into()),
        ("scaleEstimated", fit.scale_estimated.into()),
        ("logLik", fit.log_lik.into()),
        ("aic", fit.aic.into()),
        ("bic", fit.bic.into()),
        ("edfTotal", total(&fit.edf)),
        ("edf1Total", total(&fit.edf1)),
        ("edf2Total", total(&fit.edf2)),
        ("residualDf", fit.residual_df.into()),
        ("rSqAdj", fit.r_sq_adj.into()),
        ("devExplained", ((fit.null_deviance - fit.deviance) / fit.null_deviance).into()),
        ("n", fit.n.into()),
        ("activeConstraints", fit.active.into()),
        ("theta", fit.theta.clone().into()),
        ("terms", Json::Arr(terms.collect())),
        ("parametric", Json::Arr(parametric.collect())),
        (
            "iterations",
            object([
                ("outer", fit.outer.into()),
                ("criterionEvaluations", fit.evaluations.into()),
                ("inner", fit.inner.into()),
                ("start", object([("rho", start.into()), ("beta", warm.into())])),
            ]),
        ),
        (
            "certificate",
            object([
                ("converged", fit.certificate.converged.into()),
                ("gradient", fit.certificate.gradient.into()),
                ("curvature", fit.certificate.curvature.into()),
                ("innerScore", fit.certificate.inner_score.into()),
                ("infinite", indices(&fit.certificate.infinite)),
                ("atBox", indices(&fit.certificate.at_box)),
            ]),
        ),
        ("trace", Json::Arr(trace.collect())),
        (
            "probe",
            fit.probe.as_ref().map_or(Json::Null, |p| {
                object([
                    ("third", p.third.clone().into()),
                    ("criterionEvaluations", p.evaluations.into()),
                    ("inner", p.inner.into()),
                ])
            }),
        ),
    ])
}
