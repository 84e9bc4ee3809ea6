import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import {
  type BimColumns,
  type FamColumns,
  merge,
  openPlink,
  type PlinkStudy,
  subset,
  writePlink,
} from "../../src/index.ts";
import { dosages, pack, temporaryFolder } from "../support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const at = (name: string): string => join(folder.path, name);

interface Made {
  n: number;
  p: number;
  codes: Uint8Array;
}

/** Filesets of 1–70 people and 1–40 variants with any codes. */
const filesets: fc.Arbitrary<Made> = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 }))
  .chain(([n, p]) =>
    fc.uint8Array({ minLength: n * p, maxLength: n * p, max: 3 }).map((codes) => ({ n, p, codes })),
  );

const people = (n: number): FamColumns => ({
  fid: Array.from({ length: n }, (_, i) => `F${i >> 1}`),
  iid: Array.from({ length: n }, (_, i) => `I${i}`),
  father: Array.from({ length: n }, () => "0"),
  mother: Array.from({ length: n }, () => "0"),
  sex: Int8Array.from({ length: n }, (_, i) => i % 3),
  phenotypes: [Float64Array.from({ length: n }, (_, i) => (i % 5 === 0 ? Number.NaN : i / 3))],
});

const sites = (p: number): BimColumns => ({
  chrom: Array.from({ length: p }, (_, j) => (j < p / 2 ? "1" : "X")),
  id: Array.from({ length: p }, (_, j) => `v${j}`),
  cm: Float64Array.from({ length: p }, (_, j) => j * 0.1),
  pos: Int32Array.from({ length: p }, (_, j) => 10 * j),
  a1: Array.from({ length: p }, () => "A"),
  a2: Array.from({ length: p }, () => "CT"),
});

const write = (name: string, { n, p, codes }: Made) =>
  writePlink(at(name), {
    samples: people(n),
    variants: sites(p),
    genotypes: [{ rows: p, packed: pack(codes, p, n) }],
  });

async function int8(study: PlinkStudy, options = {}): Promise<Int8Array> {
  const parts: Int8Array[] = [];
  for await (const batch of study.genotypes({ as: "int8", ...options }))
    parts.push(batch.getChild("g")!.data[0]!.children[0]!.values);
  return Int8Array.from(parts.flatMap((part) => [...part]));
}

it("what is written is read back, from packed codes and from dosages", async () => {
  await fc.assert(
    fc.asyncProperty(filesets, async (made) => {
      await write("a", made);
      const values = dosages(made.codes);
      await writePlink(at("b"), {
        samples: people(made.n),
        variants: sites(made.p),
        genotypes: [{ rows: made.p, dosages: values }],
      });
      expect(readFileSync(at("b.bed")).equals(readFileSync(at("a.bed")))).toBe(true);
      await using study = await openPlink(at("a"));
      expect(await int8(study)).toEqual(values);
      expect(study.bim).toEqual(sites(made.p));
      expect(study.fam).toEqual(people(made.n));
      await writePlink(at("c"), { samples: study.samples, genotypes: study.genotypes({ as: "float32" }) });
      for (const part of ["bed", "bim", "fam"])
        expect(readFileSync(at(`c.${part}`), "latin1")).toBe(readFileSync(at(`a.${part}`), "latin1"));
    }),
    { numRuns: 40 },
  );
});

it("any chunk size and thread count give the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(
      filesets,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 4 }),
      async (made, chunk, threads) => {
        await write("d", made);
        await using study = await openPlink(at("d"));
        const packed: number[] = [];
        for await (const block of study.blocks({ chunk, threads })) packed.push(...block.packed);
        expect(Uint8Array.from(packed)).toEqual(pack(made.codes, made.p, made.n));
        expect(await int8(study, { chunk, threads })).toEqual(dosages(made.codes));
      },
    ),
    { numRuns: 40 },
  );
});

it("a sample-major file reads as its SNP-major twin", async () => {
  await fc.assert(
    fc.asyncProperty(filesets, fc.integer({ min: 1, max: 9 }), async (made, chunk) => {
      const { n, p, codes } = made;
      await write("e", made);
      const turned = Uint8Array.from({ length: n * p }, (_, k) => codes[(k % p) * n + Math.floor(k / p)]!);
      writeFileSync(at("e.bed"), Buffer.concat([Buffer.of(0x6c, 0x1b, 0), pack(turned, n, p)]));
      await using study = await openPlink(at("e"));
      expect(await int8(study, { chunk })).toEqual(dosages(codes));
    }),
    { numRuns: 30 },
  );
});

it("subset is decode and filter; merge puts the parts together again", async () => {
  const parts = filesets.chain((made) =>
    fc.record({
      made: fc.constant(made),
      samples: fc.subarray([...Array(made.n).keys()], { minLength: 1 }),
      rows: fc.subarray([...Array(made.p).keys()], { minLength: 1 }),
      cut: fc.integer({ min: 0, max: made.p - 1 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(parts, async ({ made, samples, rows, cut }) => {
      await write("f", made);
      await using study = await openPlink(at("f"));
      await subset(study, at("g"), { samples, rows });
      await using part = await openPlink(at("g"));
      const all = dosages(made.codes);
      expect(await int8(part)).toEqual(
        Int8Array.from(rows.flatMap((j) => samples.map((i) => all[j * made.n + i]!))),
      );
      expect(part.fam.iid).toEqual(samples.map((i) => `I${i}`));
      expect(part.bim.id).toEqual(rows.map((j) => `v${j}`));
      if (cut === 0) return;
      await subset(study, at("h1"), { range: [0, cut] });
      await subset(study, at("h2"), { range: [cut, made.p] });
      await merge([at("h1"), at("h2")], at("h"));
      for (const ending of ["bed", "bim", "fam"])
        expect(readFileSync(at(`h.${ending}`), "latin1")).toBe(readFileSync(at(`f.${ending}`), "latin1"));
    }),
    { numRuns: 40 },
  );
});

it("other values than dosages are refused with their place", async () => {
  const genotypes = [{ rows: 1, dosages: Float64Array.of(0, 1.5) }];
  await expect(
    writePlink(at("bad"), { samples: people(2), variants: sites(1), genotypes }),
  ).rejects.toMatchObject({
    code: "GENOTYPE_VALUE",
    details: { variant: 0, sample: 1, found: 1.5 },
  });
});

it("merging other people is refused with the first that differs", async () => {
  await write("m1", { n: 3, p: 1, codes: Uint8Array.of(0, 1, 2) });
  await write("m2", { n: 4, p: 1, codes: Uint8Array.of(0, 1, 2, 3) });
  await expect(merge([at("m1"), at("m2")], at("m"))).rejects.toMatchObject({
    code: "SAMPLES_DIFFER",
    details: { line: 4 },
  });
});
