// What the types of the result tables promise is what the tables hold.
import { type DataType, Dictionary, Float64, Int8, Int32, type Table, Utf8 } from "apache-arrow";
import { afterAll, expect, expectTypeOf, it } from "vitest";
import { freq, hardy, missing, openPlink, selectStudy, variantCounts } from "../src/index.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);
const names = new Dictionary(new Utf8(), new Int32());

/** The compiler asks for exactly the columns of the table's type, with their types; the test for those of the table. */
function holds<T extends Record<string, DataType>>(table: Table<T>, types: { [K in keyof T]: T[K] }): void {
  const found = table.schema.fields.map(({ name, type }) => [name, String(type)]);
  expect(found).toEqual(Object.entries<DataType>(types).map(([name, type]) => [name, String(type)]));
}

it("column by column", async () => {
  const [utf8, int8, int32, float64] = [new Utf8(), new Int8(), new Int32(), new Float64()];
  await using study = await openPlink(set.prefix);
  for (const any of [study, await selectStudy(study, { exclude: ["rs0"] })]) {
    const parents = { father: utf8, mother: utf8 };
    holds(any.samples, { fid: utf8, iid: utf8, ...parents, sex: int8, phenotype: float64 });
    holds(any.variants, { chrom: names, id: utf8, cm: float64, pos: int32, a1: utf8, a2: utf8 });
  }
  const alleles = { a1: utf8, a2: utf8 };
  const genotypes = { hom_a1: int32, het: int32, hom_a2: int32 };
  holds(await freq(study), { chrom: names, id: utf8, ...alleles, maf: float64, nchrobs: int32 });
  holds(await hardy(study), {
    chrom: names,
    id: utf8,
    test: utf8,
    ...alleles,
    ...genotypes,
    o_het: float64,
    e_het: float64,
    p: float64,
  });
  const { variants, samples } = await missing(study);
  const counts = { n_miss: int32, n_geno: int32, f_miss: float64 };
  holds(variants, { chrom: names, id: utf8, ...counts });
  holds(samples, { fid: utf8, iid: utf8, miss_pheno: int8, ...counts });
  const found = await variantCounts(study);
  holds(found, {
    chrom: names,
    id: utf8,
    pos: int32,
    ...alleles,
    n_missing: int32,
    ...genotypes,
    a1_count: int32,
    af: float64,
    hwe_p: float64,
  });
  expectTypeOf(found.getChild("n_missing")!.get(0)).toEqualTypeOf<number | null>();
  // @ts-expect-error: there is no such column
  expect(found.getChild("n_mising")).toBeNull();
});
