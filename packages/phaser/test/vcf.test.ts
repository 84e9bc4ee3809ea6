// Reading and writing: what bcftools 1.16 makes of the same file (fixtures/make.sh) is what comes back.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openVcf, writeBcf, writeVcf } from "../src/index.ts";
import { FIXTURES, failure, folder, records, SHARED, vcf } from "./support.ts";

const at = folder();
const haploids = ["bob"];
const sources = ["small.vcf", "small.vcf.gz", "small.bcf"].map((name) => join(FIXTURES, name));
const golden = readFileSync(join(FIXTURES, "small.gt.txt"), "utf8").trimEnd().split("\n");
const bcftools = spawnSync("bcftools", ["--version"]).status === 0;

describe("round trip", () => {
  it.each(sources)("%s comes back row by row", async (source) => {
    const loci = await (await openVcf(source)).loci({ haploids });
    expect(loci.length).toBe(7);
    expect([...loci.positions]).toEqual([100, 200, 300, 400, 500, 600, 70000]);
    expect([...loci.codes]).toEqual([2, 4, 3, 2, 3, 2, 2]);
    for (const name of ["a.vcf", "a.vcf.gz"]) {
      await writeVcf(loci, at.path(name), { keepExcluded: true });
      expect(records(readFileSync(at.path(name)))).toEqual(golden);
    }
    await writeBcf(loci, at.path("a.bcf"), { keepExcluded: true });
    const again = await (await openVcf(at.path("a.bcf"))).loci({ haploids });
    expect(again.calls()).toEqual(loci.calls());
    expect(again.flags()).toEqual(loci.flags());
    await writeVcf(again, at.path("b.vcf"), { keepExcluded: true });
    expect(records(readFileSync(at.path("b.vcf")))).toEqual(golden);
  });

  it.skipIf(!bcftools)("bcftools reads what we write, by region too", async () => {
    const loci = await (await openVcf(sources[0]!)).loci({ haploids });
    expect(await writeBcf(loci, at.path("c.bcf"), { keepExcluded: true })).toEqual([
      at.path("c.bcf"),
      at.path("c.bcf.csi"),
    ]);
    await writeVcf(loci, at.path("c.vcf.gz"), { keepExcluded: true });
    for (const name of ["c.bcf", "c.vcf.gz"]) {
      const view = (...more: string[]): string[] =>
        execFileSync("bcftools", ["view", "-H", at.path(name), ...more], { encoding: "utf8" })
          .trimEnd()
          .split("\n");
      expect(view()).toEqual(golden);
      expect(view("20:450-800")).toEqual(golden.slice(5, 9)); // the deletion of 400 to 900 as well
    }
  });

  it("phased codes replace GT, AC and AN only, and nothing else changes", async () => {
    const loci = await (await openVcf(sources[1]!)).loci({ haploids, region: "20:100-300" });
    const haplotypes = loci.calls().map((c) => (c === 255 ? 3 : c));
    await writeVcf(loci, at.path("p.vcf"), { haplotypes });
    const rows = records(readFileSync(at.path("p.vcf"))).map((r) => r.split("\t"));
    expect(rows[0]!.slice(9)).toEqual(["0|1", "0|1", "1|0", "0|0"]);
    // cat's row C>G was missing at 200 beside an observed C>A: the second allele may be G (code 2), here it is T (3).
    expect(rows.slice(1, 3).map((r) => r[11])).toEqual(["0|0", "1|2"]);
    expect(rows[1]!.slice(0, 8)).toEqual(["20", "200", ".", "C", "G", ".", "q10", "AC=2;AN=8;DP=14"]);
  });

  it("joins the rows of a position into one record", async () => {
    const loci = await (await openVcf(sources[2]!)).loci({ haploids });
    await writeVcf(loci, at.path("j.vcf"), { joinMultiallelic: true });
    const rows = records(readFileSync(at.path("j.vcf"))).map((r) => r.split("\t").slice(1));
    expect(rows[1]).toEqual([
      ..."200 rs2b C A,G,T . q10 AC=2,2,1;AN=7 GT".split(" "),
      "1/2",
      "0/3",
      "1/.",
      "0/2",
    ]);
    expect(rows[2]).toEqual([
      ..."300 del;snp CAT C,TAT 50 PASS AN=8;AC=1,3 GT".split(" "),
      "1/2",
      "2/2",
      "0/0",
      "0/0",
    ]);
  });
});

