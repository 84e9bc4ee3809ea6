import { readFileSync, statSync } from "node:fs";
import { fileError, fromSystemError, isXError, writeFileAtomic, xError } from "@x/core/base";
import { gamFileError } from "../errors.ts";
import {
  ARTIFACT_SCHEMA,
  artifactChecksum,
  canonicalJson,
  type FitArtifact,
  isFiniteTerm,
  type TermArtifact,
} from "./artifact.ts";
import { descriptorKey } from "./identity.ts";

/** No artifact of ours comes near; a larger file is not read. */
const MAX_BYTES = 256 * 2 ** 20;

const HEX = /^[0-9a-f]{64}$/;

/**
 * Reads an artifact and refuses a bad one: `ARTIFACT_TRUNCATED`, `ARTIFACT_FORMAT` (no JSON, a field missing, unknown or
 * of another type), `ARTIFACT_VERSION`, `ARTIFACT_PATH` (a key that is no digest), `ARTIFACT_VALUES` (not finite, or not
 * as many as the shape says), `ARTIFACT_HASH`, `ARTIFACT_LIMIT` (over 256 MiB), `DECOMPRESS_LIMIT` (compressed; nothing
 * is inflated), `NOT_A_FILE` (a folder, a pipe, a device).
 */
export function readArtifact(path: string): FitArtifact {
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    // Nothing else ends: a pipe would be waited for.
    if (!stat.isFile()) throw fileError("NOT_A_FILE", path, "an artifact is read from a regular file only");
    if (stat.size > MAX_BYTES)
      throw gamFileError("ARTIFACT_LIMIT", path, `${stat.size} bytes; an artifact has at most ${MAX_BYTES}`);
    bytes = readFileSync(path);
  } catch (e) {
    if (isXError(e)) throw e;
    throw fromSystemError(e, path);
  }
  return parseArtifact(bytes, path);
}

/** The same from bytes or text that are in memory. */
export function parseArtifact(bytes: Uint8Array | string, path = "artifact"): FitArtifact {
  if (
    typeof bytes !== "string" &&
    /^(1f8b|504b0304|28b52ffd)/.test(Buffer.from(bytes.subarray(0, 4)).toString("hex"))
  )
    throw xError(
      "DECOMPRESS_LIMIT",
      `${path}: this is compressed; an artifact is plain JSON and nothing is inflated`,
      { details: { path, limit: 0 } },
    );
  const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const cut = !text.trimEnd().endsWith("}");
    throw gamFileError(
      cut ? "ARTIFACT_TRUNCATED" : "ARTIFACT_FORMAT",
      path,
      cut ? "the file ends before its closing brace; it was cut while being copied" : "this is no JSON",
      { cause, bytes: text.length },
    );
  }
  return checkArtifact(json, path);
}

/** Checks a value that should be an artifact; see `readArtifact`. */
export function checkArtifact(value: unknown, path = "artifact"): FitArtifact {
  const refuse = (
    code: "ARTIFACT_FORMAT" | "ARTIFACT_VALUES" | "ARTIFACT_PATH",
    message: string,
    field: string,
  ): never => {
    throw gamFileError(code, path, message, { field });
  };
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse("ARTIFACT_FORMAT", "an object was expected", "");
  const schema = (value as { schema?: unknown }).schema;
  if (typeof schema === "number" && schema !== ARTIFACT_SCHEMA)
    throw gamFileError(
      "ARTIFACT_VERSION",
      path,
      `schema ${schema}; this version reads ${ARTIFACT_SCHEMA}. Fit the parent again with this version`,
      {
        found: schema,
        supported: ARTIFACT_SCHEMA,
      },
    );
  match(value, ARTIFACT, "", refuse);
  const a = value as FitArtifact;
  for (const [field, hash] of [
    ["key", a.key],
    ["checksum", a.checksum],
    ...a.descriptor.terms.map((t, i) => [`descriptor.terms[${i}]`, t]),
    ...a.terms.map((t, i) => [`terms[${i}].identity`, t.identity]),
  ] as [string, string][])
    if (!HEX.test(hash))
      refuse("ARTIFACT_PATH", `${field} must be 64 hexadecimal digits, not "${hash.slice(0, 40)}"`, field);
  a.terms.forEach((t, i) => {
    checkTerm(t, `terms[${i}]`, refuse);
  });
  if (a.terms.length !== a.descriptor.terms.length)
    refuse(
      "ARTIFACT_VALUES",
      `${a.terms.length} terms, the descriptor names ${a.descriptor.terms.length}`,
      "terms",
    );
  if (artifactChecksum(a) !== a.checksum)
    throw gamFileError(
      "ARTIFACT_HASH",
      path,
      "the checksum does not fit the content; the file was changed or damaged",
      { field: "checksum" },
    );
  if (descriptorKey(a.descriptor) !== a.key)
    throw gamFileError("ARTIFACT_HASH", path, "the key does not fit the descriptor", { field: "key" });
  return a;
}

