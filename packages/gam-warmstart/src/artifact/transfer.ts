import type { FitArtifact, TermArtifact } from "./artifact.ts";
import { isUsable, SATURATED_RHO } from "./artifact.ts";
import { descriptorKey, type FitDescriptor } from "./identity.ts";

/** Where a term's start comes from. */
export type TransferProvenance = "projected" | "rho-only" | "cold";

/** Copied log smoothing parameters are kept within ± this by default. */
export const RHO_CLAMP = 8;

/** A projected coefficient beyond this is no start. */
const MAX_COEFFICIENT = 1e6;

/** A term of the new fit. */
export interface TransferTarget {
  /** `termIdentity` of the term. */
  readonly identity: string;
  /** Places of its penalties in the new fit's rho. */
  readonly rhoSlots: readonly number[];
  /** Columns after the constraints. */
  readonly width: number;
  /** Gauge of the new fit, raw × width, row-major: `beta_raw = T · theta`. Absent: coefficients start at zero. */
  readonly gauge?: Gauge | undefined;
}

/** The start of the new fit. */
export interface Transfer {
  /** One a penalty: copied within the clamp, or the default. */
  readonly rho: number[];
  /** Coefficients a term, always of the new width; zeros where nothing could be projected. */
  readonly beta: number[][];
  /** Where each term's start comes from. */
  readonly provenance: TransferProvenance[];
  /** Places in rho whose parent was saturated, before clamping. */
  readonly saturated: number[];
  /** Terms whose place in the parent held no finite value or another shape. */
  readonly matched: number;
}

/** Why nothing was transferred. */
export type TransferRefusal = "PARENT_UNUSABLE" | "DESCRIPTOR_MISMATCH";

/** A start that was carried over. */
export interface TransferDone extends Transfer {
  /** Tells the two outcomes apart. */
  readonly ok: true;
}

/** No start. */
export interface TransferRefused {
  /** Tells the two outcomes apart. */
  readonly ok: false;
  /** Why. */
  readonly code: TransferRefusal;
}

/** A transfer, or why there is none. */
export type TransferResult = TransferDone | TransferRefused;

/** A constraint's gauge: `beta_raw = T · theta`, row-major. */
export interface Gauge {
  /** Raw coefficients. */
  readonly rows: number;
  /** Coefficients after the constraint. */
  readonly columns: number;
  /** Entries, row by row. */
  readonly data: ArrayLike<number>;
}

/** Options of `transfer`. */
export interface TransferOptions {
  /** Bound on copied rho; `RHO_CLAMP` by default. */
  readonly clamp?: number;
  /** Refuse unless all terms agree (the keys are equal)? False by default: matching is per term. */
  readonly wholeModel?: boolean;
}

/**
 * Carries a parent's smoothing parameters and coefficients over to a related fit, term by term. rho is copied within the
 * clamp, a saturated one too; beta is projected into the new gauge by least squares. Never throws: a parent that is not
 * usable, or another family, gives the reason.
 */
export function transfer(
  parent: FitArtifact,
  descriptor: Pick<FitDescriptor, "family" | "terms">,
  targets: readonly TransferTarget[],
  defaultRho: readonly number[],
  options: TransferOptions = {},
): TransferResult {
  const { clamp = RHO_CLAMP, wholeModel = false } = options;
  if (!isUsable(parent)) return { ok: false, code: "PARENT_UNUSABLE" };
  const [ours, theirs] = [descriptor.family, parent.descriptor.family];
  const sameFamily =
    ours.kind === theirs.kind && ours.link === theirs.link && ours.channels === theirs.channels;
  if (!sameFamily || (wholeModel && descriptorKey(descriptor) !== parent.key))
    return { ok: false, code: "DESCRIPTOR_MISMATCH" };
  const unused = new Map<string, TermArtifact[]>();
  for (const term of parent.terms) unused.set(term.identity, [...(unused.get(term.identity) ?? []), term]);
  const rho = [...defaultRho];
  const saturated: number[] = [];
  let matched = 0;
  const beta: number[][] = [];
  const provenance = targets.map((target): TransferProvenance => {
    const zeros = Array.from({ length: target.width }, () => 0);
    const term = unused.get(target.identity)?.shift();
    if (!term) {
      beta.push(zeros);
      return "cold";
    }
    matched++;
    const copied = copyRho(term, target, rho, saturated, clamp);
    const projected = project(term, target);
    beta.push(projected ?? zeros);
    return projected ? "projected" : copied > 0 ? "rho-only" : "cold";
  });
  return { ok: true, rho, beta, provenance, saturated, matched };
}

function copyRho(
  term: TermArtifact,
  target: TransferTarget,
  rho: number[],
  saturated: number[],
  clamp: number,
): number {
  if (term.rho.length !== target.rhoSlots.length) return 0;
  let copied = 0;
  term.rho.forEach((value, i) => {
    const slot = target.rhoSlots[i]!;
    if (!Number.isFinite(value) || !(slot >= 0 && slot < rho.length)) return;
    rho[slot] = Math.min(clamp, Math.max(-clamp, value));
    if (Math.abs(value) >= SATURATED_RHO) saturated.push(slot);
    copied++;
  });
  return copied;
}

function project(term: TermArtifact, { gauge, width }: TransferTarget): number[] | undefined {
  if (
    !gauge ||
    gauge.columns !== width ||
    gauge.rows !== term.beta.length ||
    gauge.data.length !== gauge.rows * width
  )
    return undefined;
  const theta = projectBeta(gauge.data, term.beta, width);
  return theta?.every((v) => Math.abs(v) <= MAX_COEFFICIENT) ? theta : undefined;
}

/**
 * theta = (T'T + εI)⁻¹ T' beta by Cholesky, ε = max(1e-8 trace/width, 1e-12). Undefined when T or beta is not finite or the
 * factorisation fails. T is row-major, `beta.length` × `width`.
 */
export function projectBeta(
  t: ArrayLike<number>,
  beta: ArrayLike<number>,
  width: number,
): number[] | undefined {
  const rows = beta.length;
  const a = new Float64Array(width * width);
  const b = new Float64Array(width);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < width; i++) {
      const v = t[r * width + i]!;
      if (v === 0) continue;
      b[i]! += v * beta[r]!;
      for (let j = 0; j <= i; j++) a[i * width + j]! += v * t[r * width + j]!;
    }
  let trace = 0;
  for (let i = 0; i < width; i++) trace += a[i * width + i]!;
  const ridge = Math.max((1e-8 * trace) / width, 1e-12);
  for (let i = 0; i < width; i++) a[i * width + i]! += ridge;
  return choleskySolve(a, b, width);
}

function choleskySolve(a: Float64Array, b: Float64Array, n: number): number[] | undefined {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (i !== j) a[i * n + j] = sum / a[j * n + j]!;
      else if (sum > 0) a[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i]! -= a[i * n + k]! * b[k]!;
    b[i]! /= a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i]! -= a[k * n + i]! * b[k]!;
    b[i]! /= a[i * n + i]!;
  }
  return b.every(Number.isFinite) ? [...b] : undefined;
}
