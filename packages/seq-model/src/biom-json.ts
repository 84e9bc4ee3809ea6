import { seqFileError } from "./errors.ts";
import { FeatureTable } from "./feature-table.ts";

/**
 * A BIOM 1.0 table (JSON). What it says about its version is not looked at: converters have written wrong ones. Metadata
 * stay as they were parsed, whatever their keys are called.
 */
export function parseBiomJson(text: string, path: string): FeatureTable {
  const json = parse(text, path);
  const bad = (what: string): Error =>
    seqFileError("BIOM_FORMAT", path, `this is no BIOM 1.0 table: ${what}`);
  const { rows, columns, data, shape } = json;
  const type = json.matrix_type;
  if (!Array.isArray(rows) || !Array.isArray(columns)) throw bad("rows and columns are missing");
  if (!Array.isArray(data)) throw bad("data is missing");
  if (type !== "sparse" && type !== "dense")
    throw bad(`matrix_type is ${JSON.stringify(type)}, not sparse or dense`);
  const ids = (list: unknown[], what: string): string[] =>
    list.map((entry, at) => {
      const id = (entry as { id?: unknown } | null)?.id;
      if (typeof id !== "string") throw bad(`${what} ${at} has no id`);
      return id;
    });
  const [featureIds, sampleIds] = [ids(rows, "row"), ids(columns, "column")];
  if (!Array.isArray(shape) || shape[0] !== rows.length || shape[1] !== columns.length) {
    const message = `the shape says ${JSON.stringify(shape)}, there are ${rows.length} rows and ${columns.length} columns`;
    throw seqFileError("BIOM_SHAPE", path, message);
  }
  const triplets =
    type === "sparse" ? sparse(data, shape as number[], path) : dense(data, shape as number[], path);
  return new FeatureTable({
    ...compress(triplets, sampleIds.length),
    sampleIds,
    featureIds,
    path,
    featureMetadata: rows.map((row) => (row as { metadata?: unknown }).metadata ?? null),
  });
}

type Triplet = readonly [feature: number, sample: number, value: number];

function parse(text: string, path: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const message = `the text is no JSON (${(cause as Error).message}): the file is cut or damaged`;
    throw seqFileError("BIOM_FORMAT", path, message, { cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  throw seqFileError("BIOM_FORMAT", path, "this JSON is no object, so it is no BIOM 1.0 table");
}

function sparse(data: readonly unknown[], shape: readonly number[], path: string): Triplet[] {
  return data.map((entry, at) => {
    const triplet = entry as Triplet;
    if (!Array.isArray(entry) || entry.length !== 3 || !entry.every((x) => typeof x === "number")) {
      throw seqFileError("BIOM_FORMAT", path, `entry ${at} of data is no [row, column, value]`);
    }
    const inside = (x: number, size: number): boolean => Number.isInteger(x) && x >= 0 && x < size;
    if (inside(triplet[0], shape[0]!) && inside(triplet[1], shape[1]!)) return triplet;
    const message = `entry ${at} of data is for row ${triplet[0]} and column ${triplet[1]}, the shape is ${shape.join(" × ")} (counting from 0)`;
    throw seqFileError("BIOM_INDEX", path, message, { entry: at });
  });
}

function dense(data: readonly unknown[], shape: readonly number[], path: string): Triplet[] {
  const fits = data.length === shape[0] && data.every((row) => Array.isArray(row) && row.length === shape[1]);
  if (!fits) throw seqFileError("BIOM_SHAPE", path, `data does not have the shape ${shape.join(" × ")}`);
  return data.flatMap((row, f) =>
    (row as unknown[]).flatMap((value, s): Triplet[] => {
      if (typeof value !== "number")
        throw seqFileError("BIOM_VALUE", path, `row ${f}, column ${s} is no number`);
      return value === 0 ? [] : [[f, s, value]];
    }),
  );
}

function compress(
  triplets: readonly Triplet[],
  samples: number,
): { indptr: Float64Array; indices: Uint32Array; values: Float64Array } {
  const indptr = new Float64Array(samples + 1);
  for (const [, s] of triplets) indptr[s + 1]!++;
  for (let s = 0; s < samples; s++) indptr[s + 1]! += indptr[s]!;
  const next = indptr.slice();
  const [indices, values] = [new Uint32Array(triplets.length), new Float64Array(triplets.length)];
  for (const [f, s, value] of triplets) {
    const at = next[s]!++;
    indices[at] = f;
    values[at] = value;
  }
  return { indptr, indices, values };
}
