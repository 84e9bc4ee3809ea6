//! Smooths of one id (mgcv's `id=`): they share their basis beside their smoothing parameters. The first one says what it
//! is; knots, points and the identifiability constraint come from the covariates of all of them together.

use std::borrow::Cow;

use x_simd::{Error, Result};

use crate::json::{Json, malformed};

/// What one smooth learns its basis from.
pub struct Plan<'a> {
    pub spec: Cow<'a, Json>,
    pub columns: Cow<'a, [Vec<f64>]>,
    pub rows: usize,
}

fn id(s: &Json) -> Option<&str> {
    s.get("id").text("id").ok()
}

fn members(s: &Json) -> Result<Vec<&Json>> {
    Ok(match s.get("margins") {
        Json::Null => vec![s],
        list => list.list("margins")?.iter().collect(),
    })
}

/// Covariates in order, those of all margins.
fn covariates(s: &Json) -> Result<Vec<usize>> {
    let mut out = Vec::new();
    for m in members(s)? {
        for c in m.get("columns").list("columns")? {
            out.push(c.index("a column")?);
        }
    }
    Ok(out)
}

/// `first` over the covariates of `s`.
fn renamed(first: &Json, s: &Json) -> Result<Json> {
    let own = ["label", "by", "columns", "levels"];
    let take = |like: &Json, from: &Json| match like {
        Json::Obj(pairs) => Json::Obj(
            pairs
                .iter()
                .map(|(k, v)| (k.clone(), if own.contains(&k.as_str()) { from.get(k) } else { v }.clone()))
                .collect(),
        ),
        other => other.clone(),
    };
    let mut out = take(first, s);
    if let (Json::Obj(pairs), Json::Arr(theirs)) = (&mut out, s.get("margins")) {
        for (_, list) in pairs.iter_mut().filter(|(k, _)| k == "margins") {
            if let Json::Arr(ours) = list {
                let each = ours.iter().zip(theirs).map(|(a, b)| take(a, b)).collect();
                *list = Json::Arr(each);
            }
        }
    }
    Ok(out)
}

/// How smooth `s` learns its basis, one of `all` smooths of the model.
pub fn plan<'a>(s: &'a Json, all: &[&'a Json], columns: &'a [Vec<f64>], rows: usize) -> Result<Plan<'a>> {
    let alone = Plan { spec: Cow::Borrowed(s), columns: Cow::Borrowed(columns), rows };
    let Some(name) = id(s) else { return Ok(alone) };
    let group: Vec<&Json> = all.iter().filter(|t| id(t) == Some(name)).copied().collect();
    let each: Vec<Vec<usize>> = group.iter().map(|t| covariates(t)).collect::<Result<_>>()?;
    let own = covariates(s)?;
    let shape = |t: &Json| -> Result<Vec<usize>> {
        members(t)?.iter().map(|m| Ok(m.get("columns").list("columns")?.len())).collect()
    };
    for t in &group {
        if shape(t)? != shape(s)? || t.get("kind") != s.get("kind") {
            let text =
                format!("smooths of id \"{name}\" share a basis: they must be of one kind and as many covariates");
            return Err(Error::new("GAM_OPTIONS", text));
        }
    }
    let spec = renamed(group.first().ok_or_else(|| malformed("a smooth of no model"))?, s)?;
    if each.iter().all(|c| *c == own) {
        return Ok(Plan { spec: Cow::Owned(spec), ..alone });
    }
    let mut pooled = vec![Vec::new(); columns.len()];
    for (j, &c) in own.iter().enumerate() {
        pooled[c] = each.iter().flat_map(|theirs| columns[theirs[j]].iter().copied()).collect();
    }
    Ok(Plan { spec: Cow::Owned(spec), columns: Cow::Owned(pooled), rows: rows * each.len() })
}
