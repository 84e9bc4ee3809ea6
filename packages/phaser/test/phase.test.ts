// Phasing from a file to a file: what comes out, and what must not change.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromIpc, toIpc } from "@x/core";
import { openPlink } from "@x/plink-io";
import { type RecordBatch, Table } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkOneAllele,
  lociFromBatches,
  openVcf,
  type PhaseProgress,
  phase,
  switchError,
  writeBcf,
  writeVcf,
} from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { failure, folder, records, vcf } from "./support.ts";

const at = folder();
const people = simulate({ people: 40, positions: 150, seed: 11 });
const input = at.file("in.vcf", toVcf(people, { missing: 60, rows: "mixed" }));
const truth = at.file("truth.vcf", toVcf(people, { phased: true, rows: "mixed" }));
const quick = { seed: 1, threads: 2, mcmcIterations: "2b,1p,2m" } as const;

/** Rows of a file as columns. */
const rows = (path: string): string[][] => records(readFileSync(path)).map((r) => r.split("\t"));
/** A call without the order of its alleles; `.` where one is missing. */
const unordered = (call: string): string => call.split(":")[0]!.split(/[|/]/).sort().join("/");

describe("a file", () => {
  it("is phased, row by row, with nothing observed changed and no haplotype with two ALTs", async () => {
    await using phased = phase(input, { seed: 1 });
    const summary = await phased.summary;
    const written = await writeVcf(phased, at.path("out.vcf.gz"));
    expect(written).toEqual([at.path("out.vcf.gz"), at.path("out.vcf.gz.tbi")]);
    const [before, after] = [rows(input), rows(at.path("out.vcf.gz"))];
    expect(after.map((r) => r.slice(0, 7))).toEqual(before.map((r) => r.slice(0, 7)));
    let [observed, imputed] = [0, 0];
    for (const [i, row] of after.entries()) {
      for (const [s, call] of row.slice(9).entries()) {
        const was = before[i]![9 + s]!;
        expect(call).toMatch(/^\d\|\d$/);
        if (was.includes(".")) imputed++;
        else expect(unordered(call), `${row[1]} ${s}`).toBe(unordered(was));
        observed += Number(!was.includes("."));
      }
      expect(row[7]).toMatch(/^DP=7;AC=[\d,]+;AN=80$/);
    }
    expect([observed > 6000, imputed > 50]).toEqual([true, true]);
    expect((await checkOneAllele(at.path("out.vcf.gz"))).haplotypeViolations).toBe(0);
    const report = await switchError(at.path("out.vcf.gz"), truth, { by: "position" });
    expect(report.percent).toBeLessThan(4);
    expect(summary).toMatchObject({ chrom: "20", samples: 40, positions: 150, supersites: 25, seed: 1 });
    expect(summary.rows).toBe(before.length);
    expect(summary.missing).toBeGreaterThan(50);
    expect(summary.stillMissing).toBe(0);
    expect(summary.iterations).toHaveLength(32);
    expect(summary.iterations.map((i) => i.number)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    expect(summary.meanDonors).toBeGreaterThan(1);
  });

  it("comes back as one record a position where that is asked for", async () => {
    await using phased = phase(input, quick);
    await writeBcf(phased, at.path("joined.bcf"), { joinMultiallelic: true });
    const loci = await (await openVcf(at.path("joined.bcf"))).loci({ role: "reference" });
    expect([loci.rows, loci.length]).toEqual([150, 150]);
    expect(loci.calls()).toEqual((await phased.loci()).calls());
  });

  it("leaves missing genotypes missing where that is asked for", async () => {
    await using phased = phase(input, { ...quick, keepMissing: true });
    await writeVcf(phased, at.path("kept.vcf"));
    const [before, after] = [rows(input), rows(at.path("kept.vcf"))];
    for (const [i, row] of after.entries()) {
      for (const [s, call] of row.slice(9).entries()) {
        const was = before[i]![9 + s]!;
        // A row missing beside an ALT of another row: one haplotype is known not to have it.
        if (was === "./.") expect(call).toMatch(/^\.[/]\.$|^\.\|0$|^0\|\.$|^0\|0$/);
        else expect(unordered(call)).toBe(unordered(was));
      }
    }
    const { missing, stillMissing } = await phased.summary;
    expect(stillMissing).toBe(missing);
  });

  it("gives confidences in FORMAT and Arrow", async () => {
    await using phased = phase(input, { ...quick, confidence: true });
    const { phase: pp, codes } = (await phased.confidence())!;
    expect([pp.length, codes.length]).toEqual([150 * 40, 2 * 150 * 40]);
    const given = pp.filter((p) => !Number.isNaN(p));
    expect(given.every((p) => p >= 0 && p <= 1 + 1e-6)).toBe(true);
    await writeVcf(phased, at.path("sure.vcf"));
    const head = readFileSync(at.path("sure.vcf"), "utf8");
    expect(head).toContain("##FORMAT=<ID=PP,Number=1,Type=Float,");
    expect(head).toContain("##FORMAT=<ID=CP,Number=2,Type=Float,");
    for (const row of rows(at.path("sure.vcf"))) {
      expect(row[8]).toBe("GT:PP:CP");
      for (const cell of row.slice(9))
        expect(cell).toMatch(/^\d\|\d:(\.|[\d.e-]+):(\.|[\d.e-]+),(\.|[\d.e-]+)$/);
    }
    await writeBcf(phased, at.path("sure.bcf"));
    expect((await (await openVcf(at.path("sure.bcf"))).loci()).length).toBe(150);
    const batches: RecordBatch[] = [];
    for await (const batch of phased.batches({ chunk: 64 })) batches.push(batch);
    const table = fromIpc(toIpc(new Table(batches)));
    expect(table.numRows).toBe(150);
    const last = table.toArray()[149]!.toJSON();
    expect([...last.phase_confidence]).toEqual([...pp.subarray(149 * 40)]);
    expect([...last.code_confidence]).toEqual([...codes.subarray(2 * 149 * 40)]);
    // What was observed has no probability; what was imputed has one.
    const calls = (await (await openVcf(input)).loci()).calls();
    const imputed = (i: number): boolean => calls[i] === 255 || calls[i ^ 1] === 255;
    expect(codes.every((p, i) => Number.isNaN(p) !== imputed(i))).toBe(true);
  });

  it("reports every iteration with its conditioning haplotypes", async () => {
    const seen: PhaseProgress[] = [];
    await using phased = phase(input, { ...quick, onProgress: (p) => seen.push(p) });
    const { iterations } = await phased.summary;
    const reported = new Set(seen.flatMap((p) => (p.iteration ? [p.iteration.number] : [])));
    expect([...reported]).toEqual([1, 2, 3, 4, 5]);
    expect(seen.at(-1)).toMatchObject({ stage: "phasing", done: 200, total: 200, iteration: iterations[4] });
    expect(iterations.map((i) => i.stage)).toEqual(["burn-in", "burn-in", "pruning", "main", "main"]);
  });

  it("stops within two seconds, leaves nothing, and Node goes on", async () => {
    const many = simulate({ people: 300, positions: 600, seed: 5 });
    const file = at.file("many.vcf", toVcf(many));
    const stop = new AbortController();
    await using phased = phase(file, { signal: stop.signal, threads: 2 });
    const run = writeBcf(phased, at.path("never.bcf"), { signal: stop.signal });
    setTimeout(() => stop.abort(), 700);
    const started = performance.now();
    await expect(run).rejects.toThrow(/aborted/);
    expect(performance.now() - started).toBeLessThan(2700);
    expect(() => readFileSync(at.path("never.bcf"))).toThrow();
  });
});

describe("other inputs", () => {
  it("Arrow batches from PLINK, and loci, which stay as they were", async () => {
    await using study = await openPlink(join(import.meta.dirname, "../../../fixtures/demo/demo"));
    const names = [...(study.samples.getChild("iid") as Iterable<string>)];
    const region = "1:1-20000000";
    const chunks: Uint8Array[] = [];
    for (const chunk of [7, 500]) {
      await using phased = phase({ batches: study.genotypes({ region, chunk }), names }, quick);
      chunks.push((await phased.loci()).calls());
    }
    expect(chunks[0]).toEqual(chunks[1]);
    using loci = await lociFromBatches(study.genotypes({ region, as: "int8" }), { names });
    const before = loci.calls();
    await using again = phase(loci, quick);
    expect((await again.loci()).calls()).toEqual(chunks[0]);
    expect(loci.calls()).toEqual(before);
    await again.release();
    expect(loci.length).toBeGreaterThan(20);
  });

  it("one person, one position, no heterozygous genotype, fewer than fifty people", async () => {
    const one = vcf(["a"], ["100 x A C 0/1", "200 y A C 0/1", "200 z A G 0/1", "300 w A C ./."]);
    await using alone = phase(at.file("one.vcf", one), quick);
    expect((await alone.loci()).calls(1, 2).toSorted()).toEqual(Uint8Array.of(1, 2));
    const single = at.file("single.vcf", vcf(["a", "b"], ["100 x A C 0/1 1/1"]));
    await using short = phase(single, quick);
    expect((await short.summary).positions).toBe(1);
    const still = at.file("hom.vcf", vcf(["a", "b"], ["100 x A C 1/1 1/1", "200 y A C 0/0 1/1"]));
    await using none = phase(still, quick);
    expect([...(await none.loci()).calls()]).toEqual([1, 1, 1, 1, 0, 0, 1, 1]);
  });

  it("any small file: one ALT a haplotype, observed genotypes kept, every row back", async () => {
    const allele = fc.constantFrom("0/0", "0/1", "1/1", "./.", "0/.", "1|0");
    const locus = fc.record({
      alts: fc.shuffledSubarray(["C", "G", "T", "AT"], { minLength: 1, maxLength: 3 }),
      calls: fc.array(fc.array(allele, { minLength: 3, maxLength: 3 }), { minLength: 3, maxLength: 3 }),
    });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(locus, { minLength: 1, maxLength: 12 }), async (loci) => {
        const lines = loci.flatMap(({ alts, calls }, l) =>
          alts.map((alt, k) => `${100 + 50 * l} . A ${alt} ${calls.map((c) => c[k]).join(" ")}`),
        );
        const file = at.file(`p${n}.vcf`, vcf(["a", "b", "c"], lines));
        const out = at.path(`q${n++}.vcf`);
        await using phased = phase(file, { ...quick, threads: 1 });
        try {
          await writeVcf(phased, out, { keepExcluded: true });
        } catch (e) {
          expect((e as { code?: string }).code).toBe("NO_VARIANTS");
          return;
        }
        const left = new Set((await phased.loci()).excluded().map((x) => x.position));
        const [before, after] = [rows(file), rows(out)];
        expect(after.map((r) => r.slice(0, 5))).toEqual(before.map((r) => r.slice(0, 5)));
        const carried = new Map<string, number>();
        for (const [i, row] of after.entries()) {
          for (const [s, call] of row.slice(9).entries()) {
            const was = before[i]![9 + s]!;
            if (!was.includes(".")) expect(unordered(call)).toBe(unordered(was));
            if (left.has(Number(row[1]))) continue;
            for (const [h, a] of call.split("|").entries()) {
              const key = `${row[1]} ${s} ${h}`;
              if (a !== "0") carried.set(key, (carried.get(key) ?? 0) + 1);
            }
          }
        }
        expect([...carried.values()].every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("genotype likelihoods", () => {
  it("weigh missing and doubtful calls only, and only where asked for", async () => {
    const text = toVcf(people, { missing: 60 })
      .split("\n")
      .map((line) => {
        if (line.startsWith("##FORMAT=<ID=GT"))
          return `${line}\n##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">`;
        if (line.startsWith("#") || line === "") return line;
        const f = line.split("\t");
        // Missing calls are surely 1/1, the first person's calls are doubtful, the others certain.
        const cell = (call: string, s: number): string => {
          if (call === "./.") return `${call}:200,100,0`;
          if (s === 0) return `${call}:3,0,3`;
          return `${call}:${["0/0", "0/1", "1/1"].map((g) => (g === call ? 0 : 50)).join(",")}`;
        };
        return [...f.slice(0, 8), "GT:PL", ...f.slice(9).map(cell)].join("\t");
      })
      .join("\n");
    const file = at.file("pl.vcf", text);
    await using without = phase(file, quick);
    expect((await without.summary).weighted).toBe(0);
    await using weighed = phase(file, { ...quick, useGl: true });
    const { weighted, recalled } = await weighed.summary;
    expect(weighted).toBeGreaterThan(100);
    expect(recalled).toBeGreaterThan(0);
    await writeVcf(weighed, at.path("pl-out.vcf"));
    const [before, after] = [rows(file), rows(at.path("pl-out.vcf"))];
    const alone = (row: string[]): boolean => before.filter((r) => r[1] === row[1]).length === 1;
    for (const [i, row] of after.entries()) {
      for (const [s, call] of row.slice(9).entries()) {
        const was = before[i]![9 + s]!.split(":")[0]!;
        if (was === "./." && alone(row) && s > 0) expect(call).toBe("1|1");
        else if (s > 0 && was !== "./.") expect(unordered(call)).toBe(was);
      }
    }
    expect((await failure(phase(input, { useGl: true, mcmcIterations: "3x" }).summary)).code).toBe(
      "BAD_SCHEDULE",
    );
  });
});
