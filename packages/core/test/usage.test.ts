import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { tableFromColumns } from "../src/arrow.ts";
import { hashFile, sampleHash, sha256Hex } from "../src/hash.ts";
import { peakRss, StageMeter } from "../src/usage.ts";
import { code, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();

describe("StageMeter", () => {
  it("measures time, work and the memory of each stage", async () => {
    const meter = new StageMeter();
    const big = await meter.measure("allocate", () => new Uint8Array(2e8).fill(1).length);
    expect(big).toBe(2e8);
    await expect(meter.measure("fail", () => Promise.reject(new Error("x")))).rejects.toThrow("x");
    expect(meter.stages.map((s) => s.stage)).toEqual(["allocate", "fail"]);
    const [first] = meter.stages;
    expect(first!.wallSeconds).toBeGreaterThan(0);
    expect(first!.cpuSeconds).toBeGreaterThan(0);
    expect(first!.peakRssBytes).toBeGreaterThan(2e8);
    expect(first!.peakRssBytes).toBeGreaterThanOrEqual(first!.rssBytes * 0.99);
    expect(peakRss()).toBeGreaterThan(1e7);
  });
});

describe("hashes", () => {
  it("are SHA-256 in hexadecimal", async () => {
    expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const data = new Uint8Array(3_000_000).map((_, i) => i * 13);
    writeFileSync(join(folder, "data"), data);
    expect(await hashFile(join(folder, "data"))).toBe(createHash("sha256").update(data).digest("hex"));
    await expect(hashFile(join(folder, "none"))).rejects.toMatchObject(code("ENOENT"));
    await expect(hashFile(join(folder, "data"), AbortSignal.abort("no"))).rejects.toBe("no");
  });

  it("sampleHash tells who and in which order, and nothing else", () => {
    const people = (fid: string[], iid: string[], sex = 1): string =>
      sampleHash(tableFromColumns({ fid, iid, sex: Int8Array.from(fid, () => sex) }));
    expect(people(["a", "b"], ["1", "2"])).toBe(sha256Hex("a\t1\nb\t2\n"));
    expect(people(["a", "b"], ["1", "2"], 2)).toBe(people(["a", "b"], ["1", "2"]));
    expect(people(["b", "a"], ["2", "1"])).not.toBe(people(["a", "b"], ["1", "2"]));
    expect(people(["a1"], ["2"])).not.toBe(people(["a"], ["12"]));
    expect(() => sampleHash(tableFromColumns({ fid: ["a"] }))).toThrow(
      expect.objectContaining(code("COLUMN_MISSING")),
    );
  });
});
