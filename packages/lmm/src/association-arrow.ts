import { type AtomicWriter, associationSchema, numericVector, utf8Vector, writeIpc } from "@x/core";
import type { PlinkStudy } from "@x/plink-io";
import {
  type Data,
  type Dictionary,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  type Utf8,
  type Vector,
} from "apache-arrow";
import type { AssociationColumns } from "./association-columns.ts";

/** Columns of the Wald test; those of other tests are absent. */
const PRESENT = new Set(
  "chrom id pos n_miss allele1 allele0 af beta se logl_h1 l_remle p_wald neg_log10_p_wald".split(" "),
);
const schema: Schema = new Schema(associationSchema.fields.filter((f) => PRESENT.has(f.name)));

/** One record batch of results; statistics that are NaN become null. */
export function toRecordBatch(study: PlinkStudy, block: AssociationColumns): RecordBatch {
  const { bim } = study;
  const rows = Array.from(block.index);
  const columns: Record<string, Data> = {
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
  const children = schema.fields.map((f) => columns[f.name]!);
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }),
  );
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
