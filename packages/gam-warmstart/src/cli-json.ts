import type { CrossFit } from "./cross-fit.ts";
import type { GamModel } from "./model.ts";

/** What `--json` prints of a fit. */
export function modelFacts(model: GamModel): Record<string, unknown> {
  const { summary: s, spec } = model.parts;
  return {
    formulas: model.formulas,
    family: spec.family.name,
    link: s.link,
    method: s.method,
    criterion: model.criterion,
    rho: [...model.rho],
    edf: model.edf,
    terms: model.terms,
    parametric: model.parametric,
    deviance: s.deviance,
    nullDeviance: s.nullDeviance,
    devExplained: s.devExplained,
    rSqAdj: s.rSqAdj,
    scale: s.scale,
    theta: s.theta,
    logLik: s.logLik,
    aic: s.aic,
    bic: s.bic,
    rows: model.rows,
    iterations: model.iterations,
    certificate: model.certificate,
    start: model.start,
    warnings: model.warnings,
  };
}

/** What `--json` prints of a cross-fit. */
export function crossFacts(cv: CrossFit): Record<string, unknown> {
  return {
    parent: modelFacts(cv.parent),
    terms: cv.terms,
    folds: cv.folds.map(({ model: _model, rho, ...fold }) => ({ ...fold, rho: [...rho] })),
    score: cv.score,
    cost: cv.cost,
    crossProducts: cv.crossProducts,
  };
}
