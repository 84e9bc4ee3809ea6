// Arrow in and out.

import { join } from "node:path";
import { fromIpc, toIpc } from "@x/core";
import { openPlink } from "@x/plink-io";
import { type RecordBatch, Table } from "apache-arrow";
import { expect, it } from "vitest";
import {
  haplotypeBatches,
  lociFromBatches,
  openVcf,
  phaseMemory,
  planChunks,
  readGeneticMap,
} from "../src/index.ts";
import { failure, folder, vcf } from "./support.ts";

const at = folder();

it("loci from a PLINK fileset: A1 is ALT, packed and int8 alike", async () => {
  await using study = await openPlink(join(import.meta.dirname, "../../../fixtures/demo/demo"));
  const names = [...(study.samples.getChild("iid") as Iterable<string>)];
  const region = "1:1-20000000";
  const packed = await lociFromBatches(study.genotypes({ region, chunk: 100 }), { names });
  const int8 = await lociFromBatches(study.genotypes({ region, as: "int8" }), { names });
  expect(packed.length).toBeGreaterThan(20);
  expect(packed.calls()).toEqual(int8.calls());
  for await (const batch of study.genotypes({ region, as: "int8", chunk: 1 })) {
    const g = [...(batch.getChild("g")!.get(0) as Iterable<number>)];
    const calls = packed.calls(0, 1);
    const copies = g.map((_, s) => (calls[2 * s] === 255 ? -127 : calls[2 * s]! + calls[2 * s + 1]!));
    expect(copies).toEqual(g);
    break;
  }
  const two = study.genotypes({ chunk: 5000 });
  expect((await failure(lociFromBatches(two, { names }))).code).toBe("REGION_REQUIRED");
  const few = study.genotypes({ region });
  expect((await failure(lociFromBatches(few, { names: ["a"] }))).code).toBe("GENOTYPE_SHAPE");
});

it("haplotypes as Arrow: bits where there is one ALT, codes elsewhere", async () => {
  const text = vcf(
    ["a", "b", "c"],
    ["100 r A C 0|1 1|0 1|1", "200 . A C 0|1 0|0 0|0", "200 x AG A 1|0 0|0 0|0", "300 m A C 0|1 .|. 0|0"],
  );
  const loci = await (await openVcf(at.file("h.vcf", text))).loci({ role: "scaffold" });
  const batches = [...haplotypeBatches(loci, { chunk: 2 })];
  expect(batches.map((b) => b.numRows)).toEqual([2, 1]);
  const rows = fromIpc(toIpc(new Table(batches as RecordBatch[])))
    .toArray()
    .map((r) => r.toJSON());
  expect(rows.map((r) => [r.chrom, r.pos, r.id, r.a2, r.a1])).toEqual([
    ["20", 100, "r", "A", "C"],
    ["20", 200, "x", "AG", "A,CG"],
    ["20", 300, "m", "A", "C"],
  ]);
  expect([...rows[0]!.h]).toEqual([0b110110]);
  expect([...rows[1]!.code]).toEqual([1, 2, 0, 0, 0, 0]);
  expect([rows[0]!.code, rows[1]!.h, rows[2]!.h]).toEqual([null, null, null]);
  expect([...rows[2]!.code]).toEqual([0, 1, 255, 255, 0, 0]);
});

it("plans chunks that tile the chromosome", async () => {
  const rows = Array.from({ length: 500 }, (_, i) => `${10_000 * (i + 1)} . A C 0/1`);
  const file = at.file("plan.vcf", vcf(["a"], rows));
  const plan = await planChunks(file, { chunkCm: 1.5, overlapCm: 0.2, threads: 1 });
  expect([plan.positions, plan.samples, plan.chunks.length]).toEqual([500, 1, 4]);
  let next = 10_000;
  for (const chunk of plan.chunks) {
    const [from, to] = chunk.own.split(":")[1]!.split("-").map(Number) as [number, number];
    expect(from).toBe(next);
    next = to + 1;
    expect(chunk.cm).toBeLessThan(1.5 + 0.4 + 1e-9);
    expect(chunk.memory.total).toBe(
      phaseMemory({ positions: chunk.positions, samples: 1, cm: chunk.cm, open: chunk.positions }).total,
    );
  }
  expect(next).toBe(5_000_001);
  expect((await planChunks(file, { chunkPositions: 100 })).chunks).toHaveLength(5);
  const map = await readGeneticMap(at.file("p.map", "1 20 0\n5000000 20 50\n"));
  expect((await planChunks(file, { map, region: "20:1-2500000" })).cm).toBeCloseTo(24.9, 1);
});
