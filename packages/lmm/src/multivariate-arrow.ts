import { numericVector, utf8Vector } from "@x/core";
import type { PlinkStudy } from "@x/plink-io";
import { type Data, Field, Float64, Int32, makeData, RecordBatch, Schema, Struct, Utf8 } from "apache-arrow";
import {
  type MultivariateColumns,
  type MultivariateTest,
  TEST_COLUMNS,
  triangleIndex,
  upperPairs,
} from "./multivariate-columns.ts";

/**
 * The schema of multivariate results: `chrom, id, pos, n_miss, allele1, allele0, af`, `beta_1` … one a trait,
 * `Vbeta_1_1` … the upper triangle of their covariance, then p and −log₁₀ p of each test. Statistics without an estimate
 * are null.
 */
export function multivariateSchema(traits: number, tests: readonly MultivariateTest[]): Schema {
  const field = (name: string, type: Field["type"], nullable: boolean): Field =>
    new Field(name, type, nullable);
  const text = (name: string): Field => field(name, new Utf8(), false);
  const whole = (name: string): Field => field(name, new Int32(), false);
  const statistic = (name: string): Field => field(name, new Float64(), true);
  return new Schema([
    text("chrom"),
    text("id"),
    whole("pos"),
    whole("n_miss"),
    text("allele1"),
    text("allele0"),
    field("af", new Float64(), false),
    ...Array.from({ length: traits }, (_, t) => statistic(`beta_${t + 1}`)),
    ...upperPairs(traits).map(([i, j]) => statistic(`Vbeta_${i}_${j}`)),
    ...tests.flatMap((test) => TEST_COLUMNS[test].slice(2).map(statistic)),
  ]);
}

/** One record batch of results. */
export function multivariateBatch(
  study: PlinkStudy,
  schema: Schema,
  traits: number,
  tests: readonly MultivariateTest[],
  block: MultivariateColumns,
): RecordBatch {
  const { bim } = study;
  const rows = Array.from(block.index);
  const entries = (traits * (traits + 1)) / 2;
  const every = (values: Float64Array, stride: number, at: number): Float64Array =>
    Float64Array.from(rows, (_, i) => values[i * stride + at]!);
  const children: Data[] = [
    only(utf8Vector(rows.map((r) => bim.chrom[r]!))),
    only(utf8Vector(rows.map((r) => bim.id[r]!))),
    only(numericVector(Int32Array.from(rows, (r) => bim.pos[r]!))),
    only(numericVector(block.nMiss)),
    only(utf8Vector(rows.map((r) => bim.a1[r]!))),
    only(utf8Vector(rows.map((r) => bim.a2[r]!))),
    only(numericVector(block.af)),
    ...Array.from({ length: traits }, (_, t) => statistic(every(block.beta, traits, t))),
    ...upperPairs(traits).map(([i, j]) => statistic(every(block.vBeta, entries, triangleIndex(i, j)))),
    ...tests.flatMap((test) => {
      const [p, neg] = TEST_COLUMNS[test];
      return [statistic(block[p]), statistic(block[neg])];
    }),
  ];
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }),
  );
}

function statistic(values: Float64Array): Data {
  const nulls = values.some(Number.isNaN) ? Array.from(values, Number.isNaN) : undefined;
  return only(numericVector(values, nulls));
}

function only(vector: { readonly data: readonly Data[] }): Data {
  return vector.data[0]!;
}
