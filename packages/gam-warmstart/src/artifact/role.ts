/** What a block of coefficients models. */
export type TermRole = "mean" | "log-slope" | "generic";

/** The byte each role is hashed as. */
export const ROLE_BYTE: Readonly<Record<TermRole, number>> = { mean: 0, "log-slope": 1, generic: 2 };

const LOG_SLOPE = ["logslope", "log_slope", "scale", "sigma", "dispersion", "disp"];
const MEAN = ["mean", "loc", "marginal"];

/**
 * A role guessed from a block's name: a part of the lower-cased name decides, words of spread before words of place.
 * A guess only: `block` contains `loc`, and `s(scale)` or `s(display)` read as log-slope. A stated role always wins.
 */
export function fromBlockName(name: string): TermRole {
  const lower = name.toLowerCase();
  if (LOG_SLOPE.some((word) => lower.includes(word))) return "log-slope";
  if (MEAN.some((word) => lower.includes(word))) return "mean";
  return "generic";
}
