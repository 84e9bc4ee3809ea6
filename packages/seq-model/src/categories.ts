import { checkOptions } from "@x/core/base";
import { seqFileError } from "./errors.ts";
import type { Metadata } from "./read-metadata.ts";

/** A column of classes that a model takes as input. */
export interface CategoryColumn {
  /** The column's name. */
  readonly name: string;
  /** Its values in the training samples, in alphabetical order; the first has code 1. */
  readonly levels: readonly string[];
}

/** Codes of some samples. */
export interface CategoryCodes {
  /** One sample's columns after another's; 0 is a value that training did not see, or none. */
  readonly codes: Int32Array;
  /** Values that training did not see, by column; columns without any are not there. */
  readonly unseen: Readonly<Record<string, readonly string[]>>;
}

/**
 * Learns the values of columns from the metadata of the **training** samples. Numbers count as texts. Plain data.
 * `METADATA_COLUMN` for a column there is not, or without any value.
 */
export function fitCategories(training: Metadata, columns: readonly string[]): CategoryColumn[] {
  return columns.map((name) => {
    const values = training.column(name).values.filter((v) => v !== null);
    if (values.length === 0)
      throw seqFileError("METADATA_COLUMN", training.path, `${name} has no value in any training sample`);
    return { name: name.trim(), levels: [...new Set(values.map(String))].sort() };
  });
}

/**
 * Codes of samples in the metadata's order. A value that training did not see takes code 0, the same as a missing one, and
 * is reported, unless `unseen: "error"` refuses it (`CATEGORY_UNSEEN` lists samples and values).
 */
export function encodeCategories(
  columns: readonly CategoryColumn[],
  metadata: Metadata,
  options: { unseen?: "report" | "error" } = {},
): CategoryCodes {
  checkOptions(options, ["unseen"], "encodeCategories");
  const codes = new Int32Array(metadata.ids.length * columns.length);
  const unseen: [string, string[]][] = [];
  columns.forEach(({ name, levels }, c) => {
    const codeOf = new Map(levels.map((level, at) => [level, at + 1]));
    const values = metadata.column(name).values.map((v) => (v === null ? null : String(v)));
    values.forEach((value, s) => {
      codes[s * columns.length + c] = value === null ? 0 : (codeOf.get(value) ?? 0);
    });
    const others = values.filter((v): v is string => v !== null && !codeOf.has(v));
    if (others.length === 0) return;
    if (options.unseen === "error") {
      const samples = metadata.ids.filter((_, s) => values[s] !== null && !codeOf.has(values[s]!));
      const message = `${name} is ${[...new Set(others)].join(", ")} in ${samples.length} samples; training saw ${levels.join(", ")}`;
      throw seqFileError("CATEGORY_UNSEEN", metadata.path, message, { samples, name });
    }
    unseen.push([name, [...new Set(others)].sort()]);
  });
  return { codes, unseen: Object.fromEntries(unseen) };
}
