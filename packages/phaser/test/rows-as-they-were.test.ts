// What comes in beside genotypes goes out as it was: missing rows, codings, sites and their order; and headers say what is written.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { phase, phaseRare, writeVcf } from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { folder, records, vcf } from "./support.ts";

const at = folder();
const quick = { seed: 1, mcmcIterations: "1b,1m" };
const people = Array.from({ length: 10 }, (_, i) => `s${i}`);
/** Calls of everyone: those given, then `rest`. */
const row = (site: string, given: readonly string[], rest = "0/0"): string =>
  `${site} ${people.map((_, i) => given[i] ?? rest).join(" ")}`;
const backbone = (from: number): string[] =>
  Array.from({ length: 12 }, (_, j) =>
    row(
      `${from + 100 * j} . A C`,
      people.map((_, i) => (["0/0", "0/1", "1/1"] as const)[(i * 7 + j) % 3]!),
    ),
  );
const calls = (path: string, position: number): string[][] =>
  records(readFileSync(path))
    .map((line) => line.split("\t"))
    .filter((t) => Number(t[1]) === position)
    .map((t) => t.slice(9).map((f) => f.split(":")[0]!.replace("|", "/")));

describe("--keep-missing with several rows at a position", () => {
  //          ./0+./.  0/.+0/.  0/1+./.  0/0+./.  1/.+0/0  1/1+./.  ./.+./.  0/1+0/1  1/.+./0
  const first = ["./0", "0/.", "0/1", "0/0", "1/.", "1/1", "./.", "0/1", "1/."];
  const second = ["./.", "0/.", "./.", "./.", "0/0", "./.", "./.", "0/1", "./0"];
  const wanted = second.map((g, i) => [first[i]!, i === 5 ? "0/0" : g]);
  const sorted = (g: string): string => g.split("/").sort().join("/");

  it("phase leaves each row's missing alleles", async () => {
    const rows = [...backbone(100), row("1300 a A G", first), row("1300 b A T", second), ...backbone(1400)];
    const input = at.file("holes.vcf", vcf(people, rows));
    await using kept = phase(input, { ...quick, keepMissing: true });
    await writeVcf(kept, at.path("kept.vcf"));
    const [a, b] = calls(at.path("kept.vcf"), 1300) as [string[], string[]];
    for (const [i, [x, y]] of wanted.entries()) {
      expect([i, sorted(a[i]!), sorted(b[i]!)]).toEqual([i, sorted(x!), sorted(y!)]);
    }
    await using filled = phase(input, quick);
    await writeVcf(filled, at.path("filled.vcf"));
    expect(calls(at.path("filled.vcf"), 1300).flat().join()).not.toContain(".");
  });

  it("and so does rare", async () => {
    const scaffold = at.file(
      "scaffold.vcf",
      vcf(
        people,
        [...backbone(100), ...backbone(1400)].map((r) => r.replaceAll("/", "|")),
      ),
    );
    const input = at.file(
      "rare-holes.vcf",
      vcf(people, [row("1300 a A G", first), row("1300 b A T", second)]),
    );
    using placed = await phaseRare(input, scaffold, { keepMissing: true });
    await placed.write(at.path("rare-kept.vcf"));
    const [a, b] = calls(at.path("rare-kept.vcf"), 1300) as [string[], string[]];
    for (const [i, [x, y]] of wanted.entries()) {
      expect([i, sorted(a[i]!), sorted(b[i]!)]).toEqual([i, sorted(x!), sorted(y!)]);
    }
  });
});

it("rare keeps each haploid sample's own coding", async () => {
  const scaffold = at.file(
    "hap-scaffold.vcf",
    vcf(
      people,
      backbone(100).map((r) => r.replaceAll("/", "|")),
    ),
  );
  const given = ["1", "1/1", "0", "0/0", "."];
  const input = at.file(
    "hap.vcf",
    vcf(people, [row("650 . A G", given), row("655 . A G", given.with(4, "1"))]),
  );
  using placed = await phaseRare(input, scaffold, { haploids: ["s0", "s1", "s2", "s3", "s4"] });
  await placed.write(at.path("hap-out.vcf"));
  expect(calls(at.path("hap-out.vcf"), 650)[0]!.slice(0, 4)).toEqual(["1", "1/1", "0", "0/0"]);
  expect(calls(at.path("hap-out.vcf"), 655)[0]!.slice(0, 5)).toEqual(["1", "1/1", "0", "0/0", "1"]);
});

