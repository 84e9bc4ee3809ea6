import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ligate, openVcf, writeBcf, writeVcf } from "../src/index.ts";
import { FIXTURES, failure, folder, phaser, records, vcf } from "./support.ts";

const at = folder();
const truth = readFileSync(join(FIXTURES, "rare.truth.vcf"), "utf8").split("\n");
const head = truth.filter((line) => line.startsWith("#"));
const body = truth.filter((line) => line !== "" && !line.startsWith("#"));

/** Rows `from … to` of the truth; haplotypes of the samples `turn` names are swapped. */
function cut(name: string, from: number, to: number, turn: (s: number) => boolean): string {
  const rows = body.slice(from, to).map((line) => {
    const t = line.split("\t");
    return [...t.slice(0, 9), ...t.slice(9).map((g, s) => (turn(s) ? `${g[2]}|${g[0]}` : g))].join("\t");
  });
  return at.file(name, `${[...head, ...rows].join("\n")}\n`);
}

const genotypes = (path: string): string[][] =>
  records(readFileSync(path)).map((line) => {
    const t = line.split("\t");
    return [t[1]!, t[3]!, t[4]!, ...t.slice(9)];
  });

it("chunks with random swaps become the truth again, haplotype 0 as in the first", async () => {
  let state = 77;
  const coin = (): boolean => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state > 2 ** 30;
  };
  const turned = [1, 2, 3].map(() => Array.from({ length: 40 }, coin));
  const chunks = [
    cut("c0.vcf", 0, 180, () => false),
    cut("c1.vcf", 90, 280, (s) => turned[0]![s]!),
    cut("c2.vcf", 190, 370, (s) => turned[1]![s]!),
    cut("c3.vcf", 280, body.length, (s) => turned[2]![s]!),
  ];
  const report = await ligate(chunks, at.path("all.vcf"));
  expect(report.joins.map((j) => j.untied)).toEqual([0, 0, 0]);
  const want = body.map((line) => {
    const t = line.split("\t");
    return [t[1], t[3], t[4], ...t.slice(9)];
  });
  expect(genotypes(at.path("all.vcf"))).toEqual(want);
  expect(report.joins[0]!.swapped).toBe(turned[0]!.filter(Boolean).length);
  // Every het agrees or every het disagrees; of a position with three rows one vote is counted.
  for (const j of report.joins) {
    for (const [s, m] of j.matches.entries()) {
      expect(Math.min(m, j.mismatches[s]!)).toBe(0);
      expect(m + j.mismatches[s]!).toBeLessThanOrEqual(j.shared);
    }
  }
  const [bcf, index] = (await ligate(chunks, at.path("all.bcf"))).paths;
  expect(index).toBe(`${bcf}.csi`);
  using loci = await (await openVcf(bcf!)).loci({ region: "20", role: "scaffold" });
  expect([loci.length, loci.rows]).toEqual([report.positions, body.length]);
});

it("most votes win, a tie swaps nothing, unphased calls pass as they are, INFO stays", async () => {
  const names = ["A", "B"];
  const one = vcf(names, ["10 . A C 0|1 0|1", "20 . A C 0|1 1/0", "30 . A C 0|1 0|1", "40 x A C 0|1 0|1"]);
  const two = vcf(names, ["20 . A C 1|0 0|1", "30 . A C 1|0 0|1", "40 x A C 0|1 1|0", "50 . A C 1|0 1/0"]);
  const files = [
    at.file("one.vcf", one),
    at.file("two.vcf", two.replace("50\t.\tA\tC\t.\t.\t.", "50\t.\tA\tC\t.\t.\tNEW=1")),
  ];
  const { joins } = await ligate(files, at.path("m.bcf"));
  expect([[...joins[0]!.matches], [...joins[0]!.mismatches], [...joins[0]!.swaps]]).toEqual([
    [1, 1],
    [2, 1],
    [1, 0],
  ]);
  await ligate(files, at.path("m.vcf"));
  expect(genotypes(at.path("m.vcf")).map((g) => g.slice(3))).toEqual([
    ["0|1", "0|1"],
    ["0|1", "1/0"],
    ["0|1", "0|1"],
    ["1|0", "1|0"],
    ["0|1", "1/0"],
  ]);
  expect(records(readFileSync(at.path("m.vcf"))).at(-1)).toContain("NEW=1;AC=2;AN=4");
});

