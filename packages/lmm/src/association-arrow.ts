import { type AtomicWriter, associationSchema, numericVector, utf8Vector, writeIpc } from "@x/core";
import type { PlinkStudy } from "@x/plink-io";
import {
  type Data,
  type Dictionary,
  type Float64,
  type Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  type Utf8,
  type Vector,
} from "apache-arrow";
import { type AssociationColumns, STATISTICS, type StatisticName } from "./association-columns.ts";
import { GEMMA_NAMES } from "./gemma/modes.ts";

/**
 * Columns of a result: those of the association schema. Columns of tests that did not run are absent. Statistics
 * without an estimate are null.
 */
export type AssociationTypes = {
  /** Chromosome. */
  chrom: Dictionary<Utf8, Int32>;
  /** Variant id. */
  id: Utf8;
  /** Base pairs. */
  pos: Int32;
  /** Analysed people without a call. */
  n_miss: Int32;
  /** A1, the counted allele. */
  allele1: Utf8;
  /** A2. */
  allele0: Utf8;
  /** Frequency of A1 among the analysed people with a call. */
  af: Float64;
  /** Effect of a copy of A1: at the variant's REML λ with the Wald test, else at the null model's MLE λ. */
  beta: Float64;
  /** Its standard error. */
  se: Float64;
  /** Log-likelihood of the model with the variant: the full one with the likelihood ratio test, else the restricted one. */
  logl_h1: Float64;
  /** λ of the restricted likelihood (Wald test). */
  l_remle: Float64;
  /** λ of the full likelihood (likelihood ratio test). */
  l_mle: Float64;
  /** p of the Wald test, 0 below 1e-308. */
  p_wald: Float64;
  /** p of the likelihood ratio test. */
  p_lrt: Float64;
  /** p of the score test. */
  p_score: Float64;
  /** −log₁₀ of the Wald p, which does not underflow. */
  neg_log10_p_wald: Float64;
  /** −log₁₀ of the likelihood ratio test's p. */
  neg_log10_p_lrt: Float64;
  /** −log₁₀ of the score test's p. */
  neg_log10_p_score: Float64;
};

/** The schema's name of a statistic. */
export const arrowName = (name: StatisticName): string => GEMMA_NAMES[name].toLowerCase();

/** Schemas by the statistics present: batches of one stream must share theirs. */
const schemas = new Map<string, Schema<AssociationTypes>>();

function schemaOf(present: readonly StatisticName[]): Schema<AssociationTypes> {
  const key = present.join();
  let schema = schemas.get(key);
  if (!schema) {
    const absent = new Set(STATISTICS.filter((name) => !present.includes(name)).map(arrowName));
    schema = new Schema<AssociationTypes>(associationSchema.fields.filter((f) => !absent.has(f.name)));
    schemas.set(key, schema);
  }
  return schema;
}

/** One record batch of results; statistics that are NaN become null. */
export function toRecordBatch(study: PlinkStudy, block: AssociationColumns): RecordBatch<AssociationTypes> {
  const { bim } = study;
  const rows = Array.from(block.index);
  const present = STATISTICS.filter((name) => block[name]);
  const schema = schemaOf(present);
  const columns: Record<string, Data> = {
    chrom: chromosomes(study, rows),
    id: only(utf8Vector(rows.map((r) => bim.id[r]!))),
    pos: only(numericVector(Int32Array.from(rows, (r) => bim.pos[r]!))),
    n_miss: only(numericVector(block.nMiss)),
    allele1: only(utf8Vector(rows.map((r) => bim.a1[r]!))),
    allele0: only(utf8Vector(rows.map((r) => bim.a2[r]!))),
    af: only(numericVector(block.af)),
    ...Object.fromEntries(present.map((name) => [arrowName(name), statistic(block[name]!)])),
  };
  const children = schema.fields.map((f) => columns[f.name]!);
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }),
  );
}

/** All results as one table of the same types. */
export function resultsTable(study: PlinkStudy, columns: AssociationColumns): Table<AssociationTypes> {
  return new Table([toRecordBatch(study, columns)]);
}

function statistic(values: Float64Array): Data {
  const nulls = values.some(Number.isNaN) ? Array.from(values, Number.isNaN) : undefined;
  return only(numericVector(values, nulls));
}

/** A study's chromosomes: all batches share one dictionary, which an Arrow file holds once. */
interface Chromosomes {
  readonly code: ReadonlyMap<string, number>;
  readonly dictionary: Vector<Utf8>;
}

const known = new WeakMap<object, Chromosomes>();

function chromosomesOf({ bim }: PlinkStudy): Chromosomes {
  let found = known.get(bim);
  if (!found) {
    const distinct = [...new Set(bim.chrom)];
    found = { code: new Map(distinct.map((name, i) => [name, i])), dictionary: utf8Vector(distinct) };
    known.set(bim, found);
  }
  return found;
}

/** The dictionary type is the schema's own, so that batches of one stream agree on its id. */
function chromosomes(study: PlinkStudy, rows: readonly number[]): Data {
  const { code, dictionary } = chromosomesOf(study);
  const { chrom } = study.bim;
  const data = Int32Array.from(rows, (row) => code.get(chrom[row]!)!);
  const type = associationSchema.fields[0]!.type as Dictionary;
  return makeData({ type, length: rows.length, nullCount: 0, data, dictionary } as never) as Data;
}

function only(vector: Vector): Data {
  return vector.data[0]!;
}

/** Writes blocks of results with these statistics as an Arrow IPC file; the commit is the caller's. */
export async function writeResults(
  out: AtomicWriter,
  study: PlinkStudy,
  blocks: AsyncIterable<AssociationColumns>,
  statistics: readonly StatisticName[],
): Promise<void> {
  const batches = async function* (): AsyncGenerator<RecordBatch> {
    for await (const block of blocks) yield toRecordBatch(study, block);
  };
  await writeIpc(out, batches(), { schema: schemaOf(statistics) });
}
