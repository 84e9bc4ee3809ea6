import { checkRange, isXError, nearestName } from "@x/core/base";
import { type Argument, CONSTANTS, deparse, type Expr, namesIn } from "./ast.ts";
import { formulaError } from "./parse.ts";

/** The kinds of basis a smooth can have (mgcv's names). */
export const BASES = ["tp", "ts", "cr", "cs", "cc", "ps", "cp", "bs", "re", "fs", "gp", "ds"] as const;

/** A basis by mgcv's name. */
export type Basis = (typeof BASES)[number];

/** Shape constraints of a P-spline. */
export const SHAPES = [
  "increasing",
  "decreasing",
  "convex",
  "concave",
  "increasing-convex",
  "increasing-concave",
  "decreasing-convex",
  "decreasing-concave",
] as const;

/** A shape constraint of a P-spline. */
export type Shape = (typeof SHAPES)[number];

/** A smooth as the formula states it; nothing about data. */
export interface SmoothCall {
  /** `s`, `te`, `ti` or `t2`. */
  readonly kind: "s" | "te" | "ti" | "t2";
  /** mgcv's label without the `by` part: `s(x)`, `te(x,z)`. */
  readonly label: string;
  /** What each dimension reads. */
  readonly variables: readonly Expr[];
  /** The `by` variable. */
  readonly by?: Expr;
  /** One a margin (one in all for `s`). */
  readonly bs: readonly Basis[];
  /** Basis dimension a margin; absent = mgcv's default. */
  readonly k?: readonly number[];
  /** `m` as given: orders of derivative and null space. */
  readonly m?: readonly number[];
  /** Smooths of one id share basis and smoothing parameters. */
  readonly id?: string;
  /** Unpenalised? */
  readonly fx: boolean;
  /** Shape constraint. */
  readonly shape?: Shape;
  /** Where it stands in the formula. */
  readonly at: number;
}

const KNOWN = ["k", "bs", "m", "by", "fx", "shape", "id"];
/** Arguments mgcv has and we do not take: refused by name rather than ignored. */
const NOT_HERE = ["sp", "xt", "pc", "d", "np", "mc", "full", "ord"];

