// What a rare file may look like: its form, its pieces, its odd rows; and the command.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { ligate, openVcf, phaseRare, readGeneticMap, writeBcf, writeVcf } from "../src/index.ts";
import { FIXTURES, failure, folder, phaser, records, vcf } from "./support.ts";

const at = folder();
const [input, scaffold] = ["rare.input.vcf", "rare.scaffold.vcf"].map((n) => join(FIXTURES, n)) as [
  string,
  string,
];
const fields = (path: string): string[][] => records(readFileSync(path)).map((line) => line.split("\t"));

async function place(
  name: string,
  i: string,
  s: string,
  options: Parameters<typeof phaseRare>[2] = {},
): Promise<string> {
  using placed = await phaseRare(i, s, { seed: 1, ...options });
  await placed.write(at.path(name));
  return at.path(name);
}

it("VCF, bgzip and BCF of the same rows give the same bytes", async () => {
  const forms = async (path: string, name: string, role: "target" | "scaffold"): Promise<string[]> => {
    using loci = await (await openVcf(path)).loci({ role });
    await writeVcf(loci, at.path(`${name}.vcf`));
    await writeVcf(loci, at.path(`${name}.vcf.gz`));
    await writeBcf(loci, at.path(`${name}.bcf`));
    return ["vcf", "vcf.gz", "bcf"].map((form) => at.path(`${name}.${form}`));
  };
  const [inputs, scaffolds] = [await forms(input, "i", "target"), await forms(scaffold, "s", "scaffold")];
  const seen = new Set<string>();
  for (const [k, file] of inputs.entries()) {
    // A permutation, so that the forms mix.
    const out = await place(`form${k}.bcf`, file, scaffolds[(k + 1) % 3]!);
    seen.add(gunzipSync(readFileSync(out)).toString("latin1"));
  }
  expect(seen.size).toBe(1);
});

it("the order of rows at a position changes nothing but their order", async () => {
  const text = readFileSync(input, "utf8");
  const lines = text.split("\n");
  const at_ = (line: string): string => line.split("\t")[1]!;
  const turned = lines.filter((line) => line.startsWith("#"));
  for (let i = turned.length; i < lines.length && lines[i] !== ""; ) {
    let end = i;
    while (lines[end] && at_(lines[end]!) === at_(lines[i]!)) end++;
    turned.push(...lines.slice(i, end).reverse());
    i = end;
  }
  const other = at.file("turned.vcf", `${turned.join("\n")}\n`);
  const sorted = (path: string): string[] =>
    fields(path)
      .map((t) => t.join("\t"))
      .sort();
  expect(sorted(await place("t.vcf", other, scaffold))).toEqual(
    sorted(await place("o.vcf", input, scaffold)),
  );
});

it("AC and AN are those of the genotypes written", async () => {
  for (const [i, options] of [{}, { keepMissing: true }].entries()) {
    for (const t of fields(await place(`ac${i}.vcf`, input, scaffold, options))) {
      const alleles = t.slice(9).flatMap((f) => f.split(":")[0]!.split(/[|/]/));
      const [ac, an] = ["AC", "AN"].map((k) => Number(new RegExp(`(?:^|;)${k}=(\\d+)`).exec(t[7]!)![1]));
      expect([ac, an]).toEqual([
        alleles.filter((a) => a === "1").length,
        alleles.filter((a) => a !== ".").length,
      ]);
    }
  }
});

