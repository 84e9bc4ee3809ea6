import type { RunOptions } from "@x/core/base";
import type { DataLike } from "./data/columns.ts";
import { gamError } from "./errors.ts";
import { GamModel } from "./model.ts";
import { predictDesign } from "./native.ts";
import { nativeOptions, prepare } from "./prepare.ts";

/** Relative difference of deviances that rounding explains, in a file's decimals too. */
const SAME = 1e-6;

/**
 * A model that was read from a file, together with rows again, so that residuals, concurvity and basis checks can be had.
 * `COMPARE` when the rows are not as many as the model was fitted to, or leave another deviance.
 */
export async function withRows(model: GamModel, data: DataLike, options: RunOptions = {}): Promise<GamModel> {
  const { parts } = model;
  const native = nativeOptions(options);
  const p = await prepare(parts.spec, data, native, {
    variables: parts.variables,
    state: parts.state,
    ...(parts.classes ? { classes: parts.classes } : {}),
  });
  if (p.frame.rows.length !== parts.rows.used)
    throw gamError(
      "COMPARE",
      `the data have ${p.frame.rows.length} complete rows, the model was fitted to ${parts.rows.used}; give the data of the fit`,
      {
        details: { rows: p.frame.rows.length, expected: parts.rows.used },
      },
    );
  const { fit: eta } = await predictDesign(p.design, parts.arrays.beta, undefined, p.offset, native);
  const columns = new Map(
    [...p.frame.columns].flatMap(([name, c]) => (c.kind === "number" ? [[name, c.values] as const] : [])),
  );
  const attached = new GamModel({
    ...parts,
    rowsData: {
      design: p.design,
      y: p.response.y,
      weights: p.weights,
      offset: p.offset,
      eta,
      rows: p.frame.rows,
      columns,
    },
  });
  // The squares of all families' deviance residuals add up to the deviance.
  const deviance = attached.residuals().reduce((sum, r) => sum + r * r, 0);
  if (!(Math.abs(deviance - model.deviance) <= SAME * Math.max(model.deviance, deviance)))
    throw gamError(
      "COMPARE",
      `these are not the rows of the fit: they leave a deviance of ${deviance.toPrecision(6)}, the model has ${model.deviance.toPrecision(6)}`,
      { details: { deviance, expected: model.deviance } },
    );
  return attached;
}
