//! Options of a fit.

use x_simd::{Error, Result};

use crate::criterion::Method;
use crate::json::Json;
use crate::outer::Control;

#[derive(Clone)]
pub struct Options {
    pub method: Method,
    pub scale: Option<f64>,
    pub gamma: f64,
    pub control: Control,
    pub covariances: bool,
    pub tests: bool,
}

impl Options {
    pub fn read(o: &Json) -> Result<Options> {
        let method = match o.get("method").optional(|m| m.text("method").map(str::to_owned))?.as_deref() {
            None | Some("REML") => Method::Reml,
            Some("ML") => Method::Ml,
            Some("GCV") | Some("UBRE") | Some("GCV.Cp") => Method::Gcv,
            Some(other) => return Err(Error::new("GAM_OPTIONS", format!("unknown method \"{other}\""))),
        };
        let default = Control::default();
        let number = |key: &str, fallback: f64| Ok(o.get(key).optional(|x| x.num(key))?.unwrap_or(fallback));
        let yes = |key: &str| !matches!(o.get(key), Json::Bool(false));
        Ok(Options {
            method,
            scale: o.get("scale").optional(|x| x.num("scale"))?,
            gamma: number("gamma", 1.0)?,
            control: Control {
                rho: o.get("rho").optional(start_rho)?,
                beta: o.get("beta").optional(|x| x.nums("beta"))?,
                fixed: o.get("fixedRho").flag(),
                refresh: yes("covariances"),
                max_outer: number("maxOuter", default.max_outer as f64)? as usize,
                rho_min: number("rhoMin", default.rho_min)?,
                rho_max: number("rhoMax", default.rho_max)?,
                third: o.get("third").optional(|x| x.nums("third"))?.unwrap_or_default(),
                probe: o.get("probe").flag(),
                look: o.get("look").flag(),
            },
            covariances: yes("covariances"),
            tests: yes("tests"),
        })
    }
}

/// Start values; null (NaN from here on) = the engine's own.
fn start_rho(j: &Json) -> Result<Vec<f64>> {
    j.list("rho")?.iter().map(|x| if x.is_null() { Ok(f64::NAN) } else { x.num("rho") }).collect()
}
