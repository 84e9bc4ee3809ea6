import { type AtomicWriterOptions, checkOptions, OutputFiles } from "@x/core/base";
import type { Table } from "apache-arrow";
import { arrowTables } from "../lazy.ts";
import type { MissingTables } from "../missing.ts";
import type { FreqTypes, HardyTypes } from "../table-types.ts";
import { checkPrefix, writeText } from "../write.ts";
import { formatFrq, formatHwe, formatImiss, formatLmiss } from "./reports.ts";

/** Writes the table of `freq` as PLINK 1.9's `.frq`, byte for byte. Errors: those of core's atomicWriter. */
export async function writeFreq(
  path: string,
  table: Table<FreqTypes>,
  options: AtomicWriterOptions = {},
): Promise<void> {
  await writeAll([[path, formatFrq(arrowTables().freqColumns(table))]], options);
}

/**
 * Writes the tables of `missing` as PLINK 1.9's `<prefix>.lmiss` and `<prefix>.imiss`, byte for byte. Errors: OUT_STDOUT
 * (two files do not fit there) and those of core's atomicWriter.
 */
export async function writeMissing(
  prefix: string,
  tables: MissingTables,
  options: AtomicWriterOptions = {},
): Promise<void> {
  checkPrefix(prefix);
  const { variantMissing, sampleMissing } = arrowTables();
  const texts: [string, Iterable<Uint8Array>][] = [
    [`${prefix}.lmiss`, formatLmiss(variantMissing(tables.variants))],
    [`${prefix}.imiss`, formatImiss(sampleMissing(tables.samples))],
  ];
  await writeAll(texts, options);
}

/** Writes the table of `hardy` as PLINK 1.9's `.hwe`, byte for byte. Errors: those of core's atomicWriter. */
export async function writeHardy(
  path: string,
  table: Table<HardyTypes>,
  options: AtomicWriterOptions = {},
): Promise<void> {
  await writeAll([[path, formatHwe(arrowTables().hardyColumns(table))]], options);
}

async function writeAll(
  texts: readonly [string, Iterable<Uint8Array>][],
  options: AtomicWriterOptions,
): Promise<void> {
  checkOptions(options, ["overwrite", "signal"], "writing a report");
  await using files = new OutputFiles(options);
  for (const [path, text] of texts) await writeText(files.open(path), text);
  await files.commit();
}