it("samples may stand in another order; chunks that do not fit are named", async () => {
  const file = (name: string, samples: string[], rows: string[]): string => at.file(name, vcf(samples, rows));
  const a = file("a.vcf", ["A", "B"], ["10 . A C 0|1 0|0", "20 . A C 0|1 0|1"]);
  const b = file("b.vcf", ["B", "A"], ["20 . A C 0|1 1|0", "30 . A C 1|0 0|0"]);
  await ligate([a, b], at.path("ab.vcf"));
  expect(genotypes(at.path("ab.vcf"))[2]!.slice(3)).toEqual(["0|0", "1|0"]);
  const other = file("other.vcf", ["A", "Z"], ["20 . A C 0|1 1|0", "30 . A C 1|0 0|0"]);
  const far = file("far.vcf", ["A", "B"], ["40 . A C 0|1 1|0", "50 . A C 1|0 0|0"]);
  const apart = file("apart.vcf", ["A", "B"], ["15 . A C 0|1 1|0", "50 . A C 1|0 0|0"]);
  const chrom = at.file("chrom.vcf", vcf(["A", "B"], ["20 . A C 0|1 1|0"]).replace("\n20\t", "\n21\t"));
  const cases = [
    [[a, other], "SAMPLES_DIFFER", /a\.vcf and .*other\.vcf .* B, Z/],
    [[a, far], "CHUNK_OVERLAP", /a\.vcf ends at 20, .*far\.vcf begins at 40/],
    [[a, apart], "CHUNK_OVERLAP", /no position in common between 15 and 20/],
    [[b, a], "CHUNK_ORDER", /a\.vcf \(10-20\) does not go on after .*b\.vcf/],
    [[a, chrom], "CHUNK_CHROM", /chromosome 20, .*chrom\.vcf chromosome 21/],
    [[], "NO_FILES", /no files/],
  ] as const;
  for (const [inputs, code, text] of cases) {
    const e = await failure(ligate(inputs, at.path("no.vcf")));
    expect([e.code, e.message]).toEqual([code, expect.stringMatching(text)]);
  }
  expect((await failure(ligate([a, b], at.path("no.txt")))).code).toBe("OUT_FORMAT");
});

it("one sample, one chunk, haploids, and several ALTs in a record", async () => {
  const single = at.file("single.vcf", vcf(["A"], ["10 . A C,G 1|2", "20 . A C 0|1"]));
  const next = at.file("next.vcf", vcf(["A"], ["20 . A C 1|0", "30 . A C,G 2|0"]));
  expect((await ligate([single], at.path("alone.vcf"))).joins).toEqual([]);
  expect(genotypes(at.path("alone.vcf")).map((g) => g[3])).toEqual(["1|2", "0|1"]);
  const { joins } = await ligate([single, next], at.path("s.vcf"));
  expect([joins[0]!.swapped, [...joins[0]!.mismatches]]).toEqual([1, [1]]);
  expect(genotypes(at.path("s.vcf")).map((g) => g[3])).toEqual(["1|2", "0|1", "0|2"]);
  // Records of a position joined in one file and split in the other are one position, one vote.
  const split = at.file("split.vcf", vcf(["A"], ["10 . A C 0|1", "10 . A G 1|0", "40 . A C 1|0"]));
  const both = await ligate([single, split], at.path("b.vcf"));
  expect([[...both.joins[0]!.mismatches], both.joins[0]!.shared]).toEqual([[1], 1]);
  const x = at.file("x1.vcf", vcf(["M", "F"], ["10 . A C 1 0|1", "20 . A C 0 0|1"]));
  const y = at.file("x2.vcf", vcf(["M", "F"], ["20 . A C 0 1|0", "30 . A C 1 1|0"]));
  expect((await failure(ligate([x, y], at.path("x.vcf")))).code).toBe("PLOIDY");
  const males = await ligate([x, y], at.path("x.vcf"), { haploids: ["M"] });
  expect([males.joins[0]!.untied, males.joins[0]!.swapped]).toEqual([1, 1]);
  expect(genotypes(at.path("x.vcf")).map((g) => g.slice(3))).toEqual([
    ["1", "0|1"],
    ["0", "0|1"],
    ["1", "0|1"],
  ]);
});

