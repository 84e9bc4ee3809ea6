// Switch error and the one-allele check give the numbers of the reference scripts (fixtures/make-switch.mjs).
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checkOneAllele,
  openVcf,
  type SwitchErrorReport,
  switchError,
  writeBcf,
  writeVcf,
} from "../src/index.ts";
import { FIXTURES, failure, folder, records, SHARED, vcf } from "./support.ts";

const at = folder();
const fixture = (name: string): string => join(FIXTURES, name);
const golden = JSON.parse(readFileSync(fixture("switch.json"), "utf8"));

/** A report under the names of the script. */
function asScript(r: SwitchErrorReport, by: string): Record<string, unknown> {
  const round = (x: number, digits: number): number => Number(x.toFixed(digits));
  const bins = r.byMac
    .filter((bin) => bin.pairs > 0)
    .map((bin) => [
      `${bin.from}-${Number.isFinite(bin.to) ? bin.to : "max"}`,
      [round(bin.percent, 3), bin.pairs],
    ]);
  return {
    samples: r.samples,
    rows: r.rows,
    truth_hets: r.truthHets,
    het_pairs: r.pairs,
    switches: r.switches,
    SER_percent: round(r.percent, 4),
    flips: r.flips,
    switches_outside_flips: r.switchesOutsideFlips,
    hamming_percent: round(r.hammingPercent, 3),
    het_discordant: r.discordant,
    perfect_samples: r.perfectSamples,
    ...(by === "position" ? { invalid_sample_positions: r.invalid } : {}),
    ser_by_mac: Object.fromEntries(bins),
  };
}

describe.each(["row", "position"] as const)("by %s", (by) => {
  it("equals the script, whatever the file's form", async () => {
    const files = [fixture("estimate.vcf"), at.path("e.vcf.gz"), at.path("e.bcf")];
    const loci = await (await openVcf(fixture("truth.vcf"))).loci({ role: "scaffold" });
    await writeVcf(loci, at.path("t.vcf.gz"));
    if (spawnSync("bcftools", ["--version"]).status === 0) {
      spawnSync("bcftools", ["view", "-Oz", "-o", files[1]!, files[0]!]);
      spawnSync("bcftools", ["view", "-Ob", "-o", files[2]!, files[0]!]);
    }
    for (const file of files.filter(existsSync))
      for (const truth of [fixture("truth.vcf"), at.path("t.vcf.gz")])
        expect(asScript(await switchError(file, truth, { by }), by)).toEqual(golden[by]);
  });

  it("parts add up", async () => {
    const r = await switchError(fixture("estimate.vcf"), fixture("truth.vcf"), { by });
    for (const key of ["pairs", "switches"] as const) {
      const sum = (list: readonly { pairs: number; switches: number }[]): number =>
        list.reduce((total, one) => total + one[key], 0);
      expect(sum(r.bySample)).toBe(r[key]);
      expect(sum(r.bySite)).toBe(r[key]);
      expect(sum(r.byMac)).toBe(r[key]);
      expect(r.nearSupersites[2]![key] + r.farFromSupersites[key]).toBe(r[key]);
      expect(r.nearSupersites[0]![key]).toBeLessThanOrEqual(r.nearSupersites[1]![key]);
    }
  });
});

/** The distances by hand: of each sample the hets known in both, and how far the nearest one with several ALTs is. */
it("near supersites, by site and by sample: counted again from the text", async () => {
  const read = (name: string): string[][] =>
    records(readFileSync(fixture(name))).map((line) => line.split("\t"));
  const [truth, estimate] = [read("truth.vcf"), read("estimate.vcf")];
  const guess = new Map(estimate.map((t) => [`${t[1]} ${t[4]}`, t]));
  const several = (t: string[]): boolean => truth.filter((o) => o[1] === t[1]).length > 1;
  const near = [1, 5, 20].map((hets) => ({ hets, pairs: 0, switches: 0 }));
  const far = { pairs: 0, switches: 0 };
  const site = new Map<string, { pairs: number; switches: number }>();
  const het = (g: string): boolean => g === "0|1" || g === "1|0";
  for (let s = 9; s < truth[0]!.length; s++) {
    const hets = truth
      .filter((t) => het(t[s]!) && het(guess.get(`${t[1]} ${t[4]}`)![s]!))
      .map((t) => ({ t, same: t[s] === guess.get(`${t[1]} ${t[4]}`)![s], super: several(t) }));
    for (let i = 1; i < hets.length; i++) {
      const switched = Number(hets[i - 1]!.same !== hets[i]!.same);
      const distance = Math.min(
        ...hets.map((h, j) => (h.super ? (j < i ? i - j : j - i + 1) : Number.POSITIVE_INFINITY)),
      );
      const add = (to: { pairs: number; switches: number }): void => {
        to.pairs++;
        to.switches += switched;
      };
      for (const n of near) if (distance <= n.hets) add(n);
      if (distance > 20) add(far);
      const key = `${hets[i]!.t[1]} A>${hets[i]!.t[4]}`;
      if (!site.has(key)) site.set(key, { pairs: 0, switches: 0 });
      add(site.get(key)!);
    }
  }
  const r = await switchError(fixture("estimate.vcf"), fixture("truth.vcf"));
  expect(r.nearSupersites.map(({ percent: _, ...n }) => n)).toEqual(near);
  expect(r.farFromSupersites).toMatchObject(far);
  expect(
    new Map(r.bySite.map((b) => [`${b.position} ${b.rows}`, { pairs: b.pairs, switches: b.switches }])),
  ).toEqual(site);
  for (const b of r.bySite) {
    const t = truth.find((o) => `${o[1]} A>${o[4]}` === `${b.position} ${b.rows}`)!;
    const copies = t.slice(9).join("").split("1").length - 1;
    expect(b.mac).toBe(Math.min(copies, 2 * (t.length - 9) - copies));
  }
  const positions = await switchError(fixture("estimate.vcf"), fixture("truth.vcf"), { by: "position" });
  expect(positions.bySite.some((b) => /^A>C A>G/.test(b.rows))).toBe(true);
});

