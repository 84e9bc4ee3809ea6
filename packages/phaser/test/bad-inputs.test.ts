// Rows of bad-inputs.tsv that reach this package: test name = row id.
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { openVcf, readGeneticMap, type VcfFile, writeBcf, writeVcf } from "../src/index.ts";
import { failure, folder, vcf } from "./support.ts";

const at = folder();
const samples = ["ann", "bob"];
const good = vcf(samples, ["100 a A C 0/1 1/1", "200 b A C 0/0 0/1", "300 c G T 0/1 0/1"]);
const rows = (...list: string[]): string => vcf(samples, list);

/** What opening and reading makes of a file. */
const reading = (path: string, options: Parameters<VcfFile["loci"]>[0] = {}): Promise<unknown> =>
  openVcf(path).then((file) => file.loci(options));
const code = async (name: string, data: string | Uint8Array, options = {}): Promise<string> =>
  (await failure(reading(at.file(name, data), options))).code;

let gz: Buffer;
let bcf: Buffer;
beforeAll(async () => {
  const many = Array.from(
    { length: 3000 },
    (_, i) => `${100 + 3 * i} r${i}x${(i * 2654435761) >>> 0} A C 0/1 0/0`,
  );
  const big = await (await openVcf(at.file("big.vcf", vcf(samples, many)))).loci();
  await writeVcf(big, at.path("big.vcf.gz"));
  gz = readFileSync(at.path("big.vcf.gz"));
  const small = await (await openVcf(at.file("good.vcf", good))).loci();
  await writeBcf(small, at.path("good.bcf"));
  bcf = gunzipSync(readFileSync(at.path("good.bcf"))); // bare BCF is read as well, and easy to damage
});

/** Where the records of a bare BCF start. */
const firstRecord = (bytes: Buffer): number => 9 + bytes.readUInt32LE(5);

