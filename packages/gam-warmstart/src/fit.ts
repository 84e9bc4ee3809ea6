import { isXError, type XError } from "@x/core/base";
import { descriptorOf } from "./artifact/capture.ts";
import { exactKey } from "./artifact/exact.ts";
import { descriptorKey } from "./artifact/identity.ts";
import type { ArtifactStore } from "./artifact/store.ts";
import type { DataLike } from "./data/columns.ts";
import type { EngineOptions } from "./engine-types.ts";
import { captureModel, GamModel } from "./model.ts";
import { type EngineFit, fitDesign, type NativeOptions } from "./native.ts";
import {
  checkModelOptions,
  engineOptions,
  type ModelOptions,
  nativeOptions,
  type Prepared,
  type PrepareOptions,
  prepare,
  readSpec,
} from "./prepare.ts";
import { type FitStart, givenUp, type PlannedStart, planStart, withStart } from "./start.ts";

/** Options of `fit`. */
export interface FitOptions extends ModelOptions {
  /**
   * An artifact (`captureArtifact`, `readArtifact`, `store.latest`) to start from. It never changes the answer and never
   * makes a fit fail: one that cannot be used means a cold start, with its code in `model.start.reason`.
   */
  readonly warmStart?: unknown;
  /** A store to look for exactly this data, model and options in, and to keep the result in. Off by default. */
  readonly resume?: ArtifactStore;
  /** A store whose latest artifact of this model is the start (unless `warmStart` is given), and that gets this fit's. Off by default. */
  readonly store?: ArtifactStore;
}

/**
 * Fits a generalised additive model.
 *
 * `formula` is mgcv's: `y ~ x + s(x1) + s(x2, bs="cr", k=20) + te(a, b) + s(x, by=fac) + s(id, bs="re") + offset(log(w))`;
 * a list of formulas for families with several linear predictors. Rows with a missing value in any variable are dropped
 * and counted (`model.rows`). The result carries a convergence certificate; a fit that cannot have one is an error
 * (`GAM_NOT_CONVERGED`). Errors: those of the formula (`FORMULA_*`, with the column), of the data (`UNKNOWN_COLUMN`,
 * `ALL_MISSING`, `NO_ROWS`, `NOT_FINITE`, `FACTOR_LEVELS`, `RESPONSE_*`, `WEIGHTS`), of the design (`GAM_K_TOO_LARGE`,
 * `GAM_FEW_ROWS`, `GAM_RANK`) and of the fit (`GAM_SEPARATED`, `GAM_NOT_CONVERGED`). Theory: Wood (2011), JRSS B 73;
 * Wood (2017), Generalized Additive Models, 2nd edition.
 *
 * ```ts
 * const m = await fit("y ~ s(x0) + s(x1)", table, { family: binomial() });
 * console.log(m.summary());
 * ```
 */
export async function fit(
  formula: string | readonly string[],
  data: DataLike,
  options: FitOptions = {},
): Promise<GamModel> {
  checkModelOptions(options, ["warmStart", "resume", "store"], "fit");
  const spec = readSpec(formula, options);
  const native = nativeOptions(options);
  const prepared = await prepare(spec, data, native, {
    ...vectors(options),
    randomLevels: levelsIn(options.warmStart),
  });
  const base = engineOptions(spec, prepared.response.classes?.length ?? null, options);
  const key = options.resume ? exactKey(prepared, base) : undefined;
  const stored = key === undefined ? undefined : options.resume!.exact(key)?.artifact;
  const parent =
    options.warmStart !== undefined
      ? options.warmStart
      : options.store?.latest(descriptorKey(descriptorOf(prepared)))?.artifact;
  const planned = planStart(prepared, stored ?? parent, stored !== undefined);
  const start: PlannedStart =
    stored && planned.kind === "warm"
      ? { ...planned, kind: "exact", terms: planned.terms.map(({ name }) => ({ name, provenance: "exact" })) }
      : planned;
  const fitted = await fitFrom(prepared, base, start, native);
  const model = new GamModel(captureModel(prepared, fitted.fit, fitted.start));
  if (key !== undefined && fitted.start.kind !== "exact")
    await options.resume!.putExact(key, model.capture());
  await options.store?.put(model.capture());
  return model;
}

