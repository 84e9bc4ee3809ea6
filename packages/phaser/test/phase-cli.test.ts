// `phaser phase` as users run it: files in, files out, or an error by name, exit 1 and nothing left.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openVcf, phase, writeBcf, writeVcf } from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { FIXTURES, failure, folder, phaser, records, vcf } from "./support.ts";

const at = folder();
const people = simulate({ people: 24, positions: 120, seed: 41 });
const text = toVcf(people, { missing: 90, rows: "mixed" });
const input = at.file("in.vcf", text);
const schedule = ["--mcmc-iterations", "2b,1p,2m"];

const phaserPhase = (...args: string[]): ReturnType<typeof phaser> => phaser("phase", ...args);

describe("runs", () => {
  it("as in the issue: a region, a map, a seed, threads; the library gives the same file", async () => {
    const map = at.file("m.gmap", "pos chr cM\n1 20 0\n3000000 20 4.5\n");
    const loci = await (await openVcf(input)).loci();
    await writeVcf(loci, at.path("x.vcf.gz"));
    const run = phaserPhase(
      ...["--input", at.path("x.vcf.gz"), "--map", map, "--region", "20", "--output", at.path("out.bcf")],
      ...["--seed", "1", "--thread", "2", "--log", at.path("run.log"), ...schedule],
    );
    expect([run.code, run.err]).toEqual([0, ""]);
    expect(run.out).toMatch(/^chrom\t20\nsamples\t24\npositions\t120\n/);
    expect(existsSync(at.path("out.bcf.csi"))).toBe(true);
    expect(readFileSync(at.path("run.log"), "utf8")).toMatch(
      /\niteration\tstage\tmean_donors\tmean_segments\n1\tburn-in\t\d/,
    );
    await using phased = phase(at.path("x.vcf.gz"), { map, seed: 1, mcmcIterations: "2b,1p,2m" });
    await writeBcf(phased, at.path("library.bcf"));
    expect(readFileSync(at.path("out.bcf"))).toEqual(readFileSync(at.path("library.bcf")));
    const genotypes = records(readFileSync(input)).length;
    expect((await (await openVcf(at.path("out.bcf"))).loci()).rows).toBe(genotypes);
  });

  it("to standard output, a region with its buffer, one record a position", () => {
    const [from, to] = [people.positions[40]!, people.positions[79]!];
    const run = phaserPhase(
      ...["--input", input, "--region", `20:${from}-${to}`, "--buffer", "400000", "--output", "-"],
      ...["--join-multiallelic", ...schedule],
    );
    const lines = records(Buffer.from(run.out)).map((r) => Number(r.split("\t")[1]));
    expect(lines).toEqual(people.positions.slice(40, 80));
  });

  it("lists conflicts and Mendel errors, and writes what was left out where asked for", () => {
    const rows = [
      "100 . A C 1/1 0/0 0/1",
      "100 . A G 0/1 0/0 0/1",
      "200 . A C 0/1 0/0 0/0",
      "300 . A C 0/1 0/1 0/1",
      "400 . A . 0/0 0/0 0/0",
    ];
    const file = at.file("c.vcf", vcf(["kid", "dad", "mum"], rows));
    const fam = at.file("c.fam", "kid dad mum\n");
    const tables = ["--conflicts", at.path("c.tsv"), "--mendel-errors", at.path("m.tsv")];
    const out = at.path("c-out.vcf");
    const run = phaserPhase(
      "--input",
      file,
      "--pedigree",
      fam,
      "--output",
      out,
      "--keep-excluded",
      "--json",
      ...tables,
    );
    expect(run.code).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({
      positions: 2,
      counts: { conflictPositions: 1, noAlt: 1 },
      pedigree: { mendelErrors: 1 },
      written: [out, at.path("c.tsv"), at.path("m.tsv")],
    });
    expect(readFileSync(at.path("c.tsv"), "utf8")).toBe(
      "source\tposition\tsample\trows\texcluded\ntarget\t100\tkid\tA>C=1/1 A>G=0/1\ttrue\n",
    );
    expect(readFileSync(at.path("m.tsv"), "utf8")).toBe("position\tchild\n200\tkid\n");
    expect(records(readFileSync(out)).map((r) => r.split("\t").slice(9).join(" "))).toEqual([
      "1/1 0/0 0/1",
      "0/1 0/0 0/1",
      expect.stringMatching(/^[01]\|[01] 0\|0 0\|0$/),
      expect.stringMatching(/^([01]\|[01] ?){3}$/),
      "0/0 0/0 0/0",
    ]);
    const strict = phaserPhase(
      "--input",
      file,
      "--output",
      at.path("no.vcf"),
      "--supersite-conflict",
      "error",
    );
    expect([strict.code, strict.err]).toEqual([1, expect.stringMatching(/^SUPERSITE_CONFLICT .*sample kid/)]);
  });

  it("joint phasing off is for comparison: two ALTs on one haplotype may come out", () => {
    const on = phaserPhase("--input", input, "--output", at.path("on.vcf"), "--json", ...schedule);
    const off = phaserPhase(
      ...["--input", input, "--output", at.path("off.vcf"), "--json", ...schedule],
      "--no-enforce-oneallele-supersite",
    );
    expect(JSON.parse(on.out).positions).toBe(120);
    expect(JSON.parse(off.out).positions).toBe(JSON.parse(off.out).rows);
  });
});

