// The same input and seed give the same bytes, however they come and however many threads work on them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { openVcf, type PhaseOptions, phase, writeBcf, writeVcf } from "../src/index.ts";
import { simulate, toVcf, type Written } from "./simulate.ts";
import { FIXTURES, folder, phaserWith, records } from "./support.ts";

const at = folder();
const people = simulate({ people: 36, positions: 140, seed: 21 });
const written: Written = { missing: 80, rows: "mixed" };
const input = at.file("in.vcf", toVcf(people, written));
const quick = { seed: 3, threads: 1, mcmcIterations: "2b,1p,1b,1p,3m" } as const;
let count = 0;

/** Records of the phased file, in the order written. */
async function lines(path: string, options: PhaseOptions = {}): Promise<string[]> {
  await using phased = phase(path, { ...quick, ...options });
  const out = at.path(`out${count++}.vcf`);
  await writeVcf(phased, out);
  return records(readFileSync(out));
}
const calls = (row: string): string => row.split("\t").slice(9).join("\t");
const sum = (path: string): string => createHash("md5").update(readFileSync(path)).digest("hex");

it("1, 2 and 4 threads", async () => {
  const sums: string[] = [];
  for (const threads of [1, 2, 4]) {
    await using phased = phase(input, { ...quick, threads, confidence: true });
    const out = at.path(`threads${threads}.bcf`);
    await writeBcf(phased, out);
    sums.push(sum(out), sum(`${out}.csi`));
  }
  expect(new Set(sums).size).toBe(2);
});

it("VCF, bgzip and BCF of the same genotypes; another seed is another result", async () => {
  const loci = await (await openVcf(input)).loci();
  await writeVcf(loci, at.path("same.vcf.gz"));
  await writeBcf(loci, at.path("same.bcf"));
  const genotypes = (rows: string[]): string[] => rows.map(calls);
  const one = genotypes(await lines(input));
  expect(genotypes(await lines(at.path("same.vcf.gz")))).toEqual(one);
  expect(genotypes(await lines(at.path("same.bcf")))).toEqual(one);
  expect(genotypes(await lines(input, { seed: 4 }))).not.toEqual(one);
});

it("compressed blocks of any size, which cut lines and records anywhere", async () => {
  const loci = await (await openVcf(input)).loci();
  await writeBcf(loci, at.path("blocks.bcf"));
  const bcf = gunzipSync(readFileSync(at.path("blocks.bcf")));
  const one = await lines(input);
  for (const size of [61, 1000, 65_000]) {
    expect(await lines(at.file(`${size}.vcf.gz`, bgzf(readFileSync(input), size)))).toEqual(one);
    const genotypes = (await lines(at.file(`${size}.bcf`, bgzf(bcf, size)))).map(calls);
    expect(genotypes).toEqual(one.map(calls));
  }
});

it("rows of a position in another order", async () => {
  const turned = at.file("turned.vcf", toVcf(people, { ...written, missing: 0, reversed: true }));
  const straight = at.file("straight.vcf", toVcf(people, { ...written, missing: 0 }));
  const [a, b] = [await lines(straight), await lines(turned)];
  expect(b).not.toEqual(a);
  expect(b.toSorted()).toEqual(a.toSorted());
});

it("Arrow batches of any size hold the same haplotypes", async () => {
  await using phased = phase(input, quick);
  const seen: string[] = [];
  for (const chunk of [1, 17, 1024]) {
    const hash = createHash("md5");
    for await (const batch of phased.batches({ chunk })) {
      for (const row of batch) hash.update(row.h ?? row.code);
    }
    seen.push(hash.digest("hex"));
  }
  expect(new Set(seen).size).toBe(1);
});

it("positions with one ALT: joint phasing on and off is the same file", async () => {
  const plain = simulate({ people: 36, positions: 140, seed: 22, multi: 0 });
  const file = at.file("plain.vcf", toVcf(plain, { missing: 80 }));
  const on = await lines(file);
  expect(await lines(file, { enforceOneAlleleSupersite: false })).toEqual(on);
  expect(await lines(file, { supersitePbwt: false })).toEqual(on);
  expect(await lines(file, { supersiteImputation: "anchor", supersiteAnchor: "hmm" })).not.toEqual([]);
});

/** BGZF with blocks of `size` bytes: gzip members that say their own length, and an empty one at the end. */
function bgzf(data: Uint8Array, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let from = 0; from <= data.length; from += size) {
    const part = data.subarray(from, from + size);
    if (part.length > 0) blocks.push(block(part));
  }
  return Buffer.concat([...blocks, block(new Uint8Array())]);
}

function block(data: Uint8Array): Buffer {
  const packed = deflateRawSync(data);
  const head = Buffer.from([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 0, 0]);
  head.writeUInt16LE(head.length + packed.length + 8 - 1, 16);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(data), 0);
  tail.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, packed, tail]);
}

it("every instruction set: whole runs of phase and rare, scalar beside the fastest", () => {
  const [rare, scaffold] = ["rare.input.vcf", "rare.scaffold.vcf"].map((name) => join(FIXTURES, name)) as [
    string,
    string,
  ];
  const schedule = ["--mcmc-iterations", quick.mcmcIterations];
  for (const args of [
    ["phase", "--input", input, "--confidence", "--seed", "3", ...schedule],
    ["rare", "--input", rare, "--scaffold", scaffold],
  ]) {
    const sums = ["scalar", ""].map((level) => {
      const out = at.path(`simd-${args[0]}-${level}.vcf`);
      const run = phaserWith(level ? { X_SIMD: level } : {}, ...args, "--output", out);
      expect([run.code, run.err]).toEqual([0, ""]);
      return sum(out);
    });
    expect(sums[0]).toBe(sums[1]);
  }
});
