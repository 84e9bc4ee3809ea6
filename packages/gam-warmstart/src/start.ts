import { isXError, type XError } from "@x/core/base";
import type { FitArtifact } from "./artifact/artifact.ts";
import { descriptorOf, termShapes } from "./artifact/capture.ts";
import { checkArtifact } from "./artifact/read.ts";
import { type TransferProvenance, transfer } from "./artifact/transfer.ts";
import type { EngineOptions } from "./engine-types.ts";
import type { Family } from "./family.ts";
import type { Prepared } from "./prepare.ts";

/**
 * Bound on the log smoothing parameters that a fit starts from. A term at infinity starts where its tail can still be
 * measured, so that one look tells whether the related fit has it at infinity too.
 */
export const START_CLAMP = 15;

/** Where one term began. */
export interface TermStart {
  /** Label; `parametric(…)` with the names of its columns for a parametric part. */
  readonly name: string;
  /** Coefficients and rho, rho only, nothing, or the stored point itself. */
  readonly provenance: TransferProvenance | "exact";
}

/** How a fit began. */
export interface FitStart {
  /** `exact`: at the stored point of the same data and model. */
  readonly kind: "cold" | "warm" | "exact";
  /** Why a fit that was given an artifact began cold: its code. */
  readonly reason?: string;
  /** The reason in words. */
  readonly message?: string;
  /** Where each term's start came from; the parametric parts come first. */
  readonly terms: readonly TermStart[];
  /** Coordinates of rho whose parent was saturated. */
  readonly saturated: readonly number[];
  /** Criterion evaluations of the check for a better basin, its start included; not among the fit's own. */
  readonly basinChecks: number;
  /** Did the check find a better basin, so that the fit was done again from the cold start? */
  readonly restarted: boolean;
}

/** A start for the engine. */
export interface PlannedStart extends Omit<FitStart, "basinChecks" | "restarted"> {
  readonly rho: readonly (number | null)[] | null;
  readonly beta: readonly number[] | null;
  readonly thetaStart: readonly number[] | null;
}

/** Plans a warm start. Never throws because of the artifact: the reason of a cold start is its code. */
export function planStart(prepared: Prepared, given: unknown, exact = false): PlannedStart {
  const shapes = termShapes(prepared);
  const cold = (reason?: string, message?: string): PlannedStart => ({
    kind: "cold",
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    terms: shapes.map(({ name }) => ({ name, provenance: "cold" })),
    saturated: [],
    rho: null,
    beta: null,
    thetaStart: null,
  });
  if (given === undefined) return cold();
  let parent: FitArtifact;
  try {
    parent = checkArtifact(given);
  } catch (e) {
    if (isXError(e)) return cold(e.code, (e as XError).message);
    return cold("ARTIFACT_FORMAT", "this is no artifact");
  }
  const places = Array.from({ length: prepared.shape.penaltyCount }, () => Number.NaN);
  // The stored point of the same fit is taken as it is.
  const clamp = exact ? Number.POSITIVE_INFINITY : START_CLAMP;
  const moved = transfer(parent, descriptorOf(prepared), shapes, places, { clamp });
  if (!moved.ok)
    return cold(
      moved.code,
      moved.code === "PARENT_UNUSABLE"
        ? "the parent did not converge or holds values that are not finite"
        : "the parent is of another family",
    );
  if (moved.matched === 0)
    return cold("DESCRIPTOR_MISMATCH", "no term of the parent is a term of this model");
  const theta = startTheta(
    prepared.spec.family,
    prepared.response.classes?.length ?? 0,
    parent.global.theta,
    exact,
  );
  if (typeof theta === "string")
    return cold(
      "ARTIFACT_VALUES",
      `the parent's parameters of ${prepared.spec.family.name} should be ${theta}`,
    );
  const rho = moved.rho.map((v) => (Number.isNaN(v) ? null : v));
  // Without the intercept's coefficients the others are no start: the linear predictor would be far off.
  const anchored = shapes.every((s, i) => s.rhoSlots.length > 0 || moved.provenance[i] === "projected");
  return {
    kind: "warm",
    terms: shapes.map(({ name }, i) => ({ name, provenance: moved.provenance[i]! })),
    saturated: moved.saturated,
    rho,
    beta: anchored ? coefficients(prepared, moved.beta, shapes) : null,
    thetaStart: theta,
  };
}

/** The cold start after a start that the engine failed from. */
export function givenUp(start: PlannedStart, why: XError): PlannedStart {
  return {
    kind: "cold",
    reason: why.code,
    message: `the fit failed from this start: ${why.message}`,
    terms: start.terms.map(({ name }) => ({ name, provenance: "cold" })),
    saturated: [],
    rho: null,
    beta: null,
    thetaStart: null,
  };
}

/**
 * Parameters of a family that a fit can start from, or what is wrong with them. Far out, where a family's likelihood is flat
 * in them, they are brought back to where the search can move.
 */
function startTheta(
  { name }: Family,
  classes: number,
  theta: readonly number[],
  exact: boolean,
): readonly number[] | string | null {
  if (theta.length === 0) return null;
  const near = (v: number): number => (exact ? v : Math.min(THETA_CLAMP, Math.max(1 / THETA_CLAMP, v)));
  if (name === "nb" || name === "betar")
    return theta.length === 1 && theta[0]! > 0 ? theta.map(near) : "one positive number";
  if (name === "tw") {
    const good = theta.length <= 2 && theta[0]! > 1 && theta[0]! < 2 && !(theta[1]! <= 0);
    return good ? theta : "a power between 1 and 2, and a positive dispersion";
  }
  if (name === "ocat") {
    const good = theta.length === classes - 1 && theta.every((v, i) => i === 0 || v > theta[i - 1]!);
    return good ? theta : `${classes - 1} cut points, ascending`;
  }
  return "none";
}

/** Bound on a dispersion parameter that a fit starts from, and on its inverse. */
const THETA_CLAMP = 1e3;

/** Coefficients in the model's order from those of the terms. */
function coefficients(
  prepared: Prepared,
  beta: readonly (readonly number[])[],
  shapes: readonly { places: readonly number[] }[],
): number[] {
  const out = Array.from({ length: prepared.shape.width }, () => 0);
  shapes.forEach(({ places }, t) => {
    places.forEach((at, i) => {
      out[at] = beta[t]![i]!;
    });
  });
  return out;
}

/** The engine's options with a start in them. */
export function withStart(options: EngineOptions, start: PlannedStart): EngineOptions {
  return {
    ...options,
    rho: start.rho ?? options.rho,
    beta: start.beta ?? options.beta,
    thetaStart: options.theta ? null : start.thetaStart,
  };
}
