/**
 * The only importer of `@x/native-linalg`: every native call of this package goes through here, with cancel, progress
 * and error codes wired by `@x/core`.
 */
import { fromNative, isXError, runNative, xError } from "@x/core/base";
import binding, { type GamDesign, type GamFit } from "@x/native-linalg";
import type { DesignSpec } from "./data/design-spec.ts";
import type { BasisCheck, Concurvity } from "./diagnose.ts";
import type { Describe, EngineOptions, EngineProbe, EngineSummary } from "./engine-types.ts";
import { gamError } from "./errors.ts";

export type { GamDesign };

/** Options every native call takes. `threads` is always a resolved count. */
export interface NativeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly threads: number;
  readonly onProgress?: ((p: { stage: string; done: number; total: number }) => void) | undefined;
  readonly stage?: string;
}

/** What a native fit hands back. Matrices are row-major. */
export interface EngineFit {
  readonly summary: EngineSummary;
  /** With the option `probe`. */
  readonly probe: EngineProbe | null;
  readonly beta: Float64Array;
  readonly rho: Float64Array;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
  readonly vp: Float64Array;
  readonly ve: Float64Array;
  readonly vc: Float64Array;
  readonly edf: Float64Array;
  readonly edf1: Float64Array;
  readonly edf2: Float64Array;
  /** n × predictors; empty for a fit from cross-products. */
  readonly eta: Float64Array;
  /** cox.ph: time, cumulative hazard and what standard errors need, one row an event time; else empty. */
  readonly baseline: Float64Array;
}

type Job = InstanceType<typeof binding.Job>;

/** Cross-products of a model's rows by group. */
export interface GamCross {
  /** The fit of all rows but those of a group (−1: of all). */
  fit(job: Job, heldOut: number, options: string, threads: number): Promise<GamFit>;
}

/** Exports that older builds of the kernels do not have: looked for when they are needed. */
interface LaterDoor {
  gamCross?(
    job: Job,
    design: GamDesign,
    y: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    groups: Uint32Array,
    count: number,
    threads: number,
  ): Promise<GamCross>;
  gamConcurvity?(job: Job, design: GamDesign, beta: Float64Array, threads: number): Promise<string>;
  gamBasisCheck?(
    job: Job,
    design: GamDesign,
    edf: Float64Array,
    residuals: Float64Array,
    seed: number,
    draws: number,
    threads: number,
  ): Promise<string>;
}

const later = binding as unknown as LaterDoor;

/** The export, or `NOT_SUPPORTED`. */
function laterExport<K extends keyof LaterDoor>(name: K): NonNullable<LaterDoor[K]> {
  const found = later[name];
  if (found) return found as NonNullable<LaterDoor[K]>;
  throw gamError("NOT_SUPPORTED", `the kernels of this build lack ${name}; build them again (npm run build)`);
}

/** Can folds be fitted from cross-products? */
export const hasCrossProducts = (): boolean => later.gamCross !== undefined;

function run<T>(start: (job: Job) => Promise<T>, o: NativeOptions): Promise<T> {
  return runNative(binding.Job, start, { signal: o.signal, onProgress: o.onProgress, stage: o.stage });
}

function now<T>(call: () => T): T {
  try {
    return call();
  } catch (e) {
    throw fromNative(e);
  }
}

/** A design learned from rows: knots, constraints, penalties. */
export function makeDesign(
  spec: DesignSpec,
  columns: readonly Float64Array[],
  rows: number,
  o: NativeOptions,
): Promise<GamDesign> {
  return run((job) => binding.gamDesign(job, JSON.stringify(spec), [...columns], rows, o.threads), {
    ...o,
    stage: "design",
  });
}

/** The same bases, constraints and penalties on other rows. */
export function restoreDesign(
  state: string,
  columns: readonly Float64Array[],
  rows: number,
  o: NativeOptions,
): Promise<GamDesign> {
  return run((job) => binding.gamRestore(job, state, [...columns], rows, o.threads), {
    ...o,
    stage: "design",
  });
}

/** What a design is made of. */
export const describe = (design: GamDesign): Describe => now(() => JSON.parse(design.describe()) as Describe);

/** A design's frozen state as JSON text. */
export const designState = (design: GamDesign): string => now(() => design.state());

function parsed<T extends { summary: string }>(
  fit: T,
): Omit<T, "summary"> & Pick<EngineFit, "summary" | "probe"> {
  const { probe, ...summary } = JSON.parse(fit.summary) as EngineSummary & Pick<EngineFit, "probe">;
  return { ...fit, summary, probe };
}

const NONE = new Float64Array(0);

/** A failure with the name of the coefficient it means, and of the fold. */
export function explained(e: unknown, names: readonly string[], fold?: string): unknown {
  if (!isXError(e) || !e.code.startsWith("GAM_")) return e;
  const details = e.details as Readonly<Record<string, unknown>> | undefined;
  const name = e.code === "GAM_RANK" && fold === undefined ? names[Number(details?.column)] : undefined;
  const message =
    name === undefined ? e.message : e.message.replace(/coefficient \d+/, `the coefficient ${name}`);
  return xError(e.code, fold === undefined ? message : `without ${fold}: ${message}`, {
    details: { ...details, ...(name === undefined ? {} : { coefficient: name }), ...(fold ? { fold } : {}) },
    cause: e,
  });
}

