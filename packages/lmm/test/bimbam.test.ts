// BIMBAM mean genotypes: what is read, and what is refused with line and column.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { associate, eigen, gwas, joinSamples, kinship, openBimbam } from "../src/index.ts";
import { lmm, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const folder = tempFolder();
const path = join(folder, "g.txt");
const geno = (text: string, name = path): string => {
  writeFileSync(name, text);
  return name;
};

describe("openBimbam", () => {
  it("people, variants, places and tables", async () => {
    geno("rs1, A, T, 0.02, 2, NA\nrs2\tC\tG\t1\t1.5 0\n");
    const annotation = geno("rs2 55 7\nrs9, 1, 1\nrs1, NA, X\n", join(folder, "a.txt"));
    await using study = await openBimbam(path, { annotation });
    expect([study.n, study.p, study.warnings]).toEqual([3, 2, []]);
    expect(study.bim).toMatchObject({
      id: ["rs1", "rs2"],
      chrom: ["X", "7"],
      a1: ["A", "C"],
      a2: ["T", "G"],
    });
    expect(Array.from(study.bim.pos)).toEqual([-9, 55]);
    expect([...study.samples].map((r) => r.iid)).toEqual(["1", "2", "3"]);
    expect(study.variants.getChild("pos")!.toArray()).toEqual(Int32Array.of(-9, 55));
    for await (const block of study.dosages({ chunk: 9 }))
      expect(Array.from(block.values)).toEqual([0.02, 2, Number.NaN, 1, 1.5, 0]);
    expect(() => study.blocks()).toThrow(expect.objectContaining({ code: "NOT_IMPLEMENTED" }));
    expect(() => study.genotypes()).toThrow(expect.objectContaining({ code: "NOT_IMPLEMENTED" }));
    await using named = await openBimbam(path, { ids: geno("f1 a\nf2 b\nf2 c\n", join(folder, "ids")) });
    expect(named.fam).toMatchObject({ fid: ["f1", "f2", "f2"], iid: ["a", "b", "c"] });
    expect(named.warnings).toEqual([]);
    expect(named.sampleHash).not.toBe(study.sampleHash);
  });

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    [
      "a person short",
      "a A T 0 1 2\nb A T 0 1\n",
      { code: "BIMBAM_SHAPE" },
      /g\.txt:2: 5 fields, 6 expected/,
    ],
    ["a person more", "a A T 0 1 2\nb A T 0 1 2 0\n", { code: "BIMBAM_SHAPE" }, /g\.txt:2: 7 fields/],
    ["no dosages", "a A T\n", { code: "BIMBAM_SHAPE" }, /g\.txt:1/],
    ["empty", "", { code: "BIMBAM_SHAPE" }, /no lines/],
    ["text", "a A T 0 1 2\nb A T 0 x 2\n", { code: "BIMBAM_PARSE" }, /g\.txt:2:5: "x"/],
    ["lower case na", "a A T 0 1 na\n", { code: "BIMBAM_PARSE" }, /g\.txt:1:6/],
    ["NaN", "a A T 0 1 NaN\n", { code: "BIMBAM_PARSE" }, /g\.txt:1:6/],
    ["too large", "a A T 0 1 2.1\n", { code: "BIMBAM_RANGE" }, /g\.txt:1:6: "2\.1"/],
    ["negative", "a A T 0 -0.1 2\n", { code: "BIMBAM_RANGE" }, /g\.txt:1:5/],
    ["an empty field", "a,A,T,0,,2\n", { code: "BIMBAM_PARSE" }, /g\.txt:1:5/],
    ["a blank line", "a A T 0 1\n\nb A T 0 1\n", { code: "BIMBAM_SHAPE" }, /g\.txt:2: 0 fields/],
  ])("%s", async (_name, text, code, says) => {
    geno(text);
    await expect(openBimbam(path)).rejects.toMatchObject(code);
    await expect(openBimbam(path)).rejects.toThrow(says);
  });

  it("annotation and ids: refusals with the line", async () => {
    geno("rs1 A T 0 1\nrs2 A T 0 1\n");
    const with_ = (name: "annotation" | "ids", text: string) =>
      openBimbam(path, { [name]: geno(text, join(folder, "x.txt")) });
    await expect(with_("annotation", "rs1 5 1\nrs1 6 1\n")).rejects.toMatchObject({ code: "DUP_VARIANT_ID" });
    await expect(with_("annotation", "rs1 5\n")).rejects.toThrow(/x\.txt:1/);
    for (const place of ["1.5", "0x10", "1e3", "+7"])
      await expect(with_("annotation", `rs1 ${place} 1\n`)).rejects.toMatchObject({ code: "ANNOT_PARSE" });
    await expect(with_("annotation", "rs1,,1\n")).rejects.toMatchObject({ code: "ANNOT_PARSE" });
    await expect(with_("ids", "a\nb\nc\n")).rejects.toMatchObject({ code: "COUNT_MISMATCH" });
    await expect(with_("ids", "a\na\n")).rejects.toMatchObject({ code: "DUP_SAMPLE" });
    await expect(openBimbam(path, { anotation: "x" } as never)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
    const study = await with_("annotation", "rs1 5 1\n");
    expect(study.warnings).toMatchObject([{ code: "ANNOT_MISSING", details: { count: 1 } }]);
  });

  it("a cut gzip, and a file that changes between two passes", async () => {
    const whole = gzipSync(Array.from({ length: 99 }, (_, j) => `v${j} A T ${j % 3} 1 0.25\n`).join(""));
    writeFileSync(join(folder, "g.gz"), whole.subarray(0, whole.length - 9));
    await expect(openBimbam(join(folder, "g.gz"))).rejects.toMatchObject({ code: "GZIP_TRUNCATED" });
    const { genotypes, phenotypes } = simulate(20, 30);
    const text = dosageText(genotypes);
    geno(text);
    const study = await openBimbam(path);
    const cohort = await joinSamples(study, {
      phenotypes: geno(`${phenotypes.join("\n")}\n`, join(folder, "p")),
    });
    geno(`${text}v A T ${genotypes[0]!.map(() => 1).join(" ")}\n`);
    await expect(kinship(study, cohort)).rejects.toMatchObject({ code: "INPUT_CHANGED" });
  });

  it("any dosages come back as written, in blocks of any size", async () => {
    const dosage = fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 2, noNaN: true }), fc.nat(2));
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 6 })
          .chain((n) =>
            fc.array(fc.array(dosage, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 20 }),
          ),
        fc.integer({ min: 1, max: 25 }),
        fc.nat(20),
        async (rows, chunk, skip) => {
          geno(
            rows
              .map((r, j) => `v${j} A T ${r.map((x) => (Number.isNaN(x) ? "NA" : x)).join(" ")}\n`)
              .join(""),
          );
          const study = await openBimbam(path);
          const from = Math.min(skip, rows.length - 1);
          const found: number[] = [];
          for await (const block of study.dosages({ chunk, range: [from, rows.length] })) {
            expect(block.start).toBe(from + found.length / rows[0]!.length);
            found.push(...block.values);
          }
          expect(found).toEqual(
            rows
              .slice(from)
              .flat()
              .map((x) => x + 0),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

const dosageText = (genotypes: number[][]): string =>
  genotypes.map((row, j) => `v${j + 1} A C ${row.map((g) => (g < 0 ? "NA" : g)).join(" ")}\n`).join("");

describe("hard calls as dosages", () => {
  const { genotypes, phenotypes } = simulate(50, 300);
  const random = randoms(4);
  const covariates = geno(
    phenotypes.map(() => `${random().toFixed(3)} ${random().toFixed(3)}\n`).join(""),
    join(folder, "c.txt"),
  );
  const y = geno(phenotypes.map((v, i) => `${i === 3 ? "NA" : v}\n`).join(""), join(folder, "y.txt"));
  const prefix = writeFileset(folder, genotypes, phenotypes);
  const text = geno(dosageText(genotypes), join(folder, "calls.txt"));

  it("give the numbers of the fileset, but for the rounding of another order of sums", async () => {
    await using study = await openBimbam(text);
    const a = await gwas(prefix, { phenotypes: y, covariates, hwe: 1e-3 });
    const b = await gwas(study, { phenotypes: y, covariates, hwe: 1e-3 });
    expect(b.filters).toEqual(a.filters);
    expect(Array.from(b.columns.index)).toEqual(Array.from(a.columns.index));
    a.columns.beta.forEach((beta, i) => {
      expect(Math.abs(b.columns.beta[i]! - beta) / a.columns.se[i]!).toBeLessThan(1e-7);
      expect(Math.abs(b.columns.negLog10PWald![i]! - a.columns.negLog10PWald![i]!)).toBeLessThan(1e-7);
    });
    expect(b.results.getChild("id")!.get(0)).toBe(a.results.getChild("id")!.get(0));
  });

  it("standardised and centred kinships agree with the fileset's", async () => {
    await using study = await openBimbam(text);
    for (const mode of ["centered", "standardized", "hardy"] as const) {
      const cohort = await joinSamples(study, { phenotypes: y });
      await using k = await kinship(study, cohort, { mode });
      const { openPlink } = await import("@x/plink-io");
      await using plink = await openPlink(prefix);
      await using other = await kinship(plink, await joinSamples(plink, { phenotypes: y }), {
        mode,
        chunk: 13,
      });
      const [mine, theirs] = [k.tile(0, 50, 0, 50), other.tile(0, 50, 0, 50)];
      for (const [i, v] of mine.entries()) expect(Math.abs(v - theirs[i]!)).toBeLessThan(1e-12);
      expect(k.facts.mode).toBe(mode);
    }
  });

  it("an abort ends a run within its block, and Node goes on", async () => {
    await using study = await openBimbam(text);
    const cohort = await joinSamples(study, { phenotypes: y });
    await using k = await kinship(study, cohort);
    await using e = await eigen(k, cohort);
    const stop = new AbortController();
    const run = associate(study, cohort, e, { signal: stop.signal, chunk: 16 });
    await expect(
      (async () => {
        for await (const _ of run.columns()) stop.abort(new Error("enough"));
      })(),
    ).rejects.toThrow("enough");
  });

  it("resume goes on with dosages; shards of them are refused", async () => {
    await using study = await openBimbam(text);
    const out = join(folder, "whole");
    await gwas(study, { phenotypes: y, out, report: false });
    const stop = new AbortController();
    const again = join(folder, "again");
    await gwas(study, {
      phenotypes: y,
      out: again,
      report: false,
      resume: true,
      chunk: 64,
      signal: stop.signal,
      onProgress: ({ stage, done }) => {
        if (stage === "association" && done >= 128) stop.abort(new Error("killed"));
      },
    }).catch(() => undefined);
    await gwas(study, { phenotypes: y, out: again, report: false, resume: true, chunk: 64 });
    expect(readFileSync(`${again}.assoc.txt`)).toEqual(readFileSync(`${out}.assoc.txt`));
    await expect(gwas(study, { phenotypes: y, out, shard: { index: 1, count: 2 } })).rejects.toMatchObject({
      code: "NOT_IMPLEMENTED",
    });
  });

  it("lmm gwas -g: report, log, Arrow; a wrong count of phenotypes is named", async () => {
    const out = join(folder, "cli");
    const ran = await lmm(["gwas", "-g", text, "-p", y, "--out", out]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(readFileSync(`${out}.report.html`, "utf8")).toContain("calls.txt");
    geno("1\n2\n", join(folder, "short.txt"));
    const bad = await lmm(["gwas", "-g", text, "-p", join(folder, "short.txt"), "--out", out]);
    expect(bad.code).toBe(1);
    expect(bad.err).toMatch(/^COUNT_MISMATCH .*short\.txt.*2 rows found, 50 expected/);
  });
});
