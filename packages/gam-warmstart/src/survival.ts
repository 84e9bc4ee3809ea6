import { checkOptions, type RunOptions } from "@x/core/base";
import type { DataLike } from "./data/columns.ts";
import { gamError } from "./errors.ts";
import type { ModelParts } from "./model.ts";
import { survivalOf } from "./native.ts";
import { newRows } from "./predict.ts";
import { nativeOptions } from "./prepare.ts";

/** Options of `model.survival`. */
export interface SurvivalOptions extends Omit<RunOptions, "seed"> {
  /** Times, in the unit of the response; all event times of the fit by default. */
  readonly times?: ArrayLike<number>;
  /** Standard errors too? */
  readonly se?: boolean;
}

/** Survival curves of a Cox model. */
export interface Survival {
  /** The times, as asked for. */
  readonly times: Float64Array;
  /** Rows of the data that have a prediction, in order. */
  readonly rows: Uint32Array;
  /** Probability of no event up to each time: rows × times, row-major. */
  readonly survival: Float64Array;
  /** Standard errors, likewise, where asked for: of the coefficients and of the baseline. */
  readonly se?: Float64Array;
}

/** See `GamModel.survival`. */
export async function survivalCurves(
  parts: ModelParts,
  data: DataLike | undefined,
  options: SurvivalOptions,
): Promise<Survival> {
  checkOptions(options, ["times", "se", "signal", "onProgress", "threads", "memoryLimit"], "survival");
  const { baseline, beta, vp } = parts.arrays;
  if (parts.spec.family.name !== "cox.ph")
    throw gamError("FAMILY", `survival is for the family cox.ph; this model is ${parts.spec.family.name}`, {
      usage: true,
    });
  const width = beta.length + 3;
  const own = (): Float64Array =>
    Float64Array.from({ length: baseline.length / width }, (_, i) => baseline[i * width]!);
  const times = options.times ? Float64Array.from(options.times) : own();
  const at = times.findIndex((t) => !(t >= 0));
  if (at >= 0)
    throw gamError("RESPONSE_RANGE", `times[${at}] is ${times[at]}; a time must not be negative`, {
      usage: true,
    });
  const rows = await newRows(parts, data, options);
  const v = options.se ? vp : undefined;
  const native = nativeOptions(options);
  const { fit, se } = await survivalOf(rows.design, baseline, beta, v, rows.offset, times, native);
  return { times, rows: rows.rows, survival: fit, ...(options.se ? { se } : {}) };
}
