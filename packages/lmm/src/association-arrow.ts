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
import type { AssociationColumns } from "./association-columns.ts";

/**
 * Columns of a result: the 13 of the association schema's 18 that the Wald test fills. `l_mle`, `p_lrt`, `p_score` and
 * −log₁₀ of the last two belong to tests that this version does not have. Statistics without an estimate are null.
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
  /** Effect of a copy of A1. */
  beta: Float64;
  /** Its standard error. */
  se: Float64;
  /** Log-likelihood of the model with the variant. */
  logl_h1: Float64;
  /** λ of its restricted likelihood. */
  l_remle: Float64;
  /** p of the Wald test, 0 below 1e-308. */
  p_wald: Float64;
  /** −log₁₀ p, which does not underflow. */
  neg_log10_p_wald: Float64;
};

const PRESENT: Readonly<Record<keyof AssociationTypes, true>> = {
  chrom: true,
  id: true,
  pos: true,
  n_miss: true,
  allele1: true,
  allele0: true,
  af: true,
  beta: true,
  se: true,
  logl_h1: true,
  l_remle: true,
  p_wald: true,
  neg_log10_p_wald: true,
};
const schema = new Schema<AssociationTypes>(
  associationSchema.fields.filter((f) => Object.hasOwn(PRESENT, f.name)),
);

/** One record batch of results; statistics that are NaN become null. */
export function toRecordBatch(study: PlinkStudy, block: AssociationColumns): RecordBatch<AssociationTypes> {
  const { bim } = study;
  const rows = Array.from(block.index);
  const columns: Record<keyof AssociationTypes, Data> = {
    chrom: chromosomes(study, rows),
    id: only(utf8Vector(rows.map((r) => bim.id[r]!))),
    pos: only(numericVector(Int32Array.from(rows, (r) => bim.pos[r]!))),
    n_miss: only(numericVector(block.nMiss)),
    allele1: only(utf8Vector(rows.map((r) => bim.a1[r]!))),
    allele0: only(utf8Vector(rows.map((r) => bim.a2[r]!))),
    af: only(numericVector(block.af)),
    beta: statistic(block.beta),
    se: statistic(block.se),
    logl_h1: statistic(block.loglH1),
    l_remle: statistic(block.lRemle),
    p_wald: statistic(block.pWald),
    neg_log10_p_wald: statistic(block.negLog10PWald),
  };
  const children = schema.fields.map((f) => columns[f.name as keyof AssociationTypes]);
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
  const type = schema.fields[0]!.type as Dictionary;
  return makeData({ type, length: rows.length, nullCount: 0, data, dictionary } as never) as Data;
}

function only(vector: Vector): Data {
  return vector.data[0]!;
}

/** Writes blocks of results as an Arrow IPC file; the commit is the caller's. */
export async function writeResults(
  out: AtomicWriter,
  study: PlinkStudy,
  blocks: AsyncIterable<AssociationColumns>,
): Promise<void> {
  const batches = async function* (): AsyncGenerator<RecordBatch> {
    for await (const block of blocks) yield toRecordBatch(study, block);
  };
  await writeIpc(out, batches(), { schema });
}
