// Rows of bad-inputs.tsv through `phaser phase`: exit 1, one line with the code and nothing left; or what the row allows.
import { existsSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, expect, it } from "vitest";
import { openVcf, writeBcf, writeVcf } from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { folder, phaser, records, vcf } from "./support.ts";

const at = folder();
const people = simulate({ people: 12, positions: 60, seed: 61, multi: 0 });
const text = toVcf(people, {});
const samples = ["ann", "bob"];
const small = (...rows: string[]): string => vcf(samples, rows);
let gz: Buffer;
let bcf: Buffer;
/** As stored, without blocks: easy to damage, and read as well. */
let bare: Buffer;
beforeAll(async () => {
  const loci = await (await openVcf(at.file("good.vcf", text))).loci();
  await writeVcf(loci, at.path("good.vcf.gz"));
  await writeBcf(loci, at.path("good.bcf"));
  gz = readFileSync(at.path("good.vcf.gz"));
  bcf = readFileSync(at.path("good.bcf"));
  bare = gunzipSync(bcf);
});
const firstRecord = (): number => 9 + bare.readUInt32LE(5);
const damaged = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.from(bare);
  change(bytes);
  return bytes;
};

/** Runs the verb; what it wrote, if anything. */
function run(file: string, ...more: string[]) {
  const output = at.path("out.vcf");
  at.remove("out.vcf");
  const result = phaser(
    ...["phase", "--input", file, "--output", output, "--mcmc-iterations", "1p,1m", "--threads", "1"],
    ...more,
  );
  expect(result.err).not.toMatch(/\n\s+at /);
  return { ...result, rows: existsSync(output) ? records(readFileSync(output)) : null };
}

function refused(code: string, file: string, ...more: string[]): void {
  const { code: status, out, err, rows } = run(file, ...more);
  expect([status, out, rows]).toEqual([1, "", null]);
  expect(err).toMatch(new RegExp(`^${code} `));
  expect(readdirSync(at.path(".")).filter((name) => name.includes("out.vcf"))).toEqual([]);
}

const map = (...points: string[]): string => at.file("bad.map", `pos chr cM\n${points.join("\n")}\n`);

