import { nearestName } from "@x/core/base";
import type { TermRole } from "./artifact/role.ts";
import { gamError } from "./errors.ts";

/** A response distribution with its link. Made by `gaussian()`, `binomial()` …; plain and frozen. */
export interface Family {
  /** mgcv's name. */
  readonly name: FamilyName;
  /** `log`, `logit` …; the family's default when absent. */
  readonly link?: string;
  /**
   * Fixed parameters of the family (nb: θ; tw: p, or p and φ; betar: φ; ocat: cut points; gaulss: the least standard
   * deviation b); estimated when absent (gaulss: 0.01).
   */
  readonly theta?: readonly number[];
  /** Number of categories (ocat, multinom); from the data when absent. */
  readonly classes?: number;
}

const LINKS = {
  gaussian: ["identity", "log", "inverse"],
  binomial: ["logit", "probit", "cloglog", "cauchit", "log"],
  poisson: ["log", "identity", "sqrt"],
  Gamma: ["inverse", "log", "identity"],
  "inverse.gaussian": ["1/mu^2", "inverse", "log", "identity"],
  quasi: ["identity", "log", "inverse", "logit", "sqrt"],
  quasibinomial: ["logit", "probit", "cloglog", "cauchit", "log"],
  quasipoisson: ["log", "identity", "sqrt"],
  nb: ["log", "identity", "sqrt"],
  tw: ["log", "identity", "inverse", "sqrt"],
  betar: ["logit", "probit", "cloglog", "cauchit"],
  ocat: ["identity"],
  multinom: ["identity"],
  gaulss: ["identity"],
  "cox.ph": ["identity"],
} as const satisfies Record<FamilyName, readonly string[]>;

/** The families there are, by mgcv's names. */
export type FamilyName =
  | "gaussian"
  | "binomial"
  | "poisson"
  | "Gamma"
  | "inverse.gaussian"
  | "quasi"
  | "quasibinomial"
  | "quasipoisson"
  | "nb"
  | "tw"
  | "betar"
  | "ocat"
  | "multinom"
  | "gaulss"
  | "cox.ph";

/** Options of a family. */
export interface FamilyOptions {
  /** `log`, `logit` …; the family's default when absent. */
  readonly link?: string;
  /** Fixes the family's own parameters instead of estimating them. */
  readonly theta?: number | readonly number[];
}

function make(name: FamilyName, options: FamilyOptions = {}, classes?: number): Family {
  const { link, theta } = options;
  const links: readonly string[] = LINKS[name];
  if (link !== undefined && !links.includes(link)) {
    const near = nearestName(link, links);
    throw gamError(
      "FAMILY",
      `${name} has no link ${link}${near ? `; did you mean ${near}?` : ""} There are: ${links.join(", ")}`,
      {
        details: { family: name, link },
        usage: true,
      },
    );
  }
  return Object.freeze({
    name,
    ...(link === undefined ? {} : { link }),
    ...(theta === undefined ? {} : { theta: typeof theta === "number" ? [theta] : [...theta] }),
    ...(classes === undefined ? {} : { classes }),
  });
}

/** Normal with constant variance; links identity (default), log, inverse. */
export const gaussian = (options?: FamilyOptions): Family => make("gaussian", options);
/** Successes of trials: 0/1, FALSE/TRUE, a factor (first level fails), `cbind(s, f)`, or a proportion with weights; logit, probit, cloglog, cauchit, log. */
export const binomial = (options?: FamilyOptions): Family => make("binomial", options);
/** Counts; links log (default), identity, sqrt. */
export const poisson = (options?: FamilyOptions): Family => make("poisson", options);
/** Positive, variance ∝ mean²; links inverse (default, as in R), log, identity. */
export const Gamma = (options?: FamilyOptions): Family => make("Gamma", options);
/** Positive, variance ∝ mean³; links 1/mu^2 (default), inverse, log, identity. */
export const inverseGaussian = (options?: FamilyOptions): Family => make("inverse.gaussian", options);
/** Negative binomial counts, θ estimated unless given. */
export const negativeBinomial = (options?: FamilyOptions): Family => make("nb", options);
/** Tweedie, 1 < p < 2 estimated unless given as `theta`. */
export const tweedie = (options?: FamilyOptions): Family => make("tw", options);
/** Proportions strictly between 0 and 1. */
export const beta = (options?: FamilyOptions): Family => make("betar", options);
/** Constant variance, scale free. */
export const quasi = (options?: FamilyOptions): Family => make("quasi", options);
/** Binomial variance with a free scale. */
export const quasiBinomial = (options?: FamilyOptions): Family => make("quasibinomial", options);
/** Poisson variance with a free scale. */
export const quasiPoisson = (options?: FamilyOptions): Family => make("quasipoisson", options);
/** Ordered categories: a factor in order, or 1 … K. */
export const orderedCategorical = (classes?: number): Family => make("ocat", {}, classes);
/** Unordered categories 0 … K−1 (or a factor): K − 1 formulas. */
export const multinomial = (classes?: number): Family => make("multinom", {}, classes);
/**
 * Normal with a formula for the mean and one for the standard deviation, b + exp(second predictor). `b`, 0.01 as in mgcv, is
 * in the unit of the response: responses that vary by little more than b are refused (`GAM_RESPONSE`), give a smaller one.
 */