describe("properties", () => {
  const bases = ["C", "G", "T", "AC", "*", "<DEL>"];
  const genotype = fc.constantFrom("0/0", "0/1", "1/1", "./.", "0|1", "1|0", "./1");
  const position = fc.record({
    alts: fc.shuffledSubarray(bases, { minLength: 1, maxLength: 3 }),
    calls: fc.array(genotype, { minLength: 9, maxLength: 9 }),
  });
  const study = fc.array(position, { minLength: 1, maxLength: 6 });

  it("VCF, bgzip and BCF of the same rows give the same loci; permuted rows give the same codes", async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(study, fc.boolean(), async (positions, reverse) => {
        const rows = (flip: boolean): string[] =>
          positions.flatMap(({ alts, calls }, i) => {
            const own = alts.map(
              (alt, k) => `${100 + 50 * i} r${k} A ${alt} ${calls.slice(3 * k, 3 * k + 3).join(" ")}`,
            );
            return flip ? own.reverse() : own;
          });
        const id = n++;
        const read = async (path: string): Promise<[number[], number[], number[]] | string> => {
          try {
            using loci = await (await openVcf(path)).loci();
            return [[...loci.positions], [...loci.codes], [...loci.calls()]];
          } catch (e) {
            return (e as { code: string }).code;
          }
        };
        const plain = at.file(`q${id}.vcf`, vcf(["a", "b", "c"], rows(false)));
        const first = await read(plain);
        const turned = await read(at.file(`t${id}.vcf`, vcf(["a", "b", "c"], rows(reverse))));
        if (typeof first === "string") {
          expect(first).toBe("NO_VARIANTS"); // every position in conflict
          expect(turned).toBe(first);
          return;
        }
        const unordered = (r: typeof first): unknown =>
          typeof r === "string"
            ? r
            : [r[0], r[1], r[2].map((_, i) => (i % 2 ? 0 : r[2].slice(i, i + 2).sort()))];
        expect(unordered(turned as typeof first)).toEqual(unordered(first));
        using loci = await (await openVcf(plain)).loci();
        await writeBcf(loci, at.path(`q${id}.bcf`));
        await writeVcf(loci, at.path(`q${id}.vcf.gz`));
        expect(await read(at.path(`q${id}.bcf`))).toEqual(first);
        expect(await read(at.path(`q${id}.vcf.gz`))).toEqual(first);
      }),
      { numRuns: 40 },
    );
  });
});

describe("filters and samples", () => {
  it("names what removed every variant", async () => {
    const file = await openVcf(sources[0]!);
    const none = await failure(file.loci({ haploids, region: "chr20" }));
    expect(none.code).toBe("NO_VARIANTS");
    expect(none.message).toMatch(
      /10 records were read, 10 of another chromosome; .*"chr20", the file knows 19, 20/,
    );
    const rare = await failure(file.loci({ haploids, region: "20:100-100", minMaf: 0.5 }));
    expect(rare.message).toMatch(/1 positions below the minor allele frequency/);
    expect(rare.details).toMatchObject({ minMaf: 1 });
  });

  it("takes samples in the order asked for", async () => {
    const file = await openVcf(sources[2]!);
    const two = await file.loci({ samples: ["dan", "ann"], region: "20:100" });
    expect([...two.calls()]).toEqual([0, 0, 0, 1]);
    const unknown = await failure(file.loci({ samples: ["eve", "ann"] }));
    expect([unknown.code, unknown.message]).toEqual([
      "SAMPLE_UNKNOWN",
      `${sources[2]}: 1 of 2 samples are not in the file: eve`,
    ]);
  });

  it("stops when cancelled, and leaves no output", async () => {
    const loci = await (await openVcf(sources[0]!)).loci({ haploids });
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(writeBcf(loci, at.path("x.bcf"), { signal })).rejects.toThrow("enough");
    expect(readdirSync(dirname(at.path("x"))).filter((f) => f.includes("x.bcf"))).toEqual([]);
    await expect((await openVcf(sources[0]!)).loci({ signal })).rejects.toThrow("enough");
  });

  it("refuses what cannot be written", async () => {
    const loci = await (await openVcf(sources[0]!)).loci({ haploids });
    expect(() => writeVcf(loci, "a.bcf")).toThrow(/writeBcf/);
    const short = await failure(writeVcf(loci, at.path("s.vcf"), { haplotypes: new Uint8Array(3) }));
    expect(short.code).toBe("HAPLOTYPE_SHAPE");
    const codes = new Uint8Array(loci.calls().length).fill(9);
    expect((await failure(writeVcf(loci, at.path("s.vcf"), { haplotypes: codes }))).code).toBe(
      "HAPLOTYPE_CODE",
    );
    loci.release();
    expect(() => loci.length).toThrow(/released/);
  });
});

it.skipIf(!existsSync(SHARED))(
  "1000 Genomes as BCF: the rows of a region as bcftools counts them",
  async () => {
    const file = await openVcf(join(SHARED, "real/reference.chr20_1.0-2.5Mb.bcf"));
    const loci = await file.loci({ region: "20:2000000-2100000", role: "reference" });
    expect([loci.rows, file.samples.length]).toEqual([938, 300]);
  },
);