it("rare writes the input's sites in the input's order, those of the scaffold too", async () => {
  const phased = (rows: string[]): string[] => rows.map((r) => r.replaceAll("/", "|"));
  const common = ["0/1", "1/1", "0/1"];
  const scaffold = vcf(people, phased([...backbone(100), row("1300 old A T", common), ...backbone(1400)]));
  const own = ["1300 rareG A G", "1300 new A T", "1300 rareC A C", "1500 mine A C"];
  const text = vcf(people, [
    row(own[0]!, ["0/0", "0/0", "0/1"]),
    row(own[1]!, common),
    row(own[2]!, ["0/1"]),
    row(own[3]!, ["0/1"]),
  ]).replace(/^(20\t\d+\t(?:new|mine)\t\w\t\w\t)\.\t\.\t\./gm, "$130\tLOWQ\tDP=7");
  using placed = await phaseRare(at.file("sites.vcf", text), at.file("sites-scaffold.vcf", scaffold), {});
  await placed.write(at.path("sites-out.vcf"));
  const out = records(readFileSync(at.path("sites-out.vcf"))).map((line) => line.split("\t"));
  const here = out.filter((t) => t[1] === "1300");
  expect(here.map((t) => t[2])).toEqual(["rareG", "new", "rareC"]);
  expect(here[1]!.slice(4, 9)).toEqual(["T", "30", "LOWQ", "DP=7;AC=4;AN=20", "GT"]);
  expect(here[1]!.slice(9, 12)).toEqual(["0|1", "1|1", "0|1"]);
  expect(out.find((t) => t[1] === "1500")!.slice(2, 8)).toEqual([
    "mine",
    "A",
    "C",
    "30",
    "LOWQ",
    expect.stringMatching(/^DP=7;/),
  ]);
  expect(readFileSync(at.path("sites-out.vcf"), "utf8")).toMatch(/##FILTER=<ID=LOWQ,/);
});

it("headers declare PP, CP, AC, AN and GT as they are written, whatever the input said", async () => {
  const study = toVcf(simulate({ people: 12, positions: 40, seed: 5 }));
  const foreign = [
    '##INFO=<ID=AN,Number=.,Type=String,Description="x">',
    '##FORMAT=<ID=PP,Number=G,Type=Integer,Description="Phred-scaled Posterior Genotype Probabilities">',
    '##FORMAT=<Description="x",ID=CP,Number=1,Type=String>',
    "##FORMAT=<ID=GT,Number=.,Type=Integer>",
  ];
  const lines = study.split("\n").filter((l) => !/^##(FORMAT=<ID=GT|INFO=<ID=AN)/.test(l));
  lines.splice(1, 0, ...foreign);
  const input = at.file("npp.vcf", lines.join("\n"));
  await using phased = phase(input, { ...quick, confidence: true });
  await writeVcf(phased, at.path("pp.vcf"));
  const head = readFileSync(at.path("pp.vcf"), "utf8")
    .split("\n")
    .filter((l) => l.startsWith("##"));
  const of = (id: string): string[] => head.filter((l) => new RegExp(`[<,]ID=${id}[,>]`).test(l));
  expect(of("PP")).toEqual([expect.stringContaining("Number=1,Type=Float")]);
  expect(of("CP")).toEqual([expect.stringContaining("Number=2,Type=Float")]);
  expect(of("GT")).toEqual([expect.stringContaining("Number=1,Type=String")]);
  expect(of("AN")).toEqual([expect.stringContaining("Number=1,Type=Integer")]);
  expect(head.indexOf(of("PP")[0]!)).toBe(head.indexOf(of("AN")[0]!) + 1);
});

it("PP stands in rows whose two alleles differ, and joined records do not depend on the order of rows", async () => {
  const first = row("1300 idT A T", ["0/1", "0/1", "0/0", "1/1"]);
  const second = row("1300 idG A G", ["0/1", "0/0", "0/1"]);
  const third = row("1300 idC A C", ["0/0", "0/0", "0/0", "0/0", "0/1"]);
  const written = async (name: string, rows: string[], joinMultiallelic: boolean): Promise<string[][]> => {
    const input = at.file(`${name}.vcf`, vcf(people, [...backbone(100), ...rows, ...backbone(1400)]));
    await using phased = phase(input, { ...quick, confidence: true });
    await writeVcf(phased, at.path(`${name}-out.vcf`), { joinMultiallelic });
    return records(readFileSync(at.path(`${name}-out.vcf`))).map((line) => line.split("\t"));
  };
  const here = (await written("pp", [first, second, third], false)).filter((t) => t[1] === "1300");
  for (const t of here) {
    for (const field of t.slice(9)) {
      const [gt, pp] = field.split(":") as [string, string];
      expect([gt, pp === "."]).toEqual([gt, gt[0] === gt[2]]);
    }
  }
  const joined = await written("one", [first, second, third], true);
  expect(joined.find((t) => t[1] === "1300")!.slice(2, 5)).toEqual(["idC;idG;idT", "A", "C,G,T"]);
  expect(await written("two", [third, first, second], true)).toEqual(joined);
});