describe("refuses, exit 1, no output", () => {
  let gz: Buffer;
  let bcf: Buffer;
  beforeAll(async () => {
    const loci = await (await openVcf(at.file("big.vcf", text))).loci();
    await writeVcf(loci, at.path("good.vcf.gz"));
    await writeBcf(loci, at.path("good.bcf"));
    gz = readFileSync(at.path("good.vcf.gz"));
    bcf = readFileSync(at.path("good.bcf"));
  });
  const alts = Array.from(
    { length: 300 },
    (_, i) => `A${i.toString(4).replace(/\d/g, (d) => "ACGT"[Number(d)]!)}`,
  );
  const swap = (lines: string[]): string =>
    lines.with(-5, lines.at(-30)!).with(-30, lines.at(-5)!).join("\n");
  const cases: [name: string, code: string, file: () => string | Uint8Array, args?: string[]][] = [
    ["cut.vcf.gz", "BGZF_TRUNCATED", () => gz.subarray(0, Math.floor((gz.length * 2) / 3))],
    ["noeof.bcf", "BGZF_NO_EOF", () => bcf.subarray(0, -28)],
    ["unsorted.vcf", "UNSORTED", () => swap(text.split("\n"))],
    ["cutline.vcf", "VCF_COLUMNS", () => text.trimEnd().slice(0, -4)],
    ["nohdr.vcf", "VCF_HEADER", () => text.replace(/#CHROM.*\n/, "")],
    ["dup.vcf", "DUP_SAMPLE", () => text.replace("\ts1\t", "\ts0\t")],
    ["range.vcf", "VCF_GT_ALLELE", () => text.replace("\t0/1", "\t0/7")],
    ["three.vcf", "PLOIDY", () => text.replace("\t0/1", "\t0/1/1")],
    ["alts.vcf", "TOO_MANY_ALTS", () => vcf(["a"], [`100 . A ${alts.join(",")} 0/1`])],
    ["text.bcf", "VCF_HEADER", () => "this is text"],
  ];
  it.each(cases)("%s: %s", (name, code, data) => {
    const file = at.file(name, data());
    const run = phaserPhase("--input", file, "--output", at.path(`refused-${name}`), ...schedule);
    expect([run.code, run.out]).toEqual([1, ""]);
    expect(run.err).toMatch(new RegExp(`^${code} `));
    expect(run.err).not.toMatch(/\n\s+at /);
    expect(readdirSync(at.path(".")).filter((f) => f.startsWith("refused-"))).toEqual([]);
  });

  it("maps of another chromosome, that go back or hold no number", () => {
    const map = (body: string): string => {
      const run = phaserPhase(
        "--input",
        input,
        "--map",
        at.file("bad.map", body),
        "--output",
        at.path("refused.bcf"),
      );
      expect(run.code).toBe(1);
      return run.err.split(" ")[0]!;
    };
    expect(map("pos chr cM\n1 21 0\n9 21 1\n")).toBe("MAP_CHROM");
    expect(map("pos chr cM\n1 20 1\n9 20 0\n")).toBe("MAP_ORDER");
    expect(map("pos chr cM\n1 20 0\n9 20 NaN\n")).toBe("MAP_NAN");
    expect(readdirSync(at.path(".")).filter((f) => f.startsWith("refused"))).toEqual([]);
  });

  it("sample lists that do not match", () => {
    const list = at.file("list.txt", "s1\nnobody\n");
    const run = phaserPhase("--input", input, "--samples", list, "--output", at.path("refused.bcf"));
    expect([run.code, run.err]).toEqual([
      1,
      expect.stringMatching(/^SAMPLE_UNKNOWN .*1 of 2 samples .*: nobody/),
    ]);
    const none = at.file("none.txt", "x\ny\n");
    const haploid = phaserPhase("--input", input, "--haploids", none, "--output", at.path("refused.bcf"));
    expect([haploid.code, haploid.err]).toEqual([1, expect.stringMatching(/^NO_COMMON_SAMPLES /)]);
  });

  it("no variants: says which filter removed how many", async () => {
    const why = async (file: string, o: Parameters<typeof phase>[1]): Promise<string> => {
      const e = await failure(phase(file, o).summary);
      expect(e.code).toBe("NO_VARIANTS");
      return e.message;
    };
    expect(await why(input, { region: "chr20" })).toMatch(
      /no variants to phase: \d+ records were read, \d+ of another chromosome; the region's chromosome is called "chr20", the file knows 20/,
    );
    expect(await why(input, { region: "20:1-5" })).toMatch(/no variants to phase: .* outside the region/);
    const rare = at.file(
      "rare.vcf",
      vcf(["a", "b"], ["100 . A C 0/1 0/0", "200 . A . 0/0 0/0", "300 . A C 0/0 0/0"]),
    );
    expect(await why(rare, { minMaf: 0.4 })).toMatch(
      /no variants to phase: 3 records were read, 1 positions without an ALT allele, 2 positions below the minor allele frequency/,
    );
    const three = at.file("3.vcf", vcf(["a", "b"], ["100 . A C 1/1 0/1", "100 . A G 0/1 0/1"]));
    expect(await why(three, {})).toMatch(
      /no variants to phase: 2 records were read, 1 positions in conflict/,
    );
  });

  it("AC and AN that lie are counted anew; options that cannot be are exit 2", () => {
    const lie = at.file("lie.vcf", text.replaceAll("DP=7", "AC=99;AN=1"));
    const run = phaserPhase("--input", lie, "--output", "-", ...schedule);
    const fields = records(Buffer.from(run.out)).map((r) => r.split("\t"));
    for (const f of fields) {
      const counts = f[4]!.split(",").map(
        (_, k) =>
          f
            .slice(9)
            .join("|")
            .split("|")
            .filter((a) => a === String(k + 1)).length,
      );
      expect(f[7]).toBe(`AC=${counts.join(",")};AN=48`);
    }
    expect(phaserPhase("--input", input, "--output", at.path("x.txt")).code).toBe(2);
    expect(phaserPhase("--input", input, "--output", at.path("x.bcf"), "--buffer", "5").code).toBe(2);
    expect(phaserPhase("--input", input, "--output", at.path("x.bcf"), "--pbwt-depth", "0").code).toBe(2);
    expect(phaserPhase("--input", input, "--output", join(at.path("nowhere"), "x.bcf")).err).toMatch(
      /^OUT_DIR /,
    );
  });

  it("more memory than may be used, before it is used", async () => {
    const e = await failure(phase(input, { memoryLimit: 1000 }).summary);
    expect([e.code, e.message]).toEqual(["MEM_PREFLIGHT", expect.stringMatching(/planChunks/)]);
    await using anyway = phase(input, { memoryLimit: Number.POSITIVE_INFINITY, mcmcIterations: "1m" });
    expect((await anyway.summary).positions).toBe(120);
  });

  it("options nobody knows, or that contradict each other, at once", async () => {
    const code = (o: object): string => {
      try {
        phase(input, o);
        return "none";
      } catch (e) {
        return (e as { code: string }).code;
      }
    };
    expect(code({ pbwtDepht: 3 })).toBe("UNKNOWN_OPTION");
    expect(code({ supersiteAnchor: "pbwt" })).toBe("OPTION_CONFLICT");
    expect(code({ supersiteImputation: "best" })).toBe("OPTION_CHOICE");
    expect(code({ hmmWindow: -1 })).toBe("OPTION_RANGE");
    using loci = await (await openVcf(join(FIXTURES, "family.vcf"))).loci();
    expect(() => phase(loci, { minMaf: 0.1 })).toThrow(/read already/);
  });
});