/** Fits. Absent weights and offset are empty. */
export async function fitDesign(
  design: GamDesign,
  y: Float64Array,
  weights: Float64Array | undefined,
  offset: Float64Array | undefined,
  options: EngineOptions,
  o: NativeOptions,
): Promise<EngineFit> {
  const fit = await run(
    (job) =>
      binding.gamFit(job, design, y, weights ?? NONE, offset ?? NONE, JSON.stringify(options), o.threads),
    {
      ...o,
      stage: "fit",
    },
  ).catch((e: unknown) => {
    throw explained(e, describe(design).coefficientNames);
  });
  return parsed(fit);
}

/** Linear predictors and, with a covariance, their standard errors; n × predictors. */
export function predictDesign(
  design: GamDesign,
  beta: Float64Array,
  v: Float64Array | undefined,
  offset: Float64Array | undefined,
  o: NativeOptions,
): Promise<{ fit: Float64Array; se: Float64Array }> {
  const none = new Uint32Array(0);
  return run((job) => binding.gamPredict(job, design, beta, v ?? NONE, offset ?? NONE, none, o.threads), o);
}

/** Predictions on the response scale; n × outputs. `theta` of the options is that of the fit. */
export function predictResponse(
  design: GamDesign,
  options: EngineOptions,
  beta: Float64Array,
  v: Float64Array | undefined,
  offset: Float64Array | undefined,
  o: NativeOptions,
): Promise<{ fit: Float64Array; se: Float64Array }> {
  const text = JSON.stringify(options);
  return run((job) => binding.gamResponse(job, design, text, beta, v ?? NONE, offset ?? NONE, o.threads), o);
}

/** Survival probabilities of a Cox model, rows × times. */
export function survivalOf(
  design: GamDesign,
  baseline: Float64Array,
  beta: Float64Array,
  v: Float64Array | undefined,
  offset: Float64Array | undefined,
  times: Float64Array,
  o: NativeOptions,
): Promise<{ fit: Float64Array; se: Float64Array }> {
  return run(
    (job) => binding.gamSurvival(job, design, baseline, beta, v ?? NONE, offset ?? NONE, times, o.threads),
    o,
  );
}

/** Each term's part; n × terms, parametric terms first. */
export function termsOf(
  design: GamDesign,
  beta: Float64Array,
  v: Float64Array | undefined,
  o: NativeOptions,
): Promise<{ fit: Float64Array; se: Float64Array }> {
  return run((job) => binding.gamTerms(job, design, beta, v ?? NONE, o.threads), o);
}

/** Rows of the model matrix, row-major. */
export const matrixRows = (design: GamDesign, from: number, to: number): Float64Array =>
  now(() => design.matrix(from, to));

/** Inverse link and its derivative, n × outputs; the family's parameters are in the options. */
export const inverseLink = (
  options: EngineOptions,
  eta: Float64Array,
): { mu: Float64Array; dmu: Float64Array } => now(() => binding.gamLink(JSON.stringify(options), eta));

/** Residuals of a kind, one a row. */
export const residualsOf = (
  options: EngineOptions,
  kind: string,
  y: Float64Array,
  eta: Float64Array,
  weights: Float64Array | undefined,
): Float64Array => now(() => binding.gamResiduals(JSON.stringify(options), kind, y, eta, weights ?? NONE));

/** Draws from N(beta, V), one a row. */
export function sampleCoefficients(
  beta: Float64Array,
  v: Float64Array,
  draws: number,
  seed: number,
  o: NativeOptions,
): Promise<Float64Array> {
  return run((job) => binding.gamSample(job, beta, v, draws, seed, o.threads), o);
}

/** Concurvity of every term. */
export async function concurvity(
  design: GamDesign,
  beta: Float64Array,
  o: NativeOptions,
): Promise<Concurvity> {
  return JSON.parse(
    await run((job) => laterExport("gamConcurvity")(job, design, beta, o.threads), o),
  ) as Concurvity;
}

/** Basis dimension check of every smooth. */
export async function basisCheck(
  design: GamDesign,
  edf: Float64Array,
  residuals: Float64Array,
  seed: number,
  draws: number,
  o: NativeOptions,
): Promise<readonly BasisCheck[]> {
  return JSON.parse(
    await run((job) => laterExport("gamBasisCheck")(job, design, edf, residuals, seed, draws, o.threads), o),
  ) as BasisCheck[];
}

/** Cross-products of the rows by group, in one pass; gaussian with identity link only. */
export function crossProducts(
  design: GamDesign,
  y: Float64Array,
  weights: Float64Array | undefined,
  offset: Float64Array | undefined,
  groups: Uint32Array,
  count: number,
  o: NativeOptions,
): Promise<GamCross> {
  return run(
    (job) =>
      laterExport("gamCross")(job, design, y, weights ?? NONE, offset ?? NONE, groups, count, o.threads),
    { ...o, stage: "cross-products" },
  );
}

/** The fit of all rows but those of a group (−1: of all), from cross-products. */
export async function fitCross(
  cross: GamCross,
  heldOut: number,
  options: EngineOptions,
  o: NativeOptions,
): Promise<EngineFit> {
  return parsed(
    await run((job) => cross.fit(job, heldOut, JSON.stringify(options), o.threads), { ...o, stage: "fit" }),
  );
}

/** ln P(X > x) of a chi-squared variable. */
export const lnChisqSf = (x: number, df: number): number => now(() => binding.lnChisqSf(x, df));

/** ln P(X > x) of an F variable. */
export const lnFSf = (x: number, d1: number, d2: number): number => now(() => binding.lnFSf(x, d1, d2));

/** The SIMD level of the kernels. */
export const simdLevel = (): string => now(() => binding.simd().level);
