import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import { changedGenotypes, masked, readGenotypes, resolvedByParents } from "../lib/genotypes.mjs";
// @ts-expect-error as above
import { phaserFloors } from "../phaser/floors.mjs";
// @ts-expect-error as above
import { exponent } from "../phaser/growth.mjs";

const folder = mkdtempSync(join(tmpdir(), "phasing-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rows of position and calls, of a father, a mother and their child. */
function vcf(name: string, rows: [number, ...string[]][]) {
  const path = join(folder, name);
  const lines = rows.map(([at, ...calls]) =>
    [20, at, ".", "A", "C", ".", ".", ".", "GT", ...calls].join("\t"),
  );
  const head = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdad\tmum\tkid";
  writeFileSync(path, `##fileformat=VCFv4.2\n${head}\n${lines.join("\n")}\n`);
  return readGenotypes(path);
}

describe("counts of a phased file", () => {
  const truth = vcf("truth.vcf", [
    [10, "0|0", "0|1", "0|1"],
    [20, "0|1", "1|0", "0|1"],
    [30, "0|0", "1|0", "0|1"],
    [30, "1|0", "0|0", "1|0"],
  ]);
  const observed = vcf("observed.vcf", [
    [10, "0/0", "0/1", "0/1"],
    [20, "./.", "0/1", "0/1"],
    [30, "0/0", "0/1", "0/1"],
    [30, "0/1", "./.", "0/1"],
  ]);

  it("finds nothing wrong in the truth", () => {
    expect(changedGenotypes(observed, truth)).toBe(0);
    expect(masked(observed, truth, truth)).toEqual({ entries: 2, concordance: 1, r2: 1 });
  });

  it("counts changed genotypes, wrong imputed ones and haplotypes that parents refute", () => {
    const estimate = vcf("estimate.vcf", [
      [10, "0|0", "0|1", "1|0"],
      [20, "1|1", "1|0", "0|1"],
      [30, "0|0", "1|1", "0|1"],
      [30, "1|0", "0|0", "1|0"],
    ]);
    expect(changedGenotypes(observed, estimate)).toBe(1);
    expect(masked(observed, estimate, truth).concordance).toBe(0.5);
    // Only at 10 is a parent homozygous; at 30 the father carries the other ALT, the mother a missing one.
    expect(resolvedByParents(observed, estimate, truth, [["kid", "dad", "mum"]])).toEqual({
      resolved: 1,
      wrong: 1,
    });
    expect(resolvedByParents(observed, truth, truth, [["kid", "dad", "mum"]]).wrong).toBe(0);
  });
});

describe("growth", () => {
  it("fits the exponent of a power", () => {
    const points = [1, 2, 4, 8].map((at) => ({ at, cpu: 3 * at ** 1.5, wall: null }));
    expect(exponent(points, "cpu")).toBeCloseTo(1.5, 12);
    expect(exponent(points, "wall")).toBeNull();
  });
});

describe("floors of the benchmark", () => {
  const fine = {
    "ours, 1 thread": { wall: 10, cpu: 10, serPercent: 1, violations: 0 },
    "ours, 2 threads": { wall: 5.2, cpu: 10, serPercent: 1, violations: 0 },
    "split, 1 thread": { wall: 10, cpu: 9.8, serPercent: 1, violations: 9 },
    "beagle, 1 thread": { wall: 15, cpu: 15, serPercent: 1.1, violations: 3 },
    "shapeit4, 1 thread": { wall: 50, cpu: 50, serPercent: 1, violations: 3 },
  };
  const broken = (changes: object): string[] =>
    phaserFloors({ bial: { ...fine, ...changes } })
      .filter((line: { ok: boolean }) => !line.ok)
      .map((line: { what: string }) => line.what);

  it("hold, and each of them can break", () => {
    expect(phaserFloors({ bial: fine })).toHaveLength(8);
    expect(broken({})).toEqual([]);
    expect(broken({ "beagle, 1 thread": { wall: 14, serPercent: 2 } })).toEqual([
      "bial: wall of ours over beagle's, threads: 1",
    ]);
    expect(broken({ "shapeit4, 1 thread": { wall: 50, serPercent: 0.9 } })).toEqual([
      "bial: switch error beside shapeit4's, threads: 1",
    ]);
    expect(broken({ "ours, 2 threads": { wall: 6, serPercent: 1, violations: 0 } })).toEqual([
      "bial: one thread over two",
    ]);
    expect(broken({ "split, 1 thread": { cpu: 9 } })).toEqual(["bial: CPU with supersites over rows apart"]);
    expect(broken({ "ours, 2 threads": { wall: 5, serPercent: 1, violations: 1 } })).toEqual([
      "bial: two ALTs on a haplotype, ours, 2 threads",
    ]);
    expect(broken({ "beagle, 1 thread": { failed: "not here" } })).toEqual([]);
  });
});
