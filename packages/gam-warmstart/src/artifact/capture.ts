import type { Describe, DescribedTerm } from "../engine-types.ts";
import { gamError } from "../errors.ts";
import { linkOf, predictorRoles } from "../family.ts";
import type { Prepared } from "../prepare.ts";
import {
  ARTIFACT_SCHEMA,
  artifactChecksum,
  creationTime,
  type FitArtifact,
  isFiniteTerm,
  type SerializableBasisMeta,
  type TermArtifact,
} from "./artifact.ts";
import { descriptorKey, type FitDescriptor, roleOf, type TermShape, termIdentity } from "./identity.ts";
import type { TermRole } from "./role.ts";
import type { TransferTarget } from "./transfer.ts";

/** A term of a model: its identity, and where its numbers lie in the engine's vectors. */
export interface PlacedTerm extends TransferTarget, TermShape {
  /** Places of its coefficients. */
  readonly places: readonly number[];
  readonly penaltyScale: readonly number[];
  readonly basis: SerializableBasisMeta;
  readonly levels?: Readonly<Record<string, readonly string[]>>;
}

/** What `termShapes` needs of a model. */
export type Shaped = Pick<Prepared, "spec" | "plan" | "shape"> & {
  readonly frame: Pick<Prepared["frame"], "variables" | "rows">;
};

/** The terms of a model, parametric parts first; each predictor's parametric part is one term. */
export function termShapes(model: Shaped): PlacedTerm[] {
  const { shape } = model;
  const roles = predictorRoles(model.spec.family, shape.predictors);
  return [
    ...parametricShapes(shape, roles),
    ...shape.terms.map((t) => smoothShape(t, roles[t.predictor]!, model)),
  ];
}

function parametricShapes(shape: Describe, roles: readonly TermRole[]): PlacedTerm[] {
  return roles.flatMap((role, predictor) => {
    const columns = shape.parametric.filter((c) => c.predictor === predictor);
    if (columns.length === 0) return [];
    const width = columns.length;
    const shapeOf: TermShape = {
      name: `parametric${predictor === 0 ? "" : `.${predictor}`}(${columns.map((c) => c.name).join(",")})`,
      role,
      penalties: [],
      nullDims: [],
      width,
    };
    const identityMatrix = Array.from({ length: width * width }, (_, i) => Number(i % (width + 1) === 0));
    return [
      {
        ...shapeOf,
        identity: termIdentity(shapeOf),
        rhoSlots: [],
        gauge: { rows: width, columns: width, data: identityMatrix },
        places: columns.map((c) => c.column),
        penaltyScale: [],
        basis: { kind: "parametric", centers: width, periodic: false },
      },
    ];
  });
}

function smoothShape(t: DescribedTerm, role: TermRole, model: Shaped): PlacedTerm {
  const spec = model.plan.spec.predictors[t.predictor]!.smooths.find((s) => s.label === t.label)!;
  const kinds = spec.margins?.map((m) => m.bs) ?? [spec.bs!];
  const shapeOf: TermShape = {
    name: t.label,
    role,
    penalties: t.penalties.map((p) => p.label),
    nullDims: t.nullDims,
    width: t.width,
  };
  return {
    ...shapeOf,
    identity: termIdentity(shapeOf),
    rhoSlots: t.penalties.map((p) => p.index),
    gauge: t.gauge,
    places: Array.from({ length: t.width }, (_, i) => t.from + i),
    penaltyScale: t.penalties.map((p) => p.scale),
    basis: {
      kind: spec.margins ? `${t.kind}(${kinds.join(",")})` : kinds[0]!,
      ...(t.knots ? { knots: t.knots.length } : {}),
      centers: t.rawWidth,
      ...(t.nullDims.length > 0 ? { nullspaceOrder: t.nullDims[0]! } : {}),
      periodic: kinds.some((k) => k === "cc" || k === "cp"),
    },
    ...randomLevels(spec.columns, model),
  };
}

function randomLevels(
  columns: readonly number[],
  model: Shaped,
): { levels?: Record<string, readonly string[]> } {
  const found = columns.flatMap((c) => {
    const source = model.plan.sources[c]!;
    const variable =
      "variable" in source ? model.frame.variables.find((v) => v.label === source.variable) : undefined;
    return variable?.random && variable.levels ? [[variable.label, variable.levels] as const] : [];
  });
  return found.length > 0 ? { levels: Object.fromEntries(found) } : {};
}

/** What a model is about. */
export function descriptorOf(model: Shaped, rowLabel?: string): FitDescriptor {
  const { spec, shape, frame } = model;
  return {
    family: { kind: spec.family.name, link: linkOf(spec.family), channels: shape.predictors },
    response: spec.formulas[0]!.response!.label,
    rows: { count: frame.rows.length, ...(rowLabel === undefined ? {} : { label: rowLabel }) },
    terms: termShapes(model).map((t) => t.identity),
  };
}

/** What a fit must show to be captured. */
export interface Capturable {
  readonly shaped: Shaped;
  readonly beta: Float64Array;
  readonly rho: Float64Array;
  readonly theta: readonly number[];
  readonly criterion: number;
  readonly converged: boolean;
}

/** Options of `captureArtifact`. */
export interface CaptureOptions {
  /** Seconds since 1970; `SOURCE_DATE_EPOCH` where absent, else no time at all. */
  readonly created?: number;
  /** A word about the rows, for people. */
  readonly rowLabel?: string;
}

/** The artifact of a fit: coefficients lifted through the gauge, rho by term. `ARTIFACT_VALUES` if any is not finite. */
export function capture(fit: Capturable, options: CaptureOptions = {}): FitArtifact {
  const descriptor = descriptorOf(fit.shaped, options.rowLabel);
  const terms = termShapes(fit.shaped).map((t): TermArtifact => {
    const reduced = t.places.map((at) => fit.beta[at]!);
    return {
      identity: t.identity,
      name: t.name,
      role: roleOf(t),
      basis: t.basis,
      beta: lift(t.gauge!, reduced),
      rho: t.rhoSlots.map((at) => fit.rho[at]!),
      penaltyScale: t.penaltyScale,
      ...(t.levels ? { levels: t.levels } : {}),
    };
  });
  const odd = terms.find((t) => !isFiniteTerm(t));
  if (odd)
    throw gamError(
      "ARTIFACT_VALUES",
      `${odd.name} holds a value that is not finite; the fit cannot be kept`,
      { details: { term: odd.name } },
    );
  const content = {
    schema: ARTIFACT_SCHEMA,
    created: creationTime(options.created),
    descriptor,
    key: descriptorKey(descriptor),
    terms,
    global: {
      objective: fit.criterion,
      converged: fit.converged,
      rows: fit.shaped.frame.rows.length,
      theta: [...fit.theta],
    },
  };
  return Object.freeze({ ...content, checksum: artifactChecksum(content) });
}

/** beta_raw = gauge · beta_reduced. */
function lift(
  gauge: { rows: number; columns: number; data: ArrayLike<number> },
  reduced: readonly number[],
): number[] {
  return Array.from({ length: gauge.rows }, (_, r) =>
    reduced.reduce((sum, b, c) => sum + gauge.data[r * gauge.columns + c]! * b, 0),
  );
}