it("one allele a haplotype: equals the script", async () => {
  const r = await checkOneAllele(fixture("estimate.vcf"), { list: 2 });
  expect({
    positions: r.positions,
    multi_row_positions: r.multiRowPositions,
    haplotype_violations: r.haplotypeViolations,
    positions_with_violation: r.positionsWithViolation,
    samples_with_violation: r.samplesWithViolation,
    multi_ALT_sample_positions: r.atRisk,
    of_which_unphased: r.unphased,
    impossible_genotypes: r.impossible,
  }).toEqual(golden.oneAllele);
  expect(r.listed).toHaveLength(2);
  expect(r.listed[0]!.rows).toMatch(/A>C=\d\|\d A>G/);
});

it("parents decide where one is homozygous, and Mendelian errors count", async () => {
  const rows = ["0/0 0/1 0/1", "0/1 1/1 0/1", "0/1 0/1 0/1", "0/0 0/0 0/1", "1/1 0/1 0/1", "1/1 0/0 0/1"];
  const site = (gt: (row: string) => string): string[] =>
    rows.map((row, i) => `${100 * (i + 1)} . A C ${gt(row)}`);
  const truth = at.file(
    "family.vcf",
    vcf(
      ["f", "m", "k"],
      site((row) => row),
    ),
  );
  // Right: paternal first. The last is the other way round.
  const child = ["0|1", "0|1", "1|0", "1|0", "1|0", "0|1"];
  const estimate = at.file(
    "child.vcf",
    vcf(
      ["k"],
      child.map((gt, i) => `${100 * (i + 1)} . A C ${gt}`),
    ),
  );
  const pedigree = [{ child: "k", father: "f", mother: "m" }];
  const r = await switchError(estimate, truth, { pedigree });
  expect([r.samples, r.truthHets, r.pairs, r.switches, r.mendelErrors]).toEqual([1, 4, 3, 1, 1]);
  const father = await switchError(estimate, truth, {
    pedigree: [{ child: "k", father: "f", mother: null }],
  });
  expect([father.truthHets, father.mendelErrors]).toEqual([4, 0]);
});

it("files that share nothing", async () => {
  const other = at.file("other.vcf", vcf(["x"], ["100 . A C 0|1"]));
  expect((await failure(switchError(other, fixture("truth.vcf")))).code).toBe("NO_COMMON_VARIANTS");
  const same = at.file("same.vcf", vcf(["x"], ["1000 . A C 0|1"]));
  expect((await failure(switchError(same, fixture("truth.vcf")))).code).toBe("NO_COMMON_SAMPLES");
});

it.skipIf(!existsSync(SHARED))("the truth of the simulated sets has no violation and no switch", async () => {
  const file = join(SHARED, "sim/raremulti.truth.vcf.gz");
  const check = await checkOneAllele(file);
  expect([check.multiRowPositions, check.haplotypeViolations]).toEqual([715, 0]);
  const self = await switchError(file, file, { by: "position", region: "20:1000000-1200000" });
  expect([self.switches, self.discordant, self.invalid]).toEqual([0, 0, 0]);
  const loci = await (await openVcf(file)).loci({ role: "reference", region: "20:1000000-1200000" });
  await writeBcf(loci, at.path("back.bcf"));
  const back = await switchError(at.path("back.bcf"), file, { region: "20:1000000-1200000" });
  expect([back.rows, back.switches, back.pairs]).toEqual([loci.rows, 0, expect.any(Number)]);
});
