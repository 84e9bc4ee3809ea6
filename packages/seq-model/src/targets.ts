import { parseStrictNumber } from "@x/core/base";
import { listIds, seqFileError } from "./errors.ts";
import type { Metadata } from "./read-metadata.ts";

/** A column to predict: numbers, or the numbers of classes. */
export interface Target {
  /** The column's name. */
  readonly name: string;
  /** One a sample, in the metadata's order. */
  readonly values: Float64Array;
  /** Names of the classes in alphabetical order; empty for numbers. */
  readonly classes: readonly string[];
}

/**
 * A numeric column without missing values. `TARGET_NUMERIC` and `TARGET_MISSING` list the samples at fault,
 * `METADATA_COLUMN` the columns there are.
 */
export function numericTarget(metadata: Metadata, name: string): Target {
  const column = metadata.column(name);
  refuseMissing(metadata, name, column.values);
  if (column.kind === "numeric")
    return { name, values: Float64Array.from(column.values as number[]), classes: [] };
  const values = column.values.map((text) => parseStrictNumber(text ?? "") ?? Number.NaN);
  const bad = metadata.ids.filter((_, at) => !Number.isFinite(values[at]));
  if (bad.length === 0) return { name, values: Float64Array.from(values), classes: [] };
  const of = (id: string): string => `${id} (${JSON.stringify(column.values[metadata.ids.indexOf(id)])})`;
  const message = `${name} is no number for ${bad.length} samples: ${listIds(bad.map(of))}; classTarget (--classifier) predicts classes`;
  throw seqFileError("TARGET_NUMERIC", metadata.path, message, { samples: bad, name });
}

/** A column of classes without missing values. `TARGET_MISSING`; `TARGET_CLASSES` where there is only one class. */
export function classTarget(metadata: Metadata, name: string): Target {
  const column = metadata.column(name);
  refuseMissing(metadata, name, column.values);
  const texts: readonly string[] = column.values.map(String);
  const classes = [...new Set(texts)].sort();
  if (classes.length > 1)
    return { name, values: Float64Array.from(texts.map((t) => classes.indexOf(t))), classes };
  throw seqFileError(
    "TARGET_CLASSES",
    metadata.path,
    `${name} has the one class ${classes[0]}; there is nothing to tell apart`,
  );
}

function refuseMissing(metadata: Metadata, name: string, values: readonly unknown[]): void {
  const missing = metadata.ids.filter((_, at) => values[at] === null);
  if (missing.length === 0) return;
  const message = `${name} is missing for ${missing.length} samples: ${listIds(missing)}; leave them out`;
  throw seqFileError("TARGET_MISSING", metadata.path, message, { samples: missing, name });
}