const rows: Record<string, () => void> = {
  "vcf-gz-trunc": () => refused("BGZF_TRUNCATED", at.file("cut.vcf.gz", gz.subarray(0, (gz.length * 2) / 3))),
  "vcf-noeof": () => {
    refused("BGZF_NO_EOF", at.file("noeof.vcf.gz", gz.subarray(0, -28)));
    refused("BGZF_NO_EOF", at.file("noeof.bcf", bcf.subarray(0, -28)));
  },
  "vcf-cutline": () => refused("VCF_COLUMNS", at.file("cutline.vcf", text.trimEnd().slice(0, -4))),
  "vcf-nohdr": () => refused("VCF_HEADER", at.file("nohdr.vcf", text.replace(/#CHROM.*\n/, ""))),
  "vcf-dup-sample": () => refused("DUP_SAMPLE", at.file("dup.vcf", text.replace("\ts1\t", "\ts0\t"))),
  "vcf-gt-range": () => refused("VCF_GT_ALLELE", at.file("range.vcf", small("100 . A C,G 0|5 0|0"))),
  "vcf-ploidy": () => {
    refused("PLOIDY", at.file("three.vcf", small("100 . A C 0/1/1 0/1")));
    const mixed = at.file("mixed.vcf", small("100 . A C 1 0/1", "200 . A C 0 1/1"));
    refused("PLOIDY", mixed);
    const list = at.file("haploids.txt", "ann\n");
    const genotypes = run(mixed, "--haploids", list).rows!.map((r) => r.split("\t").slice(9));
    expect(genotypes.map(([ann]) => ann)).toEqual(["1", "0"]);
  },
  "vcf-unsorted": () =>
    refused("UNSORTED", at.file("unsorted.vcf", small("200 . A C 0/1 0/1", "100 . A C 0/1 0/1"))),
  "vcf-dup-site": () =>
    refused("DUP_SITE", at.file("dupsite.vcf", small("100 . A C 0/1 0/1", "100 . A C 0/1 0/1"))),
  "vcf-multi-split-conflict": () => {
    // Bars that put both ALTs on one haplotype: listed, and one haplotype each in what is written.
    const both = at.file("both.vcf", small("100 . A C 0|1 0|0", "100 . A G 0|1 0|1", "200 . A C 0|1 1|0"));
    const { code, rows: written } = run(both, "--conflicts", at.path("conflicts.tsv"));
    expect(code).toBe(0);
    expect(readFileSync(at.path("conflicts.tsv"), "utf8")).toMatch(/\ntarget\t100\tann\tA>C=0\|1 A>G=0\|1\t/);
    const [c, g] = written!.map((r) => r.split("\t")[9]!);
    expect([c, g].sort()).toEqual(["0|1", "1|0"]);
    const three = at.file("3.vcf", small("100 . A C 1/1 0/0", "100 . A G 0/1 0/1", "200 . A C 0/1 1/0"));
    refused("SUPERSITE_CONFLICT", three, "--supersite-conflict", "error");
  },
  "vcf-star": () => {
    const { code, rows: written } = run(at.file("star.vcf", small("100 . A *,<DEL>,C 0/1 2/3")));
    expect([code, written!.map((r) => r.split("\t").slice(3, 5))]).toEqual([0, [["A", "*,<DEL>,C"]]]);
  },
  "vcf-gzip-not-bgzf": () => {
    const file = at.file("plain.vcf.gz", gzipSync(text));
    expect(run(file, "--region", `20:${people.positions[20]}-`).rows).toHaveLength(40);
    at.file("plain.vcf.gz.tbi", readFileSync(at.path("good.vcf.gz.tbi")));
    refused("NOT_BGZF", file, "--region", `20:${people.positions[20]}-`);
  },
  "vcf-index-stale": () => {
    const file = at.file("stale.vcf.gz", gz);
    const index = at.file("stale.vcf.gz.tbi", readFileSync(at.path("good.vcf.gz.tbi")));
    utimesSync(index, 1, 1);
    const { code, err } = run(file, "--region", `20:${people.positions[20]}-`);
    expect([code, err]).toEqual([0, expect.stringMatching(/INDEX_STALE/)]);
  },
  "bcf-magic": () => {
    const version = damaged((bytes) => {
      bytes[3] = 1;
    });
    refused("BCF_VERSION", at.file("old.bcf", version));
    refused("VCF_HEADER", at.file("text.bcf", "this is text"));
  },
  "bcf-len": () => {
    const long = damaged((bytes) => void bytes.writeUInt32LE(0xffffffff, firstRecord()));
    refused("BCF_LENGTH", at.file("long.bcf", long));
  },
  "bcf-dict": () => {
    const contig = damaged((bytes) => void bytes.writeInt32LE(77, firstRecord() + 8));
    refused("BCF_DICT", at.file("contig.bcf", contig));
  },
  "vcf-longline": () => {
    const line = Buffer.concat([Buffer.from(small("100 . A C 0/1 0/1")), Buffer.alloc(2 ** 28 + 100, 65)]);
    refused("LINE_TOO_LONG", at.file("long.vcf.gz", gzipSync(line, { level: 1 })));
  },
  "map-nonmono": () => refused("MAP_ORDER", at.path("good.vcf"), "--map", map("1 20 1", "9 20 0")),
  "map-nan": () => refused("MAP_NAN", at.path("good.vcf"), "--map", map("1 20 0", "9 20 NaN")),
};
it.each(Object.entries(rows))("%s", (_, check) => check());

const tsv = join(import.meta.dirname, "../../../../shared/data/bad-inputs.tsv");
it.skipIf(!existsSync(tsv))("every vcf, bcf and map row of bad-inputs.tsv goes through the verb", () => {
  const formats = ["vcf", "vcf.gz", "bcf", "genetic map"];
  const table = readFileSync(tsv, "utf8")
    .split("\n")
    .map((line) => line.split("\t"));
  const wanted = table.filter(([, format]) => formats.includes(format ?? "")).map(([id]) => id);
  expect(Object.keys(rows).sort()).toEqual(wanted.sort());
});