const cases: Record<string, () => Promise<void>> = {
  "vcf-gz-trunc": async () => {
    const e = await failure(openVcf(at.file("cut.vcf.gz", gz.subarray(0, Math.floor((gz.length * 2) / 3)))));
    expect(e.code).toBe("BGZF_TRUNCATED");
    expect(e.message).toMatch(
      /cut\.vcf\.gz: the file ends at byte \d+, inside the block that starts at byte \d+/,
    );
  },
  "vcf-noeof": async () => {
    expect((await failure(openVcf(at.file("noeof.vcf.gz", gz.subarray(0, -28))))).code).toBe("BGZF_NO_EOF");
    const whole = readFileSync(at.path("good.bcf"));
    expect((await failure(openVcf(at.file("noeof.bcf", whole.subarray(0, -28))))).code).toBe("BGZF_NO_EOF");
  },
  "vcf-cutline": async () => {
    const e = await failure(reading(at.file("cutline.vcf", good.trimEnd().slice(0, -4))));
    expect(e.code).toBe("VCF_COLUMNS");
    expect(e.message).toContain("record 3 (20:300)");
    expect(e.details).toMatchObject({ record: 3 });
  },
  "vcf-nohdr": async () => {
    expect(await code("nohdr.vcf", good.replace(/#CHROM.*\n/, ""))).toBe("VCF_HEADER");
    expect(await code("empty.vcf", "")).toBe("VCF_HEADER");
  },
  "vcf-dup-sample": async () => expect(await code("dup.vcf", vcf(["ann", "ann"], []))).toBe("DUP_SAMPLE"),
  "vcf-gt-range": async () => {
    expect(await code("range.vcf", rows("100 a A C,G 0|5 0|0"))).toBe("VCF_GT_ALLELE");
  },
  "vcf-ploidy": async () => {
    expect(await code("ploidy.vcf", rows("100 a A C 0 0/1"))).toBe("PLOIDY");
    expect(await code("ploidy3.vcf", rows("100 a A C 0/1/1 0/1"))).toBe("PLOIDY");
    const file = await openVcf(at.file("haploid.vcf", rows("100 a A C 1 0/1", "200 b A C 0 1/1")));
    const loci = await file.loci({ haploids: ["ann"] });
    expect([...loci.calls()]).toEqual([1, 1, 0, 1, 0, 0, 1, 1]);
    expect([...loci.flags()]).toEqual([3, 0, 3, 0]);
  },
  "vcf-unsorted": async () => {
    expect(await code("unsorted.vcf", rows("200 a A C 0/1 0/1", "100 b A C 0/1 0/1"))).toBe("UNSORTED");
    const back = `${good}19\t50\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n20\t400\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n`;
    expect(await code("back.vcf", back, { region: "21" })).toBe("UNSORTED");
    expect(await code("two.vcf", back)).toBe("REGION_REQUIRED");
  },
  "vcf-dup-site": async () => {
    expect(await code("dupsite.vcf", rows("100 a A C 0/1 0/1", "100 b A C 0/1 0/1"))).toBe("DUP_SITE");
    // The same change against a longer REF.
    expect(await code("dupsite2.vcf", rows("100 a A C 0/1 0/1", "100 b AG CG 0/1 0/1"))).toBe("DUP_SITE");
  },
  "vcf-multi-split-conflict": async () => {
    const both = at.file("both.vcf", rows("100 a A C 0|1 0|0", "100 b A G 0|1 0|1", "200 c A C 0|1 1|0"));
    const target = await (await openVcf(both)).loci();
    const conflict = { position: 100, sample: "ann", rows: "A>C=0|1 A>G=0|1" };
    expect(target.conflicts()).toEqual([{ ...conflict, excluded: false }]);
    expect([...target.calls(0, 1)]).toEqual([1, 2, 0, 2]); // one ALT a haplotype, order open
    for (const role of ["scaffold", "reference"] as const) {
      const kept = await (await openVcf(both)).loci({ role });
      expect([...kept.positions]).toEqual([200]);
      expect(kept.conflicts()).toEqual([{ ...conflict, excluded: true }]);
    }
    const three = at.file("three.vcf", rows("100 a A C 1/1 0/0", "100 b A G 0/1 0/1", "200 c A C 0/1 1/0"));
    const left = await (await openVcf(three)).loci();
    expect(left.excluded()).toEqual([{ position: 100, rows: 2, reason: "conflict" }]);
    const strict = await failure(reading(three, { supersiteConflict: "error" }));
    expect([strict.code, strict.message]).toEqual([
      "SUPERSITE_CONFLICT",
      expect.stringMatching(/20:100: sample ann .*A>C=1\/1 A>G=0\/1/),
    ]);
  },
  "vcf-star": async () => {
    const loci = await (await openVcf(at.file("star.vcf", rows("100 a A *,<DEL>,C 0/1 2/3")))).loci();
    expect([...loci.calls()]).toEqual([0, 2, 3, 1]); // C, *, <DEL>
  },
  "vcf-gzip-not-bgzf": async () => {
    const path = at.file("plain.vcf.gz", gzipSync(good));
    const file = await openVcf(path);
    expect(file.seekable).toBe(false);
    expect((await file.loci({ region: "20:150-" })).length).toBe(2);
    writeFileSync(`${path}.tbi`, "");
    expect((await failure(file.loci({ region: "20:150-" }))).code).toBe("NOT_BGZF");
  },
  "vcf-index-stale": async () => {
    const path = at.file("stale.vcf.gz", gz);
    const index = at.file("stale.vcf.gz.tbi", readFileSync(at.path("big.vcf.gz.tbi")));
    utimesSync(index, 1, 1);
    const warnings: string[] = [];
    const loci = await (await openVcf(path)).loci({
      region: "20:7000-7300",
      warn: (w) => warnings.push(w.code),
    });
    expect([warnings, loci.length]).toEqual([["INDEX_STALE"], 101]);
    const other = await (await openVcf(at.path("good.vcf"))).loci();
    await writeVcf(other, at.path("short.vcf.gz"));
    writeFileSync(at.path("short.vcf.gz.tbi"), readFileSync(index));
    expect((await failure(reading(at.path("short.vcf.gz"), { region: "20:7000-" }))).code).toBe(
      "INDEX_STALE",
    );
  },
  "bcf-magic": async () => {
    const old = Buffer.from(bcf);
    old[3] = 1;
    expect(await code("old.bcf", old)).toBe("BCF_VERSION");
    expect(await code("text.bcf", "this is text")).toBe("VCF_HEADER");
  },
  "bcf-len": async () => {
    const long = Buffer.from(bcf);
    long.writeUInt32LE(0xffffffff, firstRecord(long));
    expect(await code("long.bcf", long)).toBe("BCF_LENGTH");
    const header = Buffer.from(bcf);
    header.writeUInt32LE(0xffffffff, 5);
    expect(await code("header.bcf", header)).toBe("BCF_LENGTH");
    // Below the limit, but more than there is: read as far as it goes.
    long.writeUInt32LE(200_000_000, firstRecord(long));
    expect(await code("longer.bcf", long)).toBe("BCF_RECORD");
  },
  "bcf-dict": async () => {
    const contig = Buffer.from(bcf);
    contig.writeInt32LE(77, firstRecord(contig) + 8);
    expect(await code("contig.bcf", contig)).toBe("BCF_DICT");
    const info = Buffer.from(bcf);
    // id, A, C, no filter, then the key of AC: one byte after its type.
    const key = firstRecord(info) + 8 + 24 + 2 + 2 + 2 + 1 + 1;
    info[key] = 99;
    expect(await code("info.bcf", info)).toBe("BCF_DICT");
  },
  "vcf-longline": async () => {
    const line = Buffer.alloc(2 ** 28 + 100, 65);
    const text = Buffer.concat([Buffer.from(good), line]);
    expect(await code("long.vcf.gz", gzipSync(text, { level: 1 }))).toBe("LINE_TOO_LONG");
  },
  "map-nonmono": async () => {
    const e = await failure(readGeneticMap(at.file("back.map", "pos chr cM\n100 20 0.1\n200 20 0.05\n")));
    expect(e.code).toBe("MAP_ORDER");
    expect(e.details).toMatchObject({ line: 3 });
    expect(
      (await failure(readGeneticMap(at.file("p.map", "pos chr cM\n200 20 0.1\n100 20 0.2\n")))).code,
    ).toBe("MAP_ORDER");
  },
  "map-nan": async () => {
    const e = await failure(readGeneticMap(at.file("nan.map", "pos chr cM\n100 20 0.1\n200 20 NaN\n")));
    expect(e.code).toBe("MAP_NAN");
  },
};

describe("bad inputs", () => {
  for (const [id, check] of Object.entries(cases)) it(id, check);
});

const tsv = join(import.meta.dirname, "../../../../shared/data/bad-inputs.tsv");
it.skipIf(!existsSync(tsv))("every vcf, bcf and map row of bad-inputs.tsv has a test", () => {
  const wanted = readFileSync(tsv, "utf8")
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([, format]) => ["vcf", "vcf.gz", "bcf", "genetic map"].includes(format ?? ""))
    .map(([id]) => id);
  expect(wanted.length).toBeGreaterThan(15);
  expect(Object.keys(cases).sort()).toEqual(wanted.sort());
});

describe("further damage", () => {
  it("300 ALTs at a position", async () => {
    const alts = Array.from(
      { length: 300 },
      (_, i) => `A${i.toString(4).replace(/\d/g, (d) => "ACGT"[Number(d)]!)}`,
    );
    const e = await failure(reading(at.file("alts.vcf", rows(`100 a A ${alts.join(",")} 0/1 0/0`))));
    expect([e.code, e.details.alts, e.details.record]).toEqual(["TOO_MANY_ALTS", 300, 1]);
    const split = rows(...alts.map((alt) => `100 a A ${alt} 0/0 0/0`));
    expect((await failure(reading(at.file("alts2.vcf", split)))).message).toMatch(/20:100: 300 ALT alleles/);
  });

  it("AC and AN that lie are counted anew", async () => {
    const lie = good.replaceAll("\t.\tGT", "\tAC=99;AN=1\tGT");
    await writeVcf(await (await openVcf(at.file("lie.vcf", lie))).loci(), at.path("true.vcf"));
    expect(readFileSync(at.path("true.vcf"), "utf8").match(/AC=\d+;AN=\d+/g)).toEqual([
      "AC=3;AN=4",
      "AC=1;AN=4",
      "AC=2;AN=4",
    ]);
  });

  it("rows that disagree about the reference, genotypes that are none, a panel without phase", async () => {
    expect(await code("ref.vcf", rows("100 a A C 0/1 0/1", "100 b G C 0/1 0/1"))).toBe("REF_MISMATCH");
    expect(await code("gt.vcf", rows("100 a A C x/1 0/1"))).toBe("VCF_GT");
    expect(await code("nogt.vcf", good.replaceAll("\tGT\t", "\tDP\t"))).toBe("VCF_NO_GT");
    expect(await code("panel.vcf", good, { role: "reference" })).toBe("REFERENCE_UNPHASED");
    expect(await code("region.vcf", good, { region: "20:5-1" })).toBe("REGION");
    expect(await code("sites.vcf", vcf([], []).replace("\tFORMAT\t", ""))).toBe("NO_SAMPLES");
  });
});
