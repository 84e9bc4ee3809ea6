import { Fingerprint } from "./fingerprint.ts";
import { fromBlockName, ROLE_BYTE, type TermRole } from "./role.ts";

/** What makes two terms the same term, whatever the rows: no value of the data is in it. */
export interface TermShape {
  /** `s(x)`; the parametric block is `parametric` and its column names. */
  readonly name: string;
  /** What it models; guessed by `fromBlockName` when absent. */
  readonly role?: TermRole;
  /** One a penalty; null where it has no label. */
  readonly penalties: readonly (string | null)[];
  /** Dimensions of the penalties' null spaces. */
  readonly nullDims: readonly number[];
  /** Columns realised after the identifiability constraints. */
  readonly width: number;
}

/** The role of a term: the stated one, else a guess by its name. */
export function roleOf(term: TermShape): TermRole {
  return term.role ?? fromBlockName(term.name);
}

/** Identity of a term (version 2: with the realised width), 64 hexadecimal digits. */
export function termIdentity(term: TermShape): string {
  const f = new Fingerprint()
    .tag("fit-artifact-block-identity-v2")
    .bytes("role", Uint8Array.of(ROLE_BYTE[roleOf(term)]))
    .text("name", term.name)
    .u64("penalties", term.penalties.length);
  for (const label of term.penalties) {
    if (label === null) f.tag("none");
    else f.text("label", label);
  }
  f.u64("nullspaces", term.nullDims.length);
  for (const dim of term.nullDims) f.u64("dim", dim);
  return f.u64("width", term.width).hex();
}

/** What a fit is about: enough to find fits it can start from. Rows and response are told, never hashed. */
export interface FitDescriptor {
  /** Family, link and number of linear predictors. */
  readonly family: {
    /** mgcv's name of the family. */
    readonly kind: string;
    /** Link of the first linear predictor. */
    readonly link: string;
    /** Number of linear predictors. */
    readonly channels: number;
  };
  /** The response's label; for people. */
  readonly response: string;
  /** Which rows; for people. */
  readonly rows: {
    /** How many. */
    readonly count: number;
    /** A word about them. */
    readonly label?: string;
  };
  /** Identities of the terms, in the model's order. */
  readonly terms: readonly string[];
}

/** Key of a descriptor: family and the sorted identities; not the rows, the response or the order of the terms. */
export function descriptorKey(descriptor: Pick<FitDescriptor, "family" | "terms">): string {
  const { family, terms } = descriptor;
  const f = new Fingerprint()
    .tag("fit-artifact-descriptor-v1")
    .text("family", `${family.kind}/${family.link}/${family.channels}`)
    .u64("terms", terms.length);
  for (const identity of [...terms].sort()) f.bytes("term", Buffer.from(identity, "hex"));
  return f.hex();
}