export const gaussianLocationScale = (options: { readonly b?: number } = {}): Family =>
  make("gaulss", options.b === undefined ? {} : { theta: options.b });
/**
 * Cox proportional hazards, ties by Breslow's (Peto's) rule: `Surv(time, event)`, or the time with `weights` 1 = event,
 * 0 = censored. `predict` with `type: "response"` gives hazard ratios; `model.survival` gives survival curves.
 */
export const coxPh = (): Family => make("cox.ph");

/** Other spellings of families on a command line. */
const ALIASES: Readonly<Record<string, FamilyName>> = {
  gamma: "Gamma",
  "negative-binomial": "nb",
  negbin: "nb",
  tweedie: "tw",
  beta: "betar",
  "inverse-gaussian": "inverse.gaussian",
  multinomial: "multinom",
  coxph: "cox.ph",
  "cox-ph": "cox.ph",
};

/** Reads `binomial`, `Gamma(link=log)`, `Gamma(log)`, `nb(theta=3)`. `FAMILY` names the nearest one. */
export function parseFamily(text: string): Family {
  const m = /^\s*([\w.-]+)\s*(?:\(([^()]*)\))?\s*$/.exec(text);
  const word = m?.[1] ?? text;
  const name = Object.hasOwn(LINKS, word)
    ? (word as FamilyName)
    : Object.hasOwn(ALIASES, word)
      ? ALIASES[word]
      : undefined;
  const refuse = (why: string): never => {
    throw gamError("FAMILY", why, { details: { family: text }, usage: true });
  };
  if (!m || !name) {
    const near = nearestName(word, [...Object.keys(LINKS), ...Object.keys(ALIASES)]);
    return refuse(
      `there is no family ${text}${near ? `; did you mean ${near}?` : ""} There are: ${Object.keys(LINKS).join(", ")}`,
    );
  }
  let link: string | undefined;
  let theta: number[] | undefined;
  let classes: number | undefined;
  for (const part of (m[2] ?? "")
    .split(",")
    .map((p) => p.trim())
    .filter(Boolean)) {
    const [key, value] = part.includes("=") ? part.split("=").map((p) => p.trim()) : ["link", part];
    const bare = value!.replace(/^["']|["']$/g, "");
    if (key === "link") link = bare;
    else if (name === "gaulss" ? key === "b" : /^(theta|p|phi)$/.test(key!)) theta = [number(bare, refuse)];
    else if (/^(R|K|classes)$/.test(key!)) classes = number(bare, refuse);
    else refuse(`${name}() has no argument ${key}; there are link, theta, classes`);
  }
  return make(name, { ...(link === undefined ? {} : { link }), ...(theta ? { theta } : {}) }, classes);
}

function number(text: string, refuse: (why: string) => never): number {
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : refuse(`"${text}" is not a number`);
}

/** The link a family has when none is stated. */
export function linkOf(family: Family): string {
  return family.link ?? LINKS[family.name][0];
}

/** As R prints it: `binomial(link = logit)`. */
export function familyText(family: Family): string {
  return `${family.name}(link = ${linkOf(family)})`;
}

/** What each linear predictor models. */
export function predictorRoles(family: Family, count: number): TermRole[] {
  return Array.from({ length: count }, (_, i) =>
    family.name === "gaulss" && i === 1 ? "log-slope" : "mean",
  );
}