type Refuse = (code: "ARTIFACT_FORMAT" | "ARTIFACT_VALUES", message: string, field: string) => never;

function checkTerm(t: TermArtifact, field: string, refuse: Refuse): void {
  if (!isFiniteTerm(t))
    refuse(
      "ARTIFACT_VALUES",
      `${field} (${t.name}) holds a value that is not finite, or a rotation of the wrong size`,
      field,
    );
  const { centers } = t.basis;
  if (centers !== undefined && t.beta.length !== centers)
    refuse(
      "ARTIFACT_VALUES",
      `${field} (${t.name}) has ${t.beta.length} coefficients, its basis ${centers} columns`,
      field,
    );
  if (t.penaltyScale.length !== t.rho.length)
    refuse(
      "ARTIFACT_VALUES",
      `${field} (${t.name}) has ${t.rho.length} rho and ${t.penaltyScale.length} scales`,
      field,
    );
}

/** The shape of the JSON: a type's name, a list of one shape, or an object; `?` marks what may be absent. */
type Shape = string | readonly [Shape] | { readonly [key: string]: Shape };

const TERM: Shape = {
  identity: "string",
  name: "string",
  role: "mean|log-slope|generic",
  basis: {
    kind: "string",
    "degree?": "number",
    "knots?": "number",
    "centers?": "number",
    "nullspaceOrder?": "number",
    "maternNu?": "number",
    periodic: "boolean",
  },
  beta: ["number"],
  rho: ["number"],
  penaltyScale: ["number"],
  "jointNullRotation?": { rows: "number", columns: "number", data: ["number"] },
  "levels?": "levels",
};

const ARTIFACT: Shape = {
  schema: "number",
  created: "time",
  descriptor: {
    family: { kind: "string", link: "string", channels: "number" },
    response: "string",
    rows: { count: "number", "label?": "string" },
    terms: ["string"],
  },
  key: "string",
  terms: [TERM],
  global: { objective: "number", converged: "boolean", rows: "number", theta: ["number"] },
  checksum: "string",
};

function match(value: unknown, shape: Shape, at: string, refuse: Refuse): void {
  if (typeof shape === "string") {
    matchType(value, shape, at, refuse);
    return;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) refuse("ARTIFACT_FORMAT", `${at} must be a list`, at);
    value.forEach((v, i) => {
      match(v, shape[0], `${at}[${i}]`, refuse);
    });
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse("ARTIFACT_FORMAT", `${at || "the artifact"} must be an object`, at);
  const fields = shape as Readonly<Record<string, Shape>>;
  const known = Object.keys(fields).map((k) => k.replace("?", ""));
  const odd = Object.keys(value).find((k) => !known.includes(k));
  const where = (name: string): string => (at ? `${at}.${name}` : name);
  if (odd !== undefined) refuse("ARTIFACT_FORMAT", `${where(odd)} is no field of an artifact`, where(odd));
  for (const key of Object.keys(fields)) {
    const name = key.replace("?", "");
    if (!Object.hasOwn(value, name)) {
      if (!key.endsWith("?")) refuse("ARTIFACT_FORMAT", `${where(name)} is missing`, where(name));
    } else match((value as Record<string, unknown>)[name], fields[key]!, where(name), refuse);
  }
}

/** null where a number should be is what JSON makes of NaN. */
function matchType(value: unknown, type: string, at: string, refuse: Refuse): void {
  if (type === "levels") {
    if (!isLevels(value)) refuse("ARTIFACT_FORMAT", `${at} must hold lists of texts by column`, at);
  } else if (type === "time") {
    if (value !== null && !Number.isSafeInteger(value))
      refuse("ARTIFACT_FORMAT", `${at} must be whole seconds or null`, at);
  } else if (type.includes("|")) {
    if (!type.split("|").includes(String(value)))
      refuse("ARTIFACT_FORMAT", `${at} must be one of ${type.replaceAll("|", ", ")}`, at);
  } else if (type === "number" && (value === null || typeof value === "string"))
    refuse("ARTIFACT_VALUES", `${at} is ${JSON.stringify(value)}, a finite number was expected`, at);
  else if (typeof value !== type) refuse("ARTIFACT_FORMAT", `${at} must be a ${type}`, at);
}

const isLevels = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((l) => Array.isArray(l) && l.every((x) => typeof x === "string"));

/** The text of an artifact: the same bytes for the same content and time. `ARTIFACT_VALUES` for numbers that are not finite. */
export function artifactText(artifact: FitArtifact): string {
  return `${canonicalJson(artifact)}\n`;
}

/** Writes an artifact: complete or not at all. Errors as `atomicWriter`, and `ARTIFACT_VALUES`. */
export async function writeArtifact(artifact: FitArtifact, path: string): Promise<void> {
  await writeFileAtomic(path, artifactText(artifact));
}
