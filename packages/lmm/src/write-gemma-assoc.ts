import { atomicWriter, formatE6, formatFixed3 } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch, Table } from "apache-arrow";
import type { AssociationRun } from "./associate.ts";
import type { AssociationTest, StatisticName } from "./association-columns.ts";
import { lmmError } from "./errors.ts";
import { assocHeader, assocRows } from "./gemma/assoc-text.ts";
import { GEMMA_NAMES, type GemmaMode, testsOf, textStatistics } from "./gemma/modes.ts";
import { arrowCore } from "./lazy-arrow.ts";
import { checkNames, type NamesOf } from "./option-names.ts";

/** Options of {@link writeGemmaAssoc}. */
export interface WriteGemmaAssocOptions {
  /** GEMMA's `-lmm` number: which columns. Default: those of the tests that ran. */
  readonly mode?: GemmaMode;
  /** Adds −log₁₀ of every p, which does not underflow, at the end of each row. */
  readonly negLog10P?: boolean;
  /** The fileset of the run: its results are then written without a detour through Arrow. */
  readonly study?: PlinkStudy;
  /** Stops the writing; no file is left. */
  readonly signal?: AbortSignal;
}

const NAMES: NamesOf<WriteGemmaAssocOptions> = { mode: true, negLog10P: true, study: true, signal: true };

/**
 * Writes results as GEMMA's `.assoc.txt`, row by row as they come and atomically; returns the number of rows.
 * `results` is what {@link associate} returns, any stream of its record batches, or a table of them (also of another
 * copy of apache-arrow). A missing statistic is written `nan`.
 *
 * @throws OUT_DIR, ENOSPC …, OPTION_RANGE for a mode that GEMMA does not have, ASSOC_FORMAT when a column of the mode
 * is missing.
 */
export async function writeGemmaAssoc(
  results: AssociationRun | AsyncIterable<RecordBatch> | Table,
  path: string,
  options: WriteGemmaAssocOptions = {},
): Promise<number> {
  checkNames(options, NAMES, "writeGemmaAssoc");
  if (options.mode !== undefined) testsOf(options.mode);
  await using out = atomicWriter(path, { signal: options.signal });
  let rows = 0;
  if (options.study && "columns" in results) {
    const statistics = textStatistics(results.tests, options);
    await out.write(assocHeader(statistics));
    for await (const block of results.columns()) {
      requireColumns(statistics, (name) => block[name] !== undefined);
      await out.write(assocRows(options.study.bim, block, statistics));
      rows += block.index.length;
    }
  } else {
    const { fromForeign, isTable } = arrowCore();
    const batches = isTable(results) ? fromForeign(results).batches : (results as AsyncIterable<RecordBatch>);
    let statistics: StatisticName[] | undefined;
    for await (const batch of batches) {
      const table = fromForeign(batch);
      if (!statistics) {
        statistics = textStatistics(testsIn(table), options);
        await out.write(assocHeader(statistics));
      }
      await out.write(batchRows(table, statistics));
      rows += batch.numRows;
    }
    if (!statistics)
      throw lmmError("ASSOC_FORMAT", "the results have no batch, so their columns are unknown.");
  }
  await out.commit();
  return rows;
}

const arrowName = (name: StatisticName): string => GEMMA_NAMES[name].toLowerCase();

/** Tests whose p a table has; the Wald test when it has none, whose absence is then reported. */
function testsIn(table: Table): AssociationTest[] {
  const found = (["wald", "lrt", "score"] as const).filter((test) => table.getChild(`p_${test}`));
  return found.length > 0 ? found : ["wald"];
}

function requireColumns(statistics: readonly StatisticName[], has: (name: StatisticName) => boolean): void {
  const name = statistics.find((each) => !has(each));
  if (name !== undefined)
    throw lmmError("ASSOC_FORMAT", `the results have no column ${arrowName(name)}.`, {
      details: { column: arrowName(name) },
    });
}

const number = (v: unknown): number => (v === null ? Number.NaN : Number(v));

function batchRows(table: Table, statistics: readonly StatisticName[]): string {
  const print: ReadonlyArray<readonly [name: string, print: (v: unknown) => string]> = [
    ...["chrom", "id", "pos", "n_miss", "allele1", "allele0"].map((name) => [name, String] as const),
    ["af", (v) => formatFixed3(number(v))],
    ...statistics.map((name) => [arrowName(name), (v: unknown) => formatE6(number(v))] as const),
  ];
  const columns = print.map(([name, text]) => {
    const vector = table.getChild(name);
    if (!vector)
      throw lmmError("ASSOC_FORMAT", `the results have no column ${name}.`, { details: { column: name } });
    return { vector, text };
  });
  let out = "";
  for (let i = 0; i < table.numRows; i++)
    out += `${columns.map(({ vector, text }) => text(vector.get(i))).join("\t")}\n`;
  return out;
}
