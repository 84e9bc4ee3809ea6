import { type CliContext, type OptionSpec, option } from "@x/core/base";
import type { DataSet } from "./data/columns.ts";
import { readData } from "./data/read-data.ts";
import { gamError } from "./errors.ts";
import { parseFamily } from "./family.ts";
import type { Method, ModelOptions } from "./prepare.ts";

/** Options of every command that fits. */
export const MODEL_FLAGS: readonly OptionSpec[] = [
  option.text(
    "family",
    "gaussian, binomial, poisson, Gamma(link=log), nb, tw, betar, ocat, multinom, gaulss, cox.ph …",
    { value: "FAMILY", default: "gaussian" },
  ),
  option.text("method", "how smoothing parameters are chosen; GCV is UBRE where the scale is known", {
    choices: ["REML", "ML", "GCV"],
    value: "REML|ML|GCV",
    default: "REML",
  }),
  option.text("weights", "prior weights: a column or an expression", { value: "COLUMN" }),
  option.text("offset", "offset of the linear predictor: a column or an expression", { value: "COLUMN" }),
  option.list(
    "formula",
    "further formulas (gaulss, multinom), e.g. '~ s(x)'; not split at commas inside brackets",
    { value: "FORMULA" },
  ),
  option.list("factors", "columns of numbers to read as factors", { value: "COLUMNS" }),
  option.text("knots", "knots by variable, e.g. x=0,0.5,1;z=0,10", { value: "NAME=A,B,…;…" }),
  option.flag("select", "penalise null spaces too, so that terms can leave the model"),
  option.flag("discrete", "round the covariates of smooths to a grid: for very many rows of costly bases"),
  option.number(
    "gamma",
    "above 1 for smoother fits: multiplies the degrees of freedom in GCV, divides the rows in REML and ML",
    {
      range: { min: 1e-3, max: 1e3 },
      value: "X",
    },
  ),
  option.number("scale", "fixes the scale instead of estimating it", {
    range: { min: Number.MIN_VALUE },
    value: "X",
  }),
  option.int("max-outer", "outer iterations at most (200)", { range: { min: 1, max: 1e6 }, value: "N" }),
  option.list("na", "texts that mean missing; NA and nothing by default", { value: "TEXTS" }),
];

/** The formulas of a command line: the word, then `--formula`. */
export function formulasOf(context: CliContext, first: string): string[] {
  const pieces = (context.options.formula as readonly string[] | undefined) ?? [];
  return [first, ...rejoin(pieces)];
}

/** A list option splits at commas; those inside brackets belong to the formula. */
function rejoin(pieces: readonly string[]): string[] {
  const out: string[] = [];
  let open = 0;
  for (const piece of pieces) {
    if (open > 0) out[out.length - 1] += `,${piece}`;
    else out.push(piece);
    for (const c of piece) open += c === "(" ? 1 : c === ")" ? -1 : 0;
  }
  return out;
}

/** Model options from the flags. */
export function modelOptions(context: CliContext): ModelOptions {
  const o = context.options;
  const text = (name: string): string | undefined => (o[name] === undefined ? undefined : String(o[name]));
  const given = {
    weights: text("weights"),
    offset: text("offset"),
    factors: o.factors as readonly string[] | undefined,
    knots: o.knots === undefined ? undefined : readKnots(String(o.knots)),
    select: o.select === true ? true : undefined,
    discrete: o.discrete === true ? true : undefined,
    gamma: o.gamma as number | undefined,
    scale: o.scale as number | undefined,
    maxOuter: o["max-outer"] as number | undefined,
    threads: context.threads,
    seed: context.seed,
    memoryLimit: context.memoryLimit,
  };
  return {
    family: parseFamily(String(o.family)),
    method: String(o.method) as Method,
    signal: context.signal,
    onProgress: context.onProgress,
    ...(Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as ModelOptions),
  };
}

function readKnots(text: string): Record<string, number[]> {
  return Object.fromEntries(
    text.split(";").map((part) => {
      const m = /^\s*([^=]+?)\s*=(.*)$/.exec(part);
      const values = (m?.[2] ?? "").split(",").map((v) => (v.trim() === "" ? Number.NaN : Number(v)));
      if (m && values.every(Number.isFinite)) return [m[1]!, values];
      throw gamError("KNOTS", `--knots takes name=a,b,c;name=…, not "${part}"`, {
        usage: true,
        details: { option: "knots" },
      });
    }),
  );
}

/** The data of a command line. */
export function dataOf(context: CliContext, path: string): Promise<DataSet> {
  const missing = context.options.na as readonly string[] | undefined;
  return readData(path, { ...(missing ? { missing } : {}), signal: context.signal });
}