it("regions with scaffold on both sides agree with the whole, and ligate puts them together", async () => {
  const whole = fields(await place("whole.vcf", input, scaffold));
  const cuts = [
    ["1000000-1250000", "1000000-1400000"],
    ["1250001-1500000", "1100000-1650000"],
    ["1500001-1999999", "1350000-1999999"],
  ] as const;
  const parts: string[][] = [];
  for (const [k, [own, wide]] of cuts.entries()) {
    const out = await place(`part${k}.vcf`, input, scaffold, {
      inputRegion: `20:${own}`,
      scaffoldRegion: `20:${wide}`,
    });
    parts.push(...fields(out));
  }
  const site = (t: string[]): string => t.slice(0, 5).join(" ");
  expect(parts.map(site)).toEqual(whole.map(site));
  let [hets, same] = [0, 0];
  for (const [i, t] of whole.entries()) {
    for (const [s, field] of t.slice(9).entries()) {
      const [gt, pp] = field.split(":");
      if (pp === undefined || gt === "0|0" || gt === "1|1") continue;
      hets++;
      same += Number(parts[i]![9 + s]!.startsWith(gt!));
    }
  }
  expect(hets).toBeGreaterThan(700);
  expect(same / hets).toBeGreaterThan(0.97);
  // Overlapping ones through ligate: the haplotypes are the scaffold's, so nothing is swapped.
  const files = [];
  for (const [k, own] of ["1000000-1300000", "1200000-1999999"].entries()) {
    files.push(await place(`lap${k}.bcf`, input, scaffold, { inputRegion: `20:${own}` }));
  }
  const report = await ligate(files, at.path("joined.vcf"));
  expect(report.joins[0]!.swapped).toBe(0);
  const joined = fields(at.path("joined.vcf"));
  expect(joined.map(site)).toEqual(whole.map(site));
  expect(joined.map((t) => t[8])).toEqual(whole.map((t) => t[8]));
});

const names = ["A", "B", "C", "D"];
const common = [
  "100 . A C 1|0 0|0 0|1 1|1",
  "200 . A C 0|1 1|1 0|0 0|1",
  "300 . A C 0|0 0|0 0|0 0|0",
  "400 . A C 1|0 0|1 0|1 1|0",
];
const flat = "pos chr cM\n1 20 0\n150 20 0\n1000000 20 0\n";
const steep = "pos chr cM\n1 20 0\n150 20 90\n151 20 9000\n1000000 20 90000\n";
/** Inputs on which other programs stop with a failed assertion or NaN. */
const odd: Record<string, { rows: string[]; scaffold?: string[]; map?: string; ne?: number }> = {
  "outside the scaffold on both sides": { rows: ["5 . A G 0/1 0/0 0/1 0/0", "900000 . A G 0/1 0/1 0/0 0/0"] },
  "no ALT copy, nothing but ALT": { rows: ["150 . A G 0/0 0/0 0/0 0/0", "160 . A G 1/1 1/1 1/1 1/1"] },
  "all heterozygous": { rows: ["150 . A G 0/1 0/1 0/1 0/1", "250 . A G 0/1 0/1 0/1 0/1"] },
  "all missing": { rows: ["150 . A G ./. ./. ./. ./.", "250 . A G 0/1 ./. ./. ./."] },
  "half missing": { rows: ["150 . A G ./1 0/. ./. 0/1"] },
  "a map that stands still": { rows: ["150 . A G 0/1 0/1 0/0 0/0", "350 . A G 0/1 0/0 0/0 0/0"], map: flat },
  "a map that leaps": { rows: ["150 . A G 0/1 0/1 0/0 0/0", "350 . A G 0/1 0/0 0/0 0/0"], map: steep },
  "a tiny population": { rows: ["150 . A G 0/1 0/1 0/0 0/0"], ne: 1 },
  "a huge population": { rows: ["150 . A G 0/1 0/1 0/0 0/0"], ne: 1e9 },
  "a scaffold of one position": { rows: ["150 . A G 0/1 0/1 0/0 0/0"], scaffold: common.slice(0, 1) },
  "a scaffold that does not vary": { rows: ["150 . A G 0/1 0/1 0/0 0/0"], scaffold: common.slice(2, 3) },
  "a scaffold of identical haplotypes": {
    rows: ["150 . A G 0/1 0/1 0/0 0/0"],
    scaffold: ["100 . A C 1|1 1|1 1|1 1|1", "200 . A C 0|0 0|0 0|0 0|0"],
  },
  "five rows beside the scaffold's": {
    rows: [
      ...["G", "T", "AG", "AT", "AC"].map(
        (alt, k) => `100 . A ${alt} ${names.map((_, s) => (s === k && s !== 3 ? "0/1" : "0/0")).join(" ")}`,
      ),
      "150 . A G 0/1 0/0 0/0 0/0",
    ],
  },
};

