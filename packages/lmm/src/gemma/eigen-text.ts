import { formatG, type OnProgress, OutputFiles, readLines } from "@x/core/base";
import { lmmFileError } from "../errors.ts";
import type { Matrix, NativeOptions } from "../native.ts";
import { type MatrixKind, readKinshipText } from "./kinship-read.ts";
import { writeMatrixText } from "./kinship-text.ts";
import { readField } from "./numbers.ts";

/** GEMMA's two files: eigenvalues one a line, eigenvectors a person a row; ten digits. Both appear, or none. */
export async function saveEigenText(
  path: string,
  values: Float64Array,
  vectors: Matrix,
  options: NativeOptions & { onProgress?: OnProgress | undefined },
): Promise<string[]> {
  await using files = new OutputFiles({ signal: options.signal });
  const d = files.open(`${path}.eigenD.txt`);
  for (const value of values) await d.write(`${formatG(value, 10)}\n`);
  await writeMatrixText(files.open(`${path}.eigenU.txt`), vectors, { ...options, stage: "writing eigen" });
  return await files.commit();
}

const EIGEN: MatrixKind = {
  codes: {
    KIN_N: "EIG_N",
    KIN_SHAPE: "EIG_N",
    KIN_NAN: "EIG_NAN",
    KIN_PARSE: "EIG_PARSE",
    KIN_TRUNCATED: "EIG_TRUNCATED",
  },
  stage: "reading eigen",
  people: (n) => `${n} people are analysed`,
};

/**
 * Reads both files for `n` analysed people.
 * @throws EIG_N, EIG_PARSE, EIG_NAN, EIG_TRUNCATED with the line.
 */
export async function readEigenText(
  paths: { readonly values: string; readonly vectors: string },
  n: number,
  options: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined },
): Promise<{ values: Float64Array; vectors: Matrix }> {
  const values: number[] = [];
  for await (const { text, number } of readLines(paths.values, { signal: options.signal })) {
    const field = readField(text.trim());
    if (field.kind === "value") values.push(field.value);
    else
      throw lmmFileError(
        field.kind === "text" || field.kind === "missing" ? "EIG_PARSE" : "EIG_NAN",
        paths.values,
        `"${text.slice(0, 40)}" is no eigenvalue; the file holds one finite number a line.`,
        { line: number },
      );
  }
  const place = values.findIndex((v, i) => i > 0 && v < values[i - 1]!);
  if (place >= 0)
    throw lmmFileError(
      "EIG_PARSE",
      paths.values,
      `eigenvalue ${values[place]} follows ${values[place - 1]}; they are in ascending order, as -eigen writes them, with the vectors in the same order.`,
      { line: place + 1 },
    );
  if (values.length !== n)
    throw lmmFileError("EIG_N", paths.values, `${values.length} eigenvalues, ${n} people are analysed.`, {
      found: values.length,
      expected: n,
    });
  return {
    values: Float64Array.from(values),
    vectors: await readKinshipText(paths.vectors, n, options, EIGEN),
  };
}
