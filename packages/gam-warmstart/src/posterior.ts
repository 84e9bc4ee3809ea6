import { checkOptions, checkRange, type RunOptions } from "@x/core/base";
import type { DataLike } from "./data/columns.ts";
import type { ModelParts } from "./model.ts";
import { inverseLink, predictDesign, sampleCoefficients } from "./native.ts";
import { newRows } from "./predict.ts";
import { fittedOptions, nativeOptions } from "./prepare.ts";

/** Options of `posterior`. */
export interface PosteriorOptions extends RunOptions {
  /** 1000 by default. */
  readonly draws?: number;
  /** Rows to evaluate the draws on; the rows of the fit by default, none with `null`. */
  readonly data?: DataLike | null;
  /** `"response"` (default) or `"link"`. */
  readonly type?: "link" | "response";
  /** With the uncertainty of the smoothing parameters? */
  readonly unconditional?: boolean;
}

/** Draws from the posterior N(β, V) of the coefficients (Wood 2017, section 6.10). The same seed gives the same draws. */
export interface PosteriorDraws {
  /** draws × coefficients, row-major. */
  readonly coefficients: Float64Array;
  /** One array a draw: n × predictors, row-major; complete rows of the data only. Empty without data. */
  readonly fit: readonly Float64Array[];
  /** Places of those rows in the data. */
  readonly rows: Uint32Array;
}

/** See `GamModel.posterior`. */
export async function posteriorDraws(parts: ModelParts, options: PosteriorOptions): Promise<PosteriorDraws> {
  checkOptions(
    options,
    ["draws", "data", "type", "unconditional", "seed", "signal", "onProgress", "threads", "memoryLimit"],
    "posterior",
  );
  const draws = checkRange("draws", options.draws ?? 1000, { min: 1, max: 1e6, integer: true });
  const { beta, vp, vc } = parts.arrays;
  const native = nativeOptions(options);
  const coefficients = await sampleCoefficients(
    beta,
    options.unconditional ? vc : vp,
    draws,
    options.seed ?? 0,
    native,
  );
  if (options.data === null) return { coefficients, fit: [], rows: new Uint32Array(0) };
  const rows = await newRows(parts, options.data, options);
  const fit: Float64Array[] = [];
  const family = fittedOptions(parts);
  for (let d = 0; d < draws; d++) {
    const { fit: eta } = await predictDesign(
      rows.design,
      coefficients.slice(d * beta.length, (d + 1) * beta.length),
      undefined,
      rows.offset,
      native,
    );
    fit.push(options.type === "link" ? eta : inverseLink(family, eta).mu);
  }
  return { coefficients, fit, rows: rows.rows };
}