it.each(Object.entries(odd))("%s: every probability is one, every order is written", async (name, o) => {
  const file = (what: string, rows: string[]): string =>
    at.file(`${name.replaceAll(" ", "-")}.${what}.vcf`, vcf(names, rows));
  const map = await readGeneticMap(at.file("odd.map", o.map ?? "pos chr cM\n1 20 0\n1000000 20 1\n"));
  const [i, s] = [file("input", o.rows), file("scaffold", o.scaffold ?? common)];
  for (const keepMissing of [false, true]) {
    using placed = await phaseRare(i, s, { map, effectiveSize: o.ne ?? 15_000, keepMissing });
    const c = placed.carriers();
    for (const [k, p] of c.probability.entries()) {
      const ordered = !["same", "open"].includes(c.reason[k]!) && c.first[k] !== c.second[k];
      if (ordered) expect(p).toSatisfy((x: number) => x >= 0.5 && x <= 1);
    }
    await placed.write(at.path("odd.vcf"));
    const text = fields(at.path("odd.vcf"))
      .flatMap((t) => t.slice(9))
      .join(" ");
    expect(text).not.toMatch(/nan|inf/i);
    if (!keepMissing) expect(text).not.toMatch(/\d\/\d|\.[/|]/);
  }
});

it("the command: a table on the screen, the files named, nothing left of a failed run", () => {
  const [out, conflicts] = [at.path("cli.bcf"), at.path("conflicts.tsv")];
  const run = phaser(
    "rare",
    ...["-I", input, "-S", scaffold, "-O", out, "--conflicts", conflicts],
    ...["--seed", "1", "--thread", "1"],
  );
  expect([run.code, run.err]).toEqual([0, ""]);
  expect(run.out).toMatch(/^scaffold_positions\t\d+$/m);
  expect([existsSync(out), existsSync(`${out}.csi`)]).toEqual([true, true]);
  expect(readFileSync(conflicts, "utf8").split("\n")[0]).toBe("position\tsample\trows\texcluded");
  const json = JSON.parse(
    phaser("rare", "-I", input, "-S", scaffold, "-O", at.path("cli2.vcf"), "--json").out,
  );
  expect(json).toMatchObject({ byCoin: expect.any(Number), written: [at.path("cli2.vcf")] });
  const wrong = at.file("wrong.map", "pos chr cM\n100 21 0.1\n200 21 0.2\n");
  const before = readdirSync(at.path("."));
  const bad = phaser("rare", "-I", input, "-S", scaffold, "-M", wrong, "-O", at.path("bad.bcf"));
  expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/^MAP_CHROM .*21/)]);
  const cut = at.file("cut.vcf", readFileSync(input, "utf8").trimEnd().slice(0, -20));
  const short = phaser("rare", "-I", cut, "-S", scaffold, "-O", at.path("bad.bcf"));
  expect([short.code, short.err]).toEqual([1, expect.stringMatching(/^VCF_COLUMNS .*cut\.vcf record 432/)]);
  expect(readdirSync(at.path(".")).filter((n) => !before.includes(n))).toEqual(["cut.vcf"]);
});

it("a map of another chromosome, a region that is none, a run that is cancelled", async () => {
  const map = await readGeneticMap(at.file("m21.map", "pos chr cM\n100 21 0.1\n200 21 0.2\n"));
  expect((await failure(phaseRare(input, scaffold, { map }))).code).toBe("MAP_CHROM");
  expect((await failure(phaseRare(input, scaffold, { inputRegion: "20:9-1" }))).code).toBe("REGION");
  const gone = phaseRare(input, scaffold, { signal: AbortSignal.abort() });
  await expect(gone).rejects.toThrow();
});