/** Weights and offset that came as vectors. */
export function vectors(o: ModelOptions): PrepareOptions {
  return {
    weights: typeof o.weights === "string" ? undefined : o.weights,
    offset: typeof o.offset === "string" ? undefined : o.offset,
  };
}

/** Levels of random effects in something that may be an artifact. */
function levelsIn(artifact: unknown): Record<string, readonly string[]> {
  const terms = (artifact as { terms?: unknown } | undefined)?.terms;
  if (!Array.isArray(terms)) return {};
  const found = terms.flatMap((t) =>
    Object.entries((t as { levels?: Record<string, unknown> } | null)?.levels ?? {}),
  );
  return Object.fromEntries(
    found.filter(
      (e): e is [string, string[]] => Array.isArray(e[1]) && e[1].every((l) => typeof l === "string"),
    ),
  );
}

/** Fits from a planned start and, where the parent was saturated, looks once whether a better basin is near. */
export async function fitFrom(
  prepared: Prepared,
  base: EngineOptions,
  start: PlannedStart,
  native: NativeOptions,
): Promise<{ fit: EngineFit; start: FitStart }> {
  const { design, response, weights, offset } = prepared;
  const run = (o: EngineOptions): Promise<EngineFit> =>
    fitDesign(design, response.y, weights, offset, o, native);
  return fitWith(run, base, start);
}

type Run = (o: EngineOptions) => Promise<EngineFit>;

/** The same for any way to run the engine. A start that the engine cannot go on from is given up, with its code. */
export async function fitWith(
  run: Run,
  base: EngineOptions,
  start: PlannedStart,
): Promise<{ fit: EngineFit; start: FitStart }> {
  const { rho: _rho, beta: _beta, thetaStart: _theta, ...told } = start;
  let fit: EngineFit;
  try {
    fit = await run(withStart(base, start));
  } catch (e) {
    if (start.kind === "cold" || !isEngineFailure(e)) throw e;
    const { third: _third, ...plain } = base;
    return fitWith(run, plain, givenUp(start, e));
  }
  const checks = start.kind === "warm" && start.saturated.length > 0 && !base.fixedRho;
  if (!checks) return { fit, start: { ...told, basinChecks: 0, restarted: false } };
  // A parent's flat basin can hold a fold that belongs elsewhere: one look at the solver's own start of those coordinates.
  const holes = Array.from(fit.rho, (v, i) => (start.saturated.includes(i) ? null : v));
  const look = await unlessFailed(run({ ...base, ...QUICK, rho: holes, beta: Array.from(fit.beta) }));
  const basinChecks = look?.summary.iterations.criterionEvaluations ?? 0;
  if (!(look && look.summary.criterion < fit.summary.criterion))
    return { fit, start: { ...told, basinChecks, restarted: false } };
  const again = await unlessFailed(run(base));
  const better = again && again.summary.criterion < fit.summary.criterion;
  return { fit: better ? again : fit, start: { ...told, basinChecks, restarted: true } };
}

/** A failure of the fit itself: neither a cancelled call nor memory that is not there. */
const isEngineFailure = (e: unknown): e is XError => isXError(e) && e.code.startsWith("GAM_");

/** A look elsewhere may fail; the fit stands. */
async function unlessFailed(fit: Promise<EngineFit>): Promise<EngineFit | undefined> {
  try {
    return await fit;
  } catch (e) {
    if (isEngineFailure(e)) return undefined;
    throw e;
  }
}

/** The criterion at given smoothing parameters and nothing else. */
const QUICK = { fixedRho: true, covariances: false, tests: false } as const;