it("chunks of any form give the same bytes; a damaged one is named and leaves nothing", async () => {
  const texts = [cut("f0.vcf", 0, 200, () => false), cut("f1.vcf", 150, body.length, (s) => s % 2 === 0)];
  const forms: string[][] = [texts, [], []];
  for (const [i, path] of texts.entries()) {
    using loci = await (await openVcf(path)).loci({ role: "scaffold" });
    forms[1]!.push(...(await writeVcf(loci, at.path(`f${i}.vcf.gz`))).slice(0, 1));
    forms[2]!.push(...(await writeBcf(loci, at.path(`f${i}.bcf`))).slice(0, 1));
  }
  const bytes = [];
  for (const [k, files] of [...forms, [forms[1]![0]!, forms[2]![1]!]].entries()) {
    await ligate(files, at.path(`same${k}.bcf`));
    bytes.push(records(readFileSync(at.path(`same${k}.bcf`))).join("\n"));
  }
  expect(new Set(bytes).size).toBe(1);
  const [good, bad] = [forms[2]![0]!, at.file("bad.bcf", readFileSync(forms[2]![1]!).subarray(0, -3000))];
  const before = readdirSync(at.path("."));
  const run = phaser("ligate", good, bad, "--output", at.path("none.bcf"));
  expect([run.code, run.err]).toEqual([1, expect.stringMatching(/^BGZF_TRUNCATED .*bad\.bcf/)]);
  expect(readdirSync(at.path("."))).toEqual(before);
});

it("PP and CP are kept, CP by haplotype; fields of others are not", async () => {
  const format = [
    '##FORMAT=<ID=PP,Number=1,Type=Float,Description="p">',
    '##FORMAT=<ID=CP,Number=2,Type=Float,Description="c">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="d">',
  ].join("\n");
  const chunk = (name: string, rows: string[], fields = "GT:PP:DP:CP", lines = format): string =>
    at.file(
      name,
      vcf(["A"], rows)
        .replace("##FORMAT=<ID=GT", `${lines}\n##FORMAT=<ID=GT`)
        .replaceAll("\tGT\t", `\t${fields}\t`),
    );
  const one = chunk("p1.vcf", ["10 . A C 0|1:0.75:9:.", "20 . A C 0|1:.:9:.,."]);
  const two = chunk("p2.vcf", ["20 . A C 1|0:0.5:9:.", "30 . A C 1|0:0.1:9:0.25,0.875", "40 . A C 0|0"]);
  await ligate([one, two], at.path("p.bcf"));
  await ligate([at.path("p.bcf")], at.path("p.vcf"));
  await ligate([one, two], at.path("p2.out.vcf"));
  const want = [
    ["GT:PP:CP", "0|1:0.75:.,."],
    ["GT:PP:CP", "0|1:.:.,."],
    ["GT:PP:CP", "0|1:0.1:0.875,0.25"],
    ["GT:PP:CP", "0|0:.:.,."],
  ];
  for (const name of ["p.vcf", "p2.out.vcf"]) {
    const got = records(readFileSync(at.path(name))).map((line) => line.split("\t").slice(8));
    expect(got).toEqual(want);
  }
  // GATK's PP is another field; nothing of it is taken for ours.
  const gatk = format.replace("ID=PP,Number=1,Type=Float", "ID=PP,Number=G,Type=Integer");
  const rows = ["10 . A C 0|1:0,3,9:1:.", "20 . A C 0|1:0,3,9:1:."];
  await ligate([chunk("g.vcf", rows, undefined, gatk)], at.path("g.out.vcf"));
  expect(
    records(readFileSync(at.path("g.out.vcf")))[0]!
      .split("\t")
      .slice(8),
  ).toEqual(["GT:CP", "0|1:.,."]);
});

it("the command: a row a join on the screen, a row a sample in the report", () => {
  const files = [cut("k0.vcf", 0, 200, () => false), cut("k1.vcf", 150, body.length, (s) => s % 2 === 0)];
  const list = at.file("chunks.txt", `${files.join("\n")}\n`);
  const run = phaser("ligate", "-I", list, "-O", at.path("k.bcf"), "--report", at.path("k.tsv"));
  expect([run.code, run.err]).toEqual([0, ""]);
  const lines = run.out.trim().split("\n");
  expect([lines.length, lines[1]!.split("\t").slice(7, 9)]).toEqual([2, ["20", "0"]]);
  const report = readFileSync(at.path("k.tsv"), "utf8").trim().split("\n");
  expect([report[0], report.length]).toEqual(["join\tsample\tmatches\tmismatches\tswapped", 41]);
  expect(phaser("ligate", "--output", at.path("k.bcf")).code).toBe(2);
});
