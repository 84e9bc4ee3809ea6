import { sha256Hex } from "@x/core/base";
import { gamError } from "../errors.ts";
import type { FitDescriptor } from "./identity.ts";
import type { TermRole } from "./role.ts";

/** Version of the artifact's form; others are refused. */
export const ARTIFACT_SCHEMA = 1;

/**
 * |rho| from here on counts as saturated: the smooth lies in its null space, or is unpenalised. The scale is mgcv's: every
 * penalty is divided by (its 1-norm) / (the infinity norm of the basis)², see `penaltyScale`.
 */
export const SATURATED_RHO = 9;

/** A matrix as JSON, row by row. */
export interface SerializableMatrix {
  /** Rows. */
  readonly rows: number;
  /** Columns. */
  readonly columns: number;
  /** Entries, row by row. */
  readonly data: readonly number[];
}

/** What a term's basis was; for people and for checks. */
export interface SerializableBasisMeta {
  /** `cr`, `tp`, `te(cr,ps)`, `parametric`. */
  readonly kind: string;
  /** Degree of the pieces, of splines. */
  readonly degree?: number;
  /** Number of knots. */
  readonly knots?: number;
  /** Columns of the raw basis. */
  readonly centers?: number;
  /** Dimension of the null space. */
  readonly nullspaceOrder?: number;
  /** Smoothness of a Matérn kernel. */
  readonly maternNu?: number;
  /** Do the ends meet? */
  readonly periodic: boolean;
}

/** What a converged fit knows about one term. */
export interface TermArtifact {
  /** `termIdentity`. */
  readonly identity: string;
  /** Label of the term. */
  readonly name: string;
  /** What the term models. */
  readonly role: TermRole;
  /** What its basis was. */
  readonly basis: SerializableBasisMeta;
  /** Coefficients of the raw basis: lifted through the constraint's gauge. */
  readonly beta: readonly number[];
  /** Log smoothing parameters of this term's penalties. */
  readonly rho: readonly number[];
  /** What each penalty matrix was divided by: log λ of the raw penalty is `rho − log(scale)`. */
  readonly penaltyScale: readonly number[];
  /** Rotation of the penalties' joint null space, where an engine has one. */
  readonly jointNullRotation?: SerializableMatrix;
  /** Levels of the factors of a random-effect term, so that a fold without one of them still has its column. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
}

/** How the fit ended. */
export interface GlobalFitSummary {
  /** The criterion that was minimised. */
  readonly objective: number;
  /** Did the fit end with a certificate? */
  readonly converged: boolean;
  /** Rows fitted. */
  readonly rows: number;
  /** Parameters of the family that were estimated. */
  readonly theta: readonly number[];
}

/** A converged fit as a starting point for related fits. Plain JSON; no row of the data is inside. */
export interface FitArtifact {
  /** `ARTIFACT_SCHEMA`. */
  readonly schema: number;
  /** Seconds since 1970, from the caller or `SOURCE_DATE_EPOCH`; null where neither is given. Outside the checksum. */
  readonly created: number | null;
  /** What the fit is about. */
  readonly descriptor: FitDescriptor;
  /** `descriptorKey(descriptor)`. */
  readonly key: string;
  /** One a term, in the order of the descriptor. */
  readonly terms: readonly TermArtifact[];
  /** How the fit ended. */
  readonly global: GlobalFitSummary;
  /** SHA-256 of everything but `created` and itself. */
  readonly checksum: string;
}

const finite = (values: Iterable<number>): boolean => {
  for (const v of values) if (!Number.isFinite(v)) return false;
  return true;
};

/** Are coefficients, smoothing parameters and rotation of a term all finite, and as many as they should be? */
export function isFiniteTerm(term: Pick<TermArtifact, "beta" | "rho" | "jointNullRotation">): boolean {
  const r = term.jointNullRotation;
  return (
    finite(term.beta) && finite(term.rho) && (!r || (finite(r.data) && r.data.length === r.rows * r.columns))
  );
}

/** May another fit start from it: this schema, converged, objective finite, every term finite? */
export function isUsable(artifact: Pick<FitArtifact, "schema" | "global" | "terms">): boolean {
  return (
    artifact.schema === ARTIFACT_SCHEMA &&
    artifact.global.converged &&
    Number.isFinite(artifact.global.objective) &&
    artifact.terms.every(isFiniteTerm)
  );
}

/** JSON with sorted keys: one text for one value. `ARTIFACT_VALUES` for NaN and infinities, which JSON lacks. */
export function canonicalJson(value: unknown, path = ""): string {
  if (typeof value === "number" && !Number.isFinite(value))
    throw gamError(
      "ARTIFACT_VALUES",
      `${path || "value"} is ${value}; an artifact holds finite numbers only`,
      { details: { field: path } },
    );
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map((v, i) => canonicalJson(v, `${path}[${i}]`)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v, path ? `${path}.${k}` : k)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Checksum of an artifact's content: all but `created` and `checksum`. */
export function artifactChecksum(artifact: Omit<FitArtifact, "checksum">): string {
  const { created: _created, checksum: _checksum, ...content } = artifact as FitArtifact;
  return sha256Hex(canonicalJson(content));
}

/** Do two artifacts say the same? The time of creation does not count. */
export function sameArtifact(a: FitArtifact, b: FitArtifact): boolean {
  return artifactChecksum(a) === artifactChecksum(b);
}

/** The creation time: the caller's, else `SOURCE_DATE_EPOCH`, else none. `ARTIFACT_CREATED` for one that is no number. */
export function creationTime(given: number | undefined, env: NodeJS.ProcessEnv = process.env): number | null {
  const value = given ?? (env.SOURCE_DATE_EPOCH ? Number(env.SOURCE_DATE_EPOCH) : undefined);
  if (value === undefined) return null;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  const name = given === undefined ? "SOURCE_DATE_EPOCH" : "created";
  throw gamError(
    "ARTIFACT_CREATED",
    `${name} must be whole seconds since 1970, got ${given ?? env.SOURCE_DATE_EPOCH}`,
    { usage: true },
  );
}
