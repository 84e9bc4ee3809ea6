import { atomicWriter, formatE6, formatFixed3 } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch, Table } from "apache-arrow";
import type { AssociationRun } from "./associate.ts";
import { lmmError } from "./errors.ts";
import { WALD_HEADER, waldRows } from "./gemma/assoc-text.ts";
import { arrowCore } from "./lazy-arrow.ts";
import { checkNames, type NamesOf } from "./option-names.ts";

/** Options of {@link writeGemmaAssoc}. */
export interface WriteGemmaAssocOptions {
  /** GEMMA's `-lmm` number; 1 (Wald) in this version. */
  readonly mode?: 1;
  /** The fileset of the run: its results are then written without a detour through Arrow. */
  readonly study?: PlinkStudy;
  /** Stops the writing; no file is left. */
  readonly signal?: AbortSignal;
}

const NAMES: NamesOf<WriteGemmaAssocOptions> = { mode: true, study: true, signal: true };

/**
 * Writes results as GEMMA's `.assoc.txt`, row by row as they come and atomically; returns the number of rows.
 * `results` is what {@link associate} returns, any stream of its record batches, or a table of them (also of another
 * copy of apache-arrow). A missing statistic is written `nan`.
 *
 * @throws OUT_DIR, ENOSPC …, NOT_IMPLEMENTED for another mode, ASSOC_FORMAT when a column is missing.
 */
export async function writeGemmaAssoc(
  results: AssociationRun | AsyncIterable<RecordBatch> | Table,
  path: string,
  options: WriteGemmaAssocOptions = {},
): Promise<number> {
  checkNames(options, NAMES, "writeGemmaAssoc");
  if ((options.mode ?? 1) !== 1)
    throw lmmError("NOT_IMPLEMENTED", `-lmm ${options.mode} is not in this version.`, {
      usage: true,
      details: { option: "mode" },
    });
  await using out = atomicWriter(path, { signal: options.signal });
  await out.write(WALD_HEADER);
  let rows = 0;
  if (options.study && "columns" in results) {
    for await (const block of results.columns()) {
      await out.write(waldRows(options.study.bim, block));
      rows += block.index.length;
    }
  } else {
    const { fromForeign, isTable } = arrowCore();
    const batches = isTable(results) ? fromForeign(results).batches : (results as AsyncIterable<RecordBatch>);
    for await (const batch of batches) {
      await out.write(batchRows(fromForeign(batch)));
      rows += batch.numRows;
    }
  }
  await out.commit();
  return rows;
}

const PRINT: ReadonlyArray<readonly [name: string, print: (v: unknown) => string]> = [
  ...["chrom", "id", "pos", "n_miss", "allele1", "allele0"].map((name) => [name, String] as const),
  ["af", (v) => formatFixed3(number(v))],
  ...["beta", "se", "logl_h1", "l_remle", "p_wald"].map(
    (name) => [name, (v: unknown) => formatE6(number(v))] as const,
  ),
];

const number = (v: unknown): number => (v === null ? Number.NaN : Number(v));

function batchRows(table: Table): string {
  const columns = PRINT.map(([name, print]) => {
    const vector = table.getChild(name);
    if (!vector)
      throw lmmError("ASSOC_FORMAT", `the results have no column ${name}.`, { details: { column: name } });
    return { vector, print };
  });
  let text = "";
  for (let i = 0; i < table.numRows; i++)
    text += `${columns.map(({ vector, print }) => print(vector.get(i))).join("\t")}\n`;
  return text;
}
