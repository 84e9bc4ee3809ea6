// The door itself: panics become errors, handles can be released, cancelling stops, wrong arguments are refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import binding from "../index.js";

const folder = mkdtempSync(join(tmpdir(), "x-phasing-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "a.vcf");
const head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
writeFileSync(file, `${head}20\t1\t.\tA\tC\t.\t.\t.\tGT\t0|1\t1/1\n20\t1\t.\tA\tG\t.\t.\t.\tGT\t1|0\t0/0\n`);
const job = (): InstanceType<typeof binding.Job> => new binding.Job();

it("panics become NATIVE_PANIC, on both sides, and Node goes on", async () => {
  expect(() => binding.provokePanic()).toThrow(/provoked/);
  await expect(binding.provokePanicInWork(job())).rejects.toThrow(/^NATIVE_PANIC\|.*provoked/);
  expect((await binding.readHeader(job(), file)).samples).toEqual(["a", "b"]);
});

it("reads loci, and says when they were released", async () => {
  const loci = await binding.readLoci(job(), file, {});
  expect([...loci.calls(0, 1)]).toEqual([2, 1, 1, 1]);
  expect([...loci.flags(0, 1)]).toEqual([1, 0]);
  expect(() => loci.calls(0, 2)).toThrow(/^LOCI_RANGE\|/);
  expect(() => loci.haplotypes(0, 1, new Uint8Array(1))).toThrow(/^HAPLOTYPE_SHAPE\|/);
  loci.release();
  expect(() => loci.length).toThrow(/^LOCI_RELEASED\|/);
});

it("a cancelled job stops", async () => {
  const cancelled = job();
  cancelled.cancel();
  await expect(binding.readLoci(cancelled, file, {})).rejects.toThrow(/^CANCELLED\|/);
  await expect(binding.readHeader(cancelled, file)).rejects.toThrow(/^CANCELLED\|/);
  await expect(binding.oneAllele(job(), join(folder, "none"), null, 0)).rejects.toThrow(/^ENOENT\|/);
});

it("words it does not know", async () => {
  await expect(binding.readLoci(job(), file, { role: "friend" })).rejects.toThrow(/^OPTION_RANGE\|/);
  const loci = await binding.readLoci(job(), file, {});
  expect(() => new binding.VcfWriter(loci, null, { output: "xml" })).toThrow(/^OPTION_RANGE\|/);
});
