import { Table, type Vector } from "apache-arrow";
import { describe, expect, it } from "vitest";

import { fromIpc, toIpc } from "../src/arrow.ts";
import {
  associationSchema,
  type GenotypeArrays,
  type GenotypeForm,
  genotypeBatch,
  genotypeInfo,
  genotypeSchema,
  genotypeValues,
  samplesSchema,
  samplesSchemaOf,
  variantsSchema,
} from "../src/schemas.ts";
import { dictionaryVector, utf8Vector, vectorOf } from "../src/vectors.ts";
import { code } from "./temp-folder.ts";

const columns = (schema: { fields: readonly { name: string; type: unknown }[] }): string[] =>
  schema.fields.map((f) => `${f.name}: ${f.type}`);

function variants(n: number): Table {
  const texts = (prefix: string): Vector => utf8Vector(Array.from({ length: n }, (_, i) => prefix + i));
  return new Table({
    chrom: dictionaryVector(Array.from({ length: n }, () => "1")),
    id: texts("rs"),
    cm: vectorOf(new Float64Array(n)),
    pos: vectorOf(Int32Array.from({ length: n }, (_, i) => i + 1)),
    a1: texts("A"),
    a2: texts("C"),
  });
}

describe("schemas", () => {
  it("are the columns of the architecture page", () => {
    expect(columns(samplesSchema)).toEqual([
      "fid: Utf8",
      "iid: Utf8",
      "father: Utf8",
      "mother: Utf8",
      "sex: Int8",
      "phenotype: Float64",
    ]);
    expect(columns(samplesSchemaOf(["height", "bmi"])).slice(5)).toEqual(["height: Float64", "bmi: Float64"]);
    expect(columns(variantsSchema)).toEqual([
      "chrom: Dictionary<Int32, Utf8>",
      "id: Utf8",
      "cm: Float64",
      "pos: Int32",
      "a1: Utf8",
      "a2: Utf8",
    ]);
    expect(associationSchema.names.join()).toBe(
      "chrom,id,pos,n_miss,allele1,allele0,af,beta,se,logl_h1,l_remle,l_mle,p_wald,p_lrt,p_score," +
        "neg_log10_p_wald,neg_log10_p_lrt,neg_log10_p_score",
    );
  });

  it("genotypes say how many, whose, which allele and what missing is", () => {
    const packed = genotypeSchema(10, "packed", { sampleHash: "abc" });
    expect(columns(packed).at(-1)).toBe("packed: FixedSizeBinary[3]");
    expect(Object.fromEntries(packed.metadata)).toEqual({
      samples: "10",
      sampleHash: "abc",
      countedAllele: "a1",
    });
    expect(Object.fromEntries(genotypeSchema(10, "int8").metadata)).toMatchObject({ missing: "-127" });
    expect(Object.fromEntries(genotypeSchema(10, "float32").metadata)).toMatchObject({ missing: "NaN" });
    expect(columns(genotypeSchema(10, "float64")).at(-1)).toBe("g: FixedSizeList[10]<Float64>");
  });
});

describe("genotype batches", () => {
  const n = 10;
  const arrays: GenotypeArrays = {
    packed: new Uint8Array(4 * 3).map((_, i) => i * 17),
    int8: new Int8Array(4 * n).map((_, i) => (i % 7 === 0 ? -127 : i % 3)),
    float32: new Float32Array(4 * n).map((_, i) => (i % 7 === 0 ? Number.NaN : i / 8)),
    float64: new Float64Array(4 * n).map((_, i) => (i % 7 === 0 ? Number.NaN : i / 7)),
  };

  it.each(["packed", "int8", "float32", "float64"] as GenotypeForm[])("of %s share their memory", (form) => {
    const schema = genotypeSchema(n, form, { sampleHash: "h" });
    const table = variants(4);
    const batch = genotypeBatch(schema, table, arrays[form]);
    expect(genotypeInfo(batch.schema)).toEqual({ samples: n, form, sampleHash: "h" });
    expect(genotypeValues(batch, form)).toEqual(arrays[form]);
    expect(genotypeValues(batch, form).buffer).toBe(arrays[form].buffer);
    expect(batch.getChild("id")!.data[0]!.values.buffer).toBe(table.getChild("id")!.data[0]!.values.buffer);
    expect(batch.getChild("id")!.get(2)).toBe("rs2");

    const back = fromIpc(toIpc([batch])).batches[0]!;
    expect(genotypeInfo(back.schema)).toEqual({ samples: n, form, sampleHash: "h" });
    expect(genotypeValues(back, form)).toEqual(arrays[form]);
    expect(batch.getChild(form === "packed" ? "packed" : "g")!.nullCount).toBe(0);
  });

  it.each(["packed", "int8"] as GenotypeForm[])("of %s may be sliced", (form) => {
    const width = form === "packed" ? 3 : n;
    const batch = genotypeBatch(genotypeSchema(n, form), variants(4), arrays[form]).slice(1, 3);
    expect(genotypeValues(batch, form)).toEqual(arrays[form].subarray(width, 3 * width));
    const sliced = genotypeBatch(genotypeSchema(n, form), variants(8).slice(2, 6), arrays[form]);
    expect(sliced.getChild("id")!.get(0)).toBe("rs2");
    expect(
      fromIpc(toIpc([sliced]))
        .getChild("id")!
        .get(3),
    ).toBe("rs5");
  });

  it("refuse wrong lengths, wrong forms and other tables", () => {
    const schema = genotypeSchema(n, "int8");
    const refused = (name: string): unknown => expect.objectContaining(code(name));
    expect(() => genotypeBatch(schema, variants(3), arrays.int8)).toThrow(refused("GENOTYPE_SHAPE"));
    expect(() => genotypeInfo(variantsSchema)).toThrow(refused("NOT_GENOTYPES"));
    const batch = genotypeBatch(schema, variants(4), arrays.int8);
    expect(() => genotypeValues(batch, "float64")).toThrow(refused("GENOTYPE_FORM"));
  });
});
