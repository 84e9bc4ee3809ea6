import { toIpc } from "@x/core";
import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { afterAll, describe, expect, it } from "vitest";
import { openPlink, type PlinkStudy, selectStudy, variantCounts } from "../src/index.ts";
import { dosages, makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);
const truth = dosages(set.codes);

async function decoded(
  study: PlinkStudy,
  options: Parameters<PlinkStudy["genotypes"]>[0],
): Promise<number[]> {
  const values: number[] = [];
  for await (const batch of study.genotypes(options))
    values.push(...(batch.getChild("g")!.data[0]!.children[0]!.values as Int8Array));
  return values;
}

const rowsOf = (rows: readonly number[], people: readonly number[] = [...Array(set.n).keys()]): number[] =>
  rows.flatMap((j) => people.map((i) => truth[j * set.n + i]!));

describe("genotypes", () => {
  it("are the dosages of allele 1 in every form", async () => {
    await using study = await openPlink(set.prefix);
    expect(await decoded(study, { as: "int8" })).toEqual([...truth]);
    const floats = [...truth].map((value) => (value === -127 ? Number.NaN : value));
    expect(await decoded(study, { as: "float32", chunk: 7 })).toEqual(floats);
    expect(await decoded(study, { as: "float64", chunk: 299 })).toEqual(floats);
  });

  it("select by range, id, chromosome, region and sample, in any mix", async () => {
    await using study = await openPlink(set.prefix);
    const as = "int8";
    expect(await decoded(study, { as, range: [10, 13] })).toEqual(rowsOf([10, 11, 12]));
    expect(await decoded(study, { as, ids: ["rs250", "rs7"] })).toEqual(rowsOf([7, 250]));
    expect(await decoded(study, { as, chrom: "chr2", range: [195, 205] })).toEqual(
      rowsOf([195, 196, 197, 198, 199]),
    );
    expect(await decoded(study, { as, region: "1:1,010-1030" })).toEqual(rowsOf([1, 2, 3]));
    expect(await decoded(study, { as, region: "1:1020" })).toEqual(rowsOf([2]));
    expect(await decoded(study, { as, region: "3:3980-" })).toEqual(rowsOf([298, 299]));
    expect(await decoded(study, { as, rows: [0, 150, 151, 299], chunk: 3, samples: [100, 3, 4] })).toEqual(
      rowsOf([0, 150, 151, 299], [100, 3, 4]),
    );
    expect(await decoded(study, { as, range: [5, 6], samples: ["F9 I9", "I2"] })).toEqual(
      rowsOf([5], [9, 2]),
    );
  });

  it("batches share one dictionary and survive IPC", async () => {
    await using study = await openPlink(set.prefix);
    const batches: RecordBatch[] = [];
    for await (const batch of study.genotypes({ chunk: 64 })) batches.push(batch);
    expect(batches.map((batch) => batch.numRows)).toEqual([64, 64, 64, 64, 44]);
    expect(batches[0]!.schema.metadata.get("samples")).toBe("101");
    expect(batches[0]!.schema.metadata.get("sampleHash")).toBe(study.sampleHash);
    const table = tableFromIPC(toIpc(batches));
    expect(table.numRows).toBe(300);
    expect(table.getChild("chrom")!.get(299)).toBe("3");
    expect(table.getChild("id")!.get(70)).toBe("rs70");
  });

  it("teach when a selection is wrong or empty", async () => {
    await using study = await openPlink(set.prefix);
    const refused = (options: object, code: string) =>
      expect(decoded(study, options)).rejects.toMatchObject({ code });
    await refused({ region: "9:1-5" }, "NO_VARIANTS_AFTER_FILTER");
    await refused({ ids: ["nobody"] }, "NO_VARIANTS_AFTER_FILTER");
    await refused({ region: "1:5-2" }, "OPTION_RANGE");
    await refused({ range: [0, 301] }, "OPTION_RANGE");
    await refused({ rows: [3, 2] }, "OPTION_RANGE");
    await refused({ chunk: 0 }, "OPTION_RANGE");
    expect(() => study.genotypes({ chnuk: 5 } as object)).toThrow(/did you mean chunk/);
    await expect(openPlink(set.prefix, { stritc: true } as object)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
    await refused({ samples: [1, 1] }, "DUP_SAMPLE");
    await refused({ samples: ["I999"] }, "SAMPLE_UNKNOWN");
    await refused({ samples: [101] }, "OPTION_RANGE");
  });

  it("stop when told to", async () => {
    await using study = await openPlink(set.prefix);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _block of study.blocks({ chunk: 1, signal: controller.signal }))
        controller.abort(new Error("enough"));
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(await decoded(study, { as: "int8", range: [0, 1] })).toEqual(rowsOf([0]));
  });
});

describe("tables", () => {
  it("samples and variants follow core's schemas", async () => {
    await using study = await openPlink(set.prefix);
    expect(study.samples.schema.fields.map((field) => field.name)).toEqual([
      "fid",
      "iid",
      "father",
      "mother",
      "sex",
      "phenotype",
    ]);
    expect(study.samples.get(8)!.toJSON()).toEqual({
      fid: "F8",
      iid: "I8",
      father: "0",
      mother: "0",
      sex: 1,
      phenotype: 1,
    });
    expect(study.variants.get(101)!.toJSON()).toEqual({
      chrom: "2",
      id: "rs101",
      cm: 1.01,
      pos: 2010,
      a1: "A",
      a2: "G",
    });
  });

  it("variantCounts counts, for all and for some", async () => {
    await using study = await openPlink(set.prefix);
    const people = [5, 50, 99];
    for (const samples of [undefined, people]) {
      const counts = await variantCounts(study, samples ? { samples } : {});
      for (const j of [0, 17, 299]) {
        const row = rowsOf([j], samples);
        const typed = row.filter((value) => value >= 0);
        const copies = typed.reduce((sum, value) => sum + value, 0);
        const found = counts.get(j)!.toJSON();
        expect(found).toMatchObject({
          id: `rs${j}`,
          n_missing: row.length - typed.length,
          a1_count: copies,
          het: row.filter((value) => value === 1).length,
        });
        if (typed.length > 0) expect(found.af).toBeCloseTo(copies / (2 * typed.length), 12);
        else expect(found.af).toBeNull();
      }
    }
  });

  it("a part of a study behaves like a study", async () => {
    await using study = await openPlink(set.prefix);
    const part = await selectStudy(study, { exclude: ["rs0", "rs1"], remove: ["F0 I0", "I1"] });
    expect([part.n, part.p]).toEqual([99, 298]);
    const people = [...Array(set.n).keys()].slice(2);
    expect(await decoded(part, { as: "int8", range: [3, 5], samples: [0, 5] })).toEqual(
      rowsOf([5, 6], [people[0]!, people[5]!]),
    );
    const warnings: string[] = [];
    await selectStudy(study, {
      extract: ["rs5", "nothing"],
      warn: (warning) => warnings.push(warning.message),
    });
    expect(warnings[0]).toMatch(/1 of 2 listed variants are not in the fileset/);
    await expect(selectStudy(study, { extract: ["nothing"] })).rejects.toMatchObject({
      code: "NO_VARIANTS_AFTER_FILTER",
    });
    await expect(selectStudy(study, { keep: ["no body"] })).rejects.toMatchObject({
      code: "NO_SAMPLES_AFTER_FILTER",
    });
  });
});