/** Reads `s(…)`, `te(…)`, `ti(…)`, `t2(…)`. `FORMULA_ARGUMENT` names the column of what cannot be used. */
export function readSmooth(call: Extract<Expr, { type: "call" }>, text: string): SmoothCall {
  const kind = call.fn as SmoothCall["kind"];
  const refuse = (at: number, message: string): never => {
    throw formulaError("FORMULA_ARGUMENT", text, at, message);
  };
  const variables = call.args.filter((a) => a.name === undefined).map((a) => a.value);
  if (variables.length === 0) refuse(call.at, `${kind}() needs a column, e.g. ${kind}(x)`);
  for (const v of variables)
    if (namesIn(v).length === 0)
      refuse(v.at, `${deparse(v)} is no column; basis arguments are given by name, e.g. k=10`);
  const labels = variables.map(deparse);
  const twice = labels.findIndex((l, i) => labels.indexOf(l) !== i);
  if (twice >= 0) refuse(variables[twice]!.at, `${labels[twice]} stands twice in one smooth`);
  const given = new Map<string, Argument>();
  for (const a of call.args) {
    if (a.name === undefined) continue;
    if (NOT_HERE.includes(a.name))
      refuse(a.value.at, `the argument ${a.name}= of ${kind}() is not supported`);
    if (!KNOWN.includes(a.name)) {
      const near = nearestName(a.name, KNOWN);
      refuse(a.value.at, `${kind}() has no argument ${a.name}${near ? `; did you mean ${near}?` : ""}`);
    }
    if (given.has(a.name)) refuse(a.value.at, `${a.name}= is given twice`);
    given.set(a.name, a);
  }
  const d = variables.length;
  const margins = kind === "s" ? 1 : d;
  const bs = spread(texts(given.get("bs"), text), margins, kind === "s" ? "tp" : "cr");
  bs.forEach((b) => {
    if ((BASES as readonly string[]).includes(b)) return;
    const near = nearestName(b, BASES);
    refuse(
      given.get("bs")!.value.at,
      `there is no basis "${b}"; ${near ? `did you mean "${near}"? ` : ""}there are ${BASES.join(", ")}`,
    );
  });
  if (kind === "s" && d > 1 && !["tp", "ts", "re", "fs", "gp", "ds"].includes(bs[0]!))
    refuse(
      call.at,
      `a basis "${bs[0]}" has one dimension, ${d} columns were given; use te(${labels.join(", ")})`,
    );
  if (kind === "s" && bs[0] === "fs" && d !== 2)
    refuse(call.at, `a basis "fs" takes one covariate and one factor: s(x, g, bs="fs")`);
  if (kind !== "s" && bs.some((b) => b === "fs")) refuse(call.at, `a basis "fs" cannot be a margin`);
  const k = numbers(given.get("k"), text);
  if (k && k.length !== 1 && k.length !== margins)
    refuse(given.get("k")!.value.at, `${k.length} values of k for ${margins} margins`);
  for (const value of k ?? []) range("k", value, text, given.get("k")!.value.at);
  const m = numbers(given.get("m"), text);
  const shape = texts(given.get("shape"), text)?.[0];
  if (shape !== undefined && !(SHAPES as readonly string[]).includes(shape))
    refuse(given.get("shape")!.value.at, `there is no shape "${shape}"; there are ${SHAPES.join(", ")}`);
  if (shape !== undefined && (kind !== "s" || bs[0] !== "ps"))
    refuse(given.get("shape")!.value.at, `a shape is for s(…, bs="ps") only`);
  const by = given.get("by")?.value;
  const label = `${kind}(${labels.join(",")})`;
  return {
    kind,
    label,
    variables,
    ...(by && !(by.type === "name" && by.name === "NA") ? { by } : {}),
    bs: bs as Basis[],
    ...(k ? { k: spread(k.map(String), margins, "").map(Number) } : {}),
    ...(m ? { m } : {}),
    ...(given.has("id") ? { id: idText(given.get("id")!.value) } : {}),
    fx: numbers(given.get("fx"), text)?.[0] === 1,
    ...(shape === undefined ? {} : { shape: shape as Shape }),
    at: call.at,
  };
}

const idText = (e: Expr): string => (e.type === "string" ? e.value : deparse(e));

function spread(values: readonly string[] | undefined, n: number, fallback: string): string[] {
  const given = values ?? [fallback];
  return given.length === 1 ? Array.from({ length: n }, () => given[0]!) : [...given];
}

function elements(a: Argument): readonly Expr[] {
  return a.value.type === "call" && a.value.fn === "c" ? a.value.args.map((x) => x.value) : [a.value];
}

function texts(a: Argument | undefined, text: string): string[] | undefined {
  if (!a) return undefined;
  return elements(a).map((e) => {
    if (e.type === "string") return e.value;
    throw formulaError("FORMULA_ARGUMENT", text, e.at, `${a.name}= takes a text in quotes`);
  });
}

function numbers(a: Argument | undefined, text: string): number[] | undefined {
  if (!a) return undefined;
  return elements(a).map((e) => {
    const sign = e.type === "unary" && e.op === "-" ? -1 : 1;
    const inner = e.type === "unary" ? e.arg : e;
    if (inner.type === "number") return sign * inner.value;
    if (inner.type === "name" && CONSTANTS.has(inner.name)) return sign * CONSTANTS.get(inner.name)!;
    if (inner.type === "name" && inner.name === "NA") return -1;
    throw formulaError("FORMULA_ARGUMENT", text, e.at, `${a.name}= takes a number`);
  });
}

function range(name: string, value: number, text: string, at: number): void {
  if (value === -1) return; // mgcv's word for "the default"
  try {
    checkRange(name, value, { min: 2, max: 10_000, integer: true });
  } catch (e) {
    if (isXError(e)) throw formulaError("FORMULA_ARGUMENT", text, at, e.message);
    throw e;
  }
}
