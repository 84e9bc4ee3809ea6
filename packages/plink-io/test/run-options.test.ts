// The options every function takes mean the same everywhere, in a study and in a part of one.
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  convert,
  freq,
  hardy,
  inspect,
  merge,
  missing,
  openPlink,
  type PackedBlock,
  type PlinkStudy,
  selectStudy,
  subset,
  variantCounts,
  writeFreq,
  writePlink,
} from "../src/index.ts";
import { plinkIo } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);
const turned = makeFileset(folder.path, { name: "turned", sampleMajor: true });
const out = (name: string): string => join(folder.path, name);
const ROW = 26; // bytes of 101 people

interface Step {
  stage: string;
  done: number;
  total: number;
}

async function blocksOf(
  study: PlinkStudy,
  options: Parameters<PlinkStudy["blocks"]>[0],
): Promise<PackedBlock[]> {
  const blocks: PackedBlock[] = [];
  for await (const block of study.blocks(options)) blocks.push(block);
  return blocks;
}

async function sizesOf(
  study: PlinkStudy,
  options: Parameters<PlinkStudy["genotypes"]>[0],
): Promise<number[]> {
  const sizes: number[] = [];
  for await (const batch of study.genotypes(options)) sizes.push(batch.numRows);
  return sizes;
}

/** Every function with an options object, on one study. */
function calls(study: PlinkStudy): Record<string, (options: object) => unknown> {
  const data = () => ({ samples: study.fam, variants: study.bim, genotypes: study.blocks() });
  return {
    openPlink: async (o) => (await openPlink(set.prefix, o)).close(),
    genotypes: (o) => sizesOf(study, o),
    blocks: (o) => blocksOf(study, o),
    freq: (o) => freq(study, o),
    missing: (o) => missing(study, o),
    hardy: (o) => hardy(study, o),
    inspect: (o) => inspect(study, o),
    variantCounts: (o) => variantCounts(study, o),
    subset: (o) => subset(study, out("subset"), o),
    merge: (o) => merge([set.prefix], out("merged"), o),
    convert: (o) => convert(set.prefix, out("converted.arrow"), o),
    writePlink: (o) => writePlink(out("written"), data(), o),
  };
}

it("every function takes them, calls onProgress to the end, and knows no others", async () => {
  await using study = await openPlink(set.prefix);
  for (const [name, call] of Object.entries(calls(study))) {
    const steps: Step[] = [];
    const { signal } = new AbortController();
    await call({ signal, threads: 1, memoryLimit: 1e9, onProgress: (step: Step) => steps.push(step) });
    expect([name, steps.at(-1)?.done]).toEqual([name, name === "openPlink" ? 3 : 300]);
    expect([name, steps.at(-1)?.total]).toEqual([name, name === "openPlink" ? 3 : 300]);
    const trial = async (options: object): Promise<unknown> => call(options);
    await expect(trial({ memoryLimti: 1 }), name).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
      message: expect.stringContaining("memoryLimit"),
    });
    await expect(trial({ memoryLimit: 0 }), name).rejects.toMatchObject({ code: "OPTION_RANGE" });
    if (name !== "writePlink")
      await expect(trial({ memoryLimit: 10 }), name).rejects.toMatchObject({ code: "MEM_PREFLIGHT" });
    const stopped = AbortSignal.abort(new Error("enough"));
    await expect(trial({ signal: stopped }), name).rejects.toThrow("enough");
  }
  await expect(selectStudy(study, { etxract: [] } as object)).rejects.toMatchObject({
    code: "UNKNOWN_OPTION",
  });
  const table = await freq(study);
  await expect(writeFreq(out("x.frq"), table, { overwirte: false } as object)).rejects.toMatchObject({
    code: "UNKNOWN_OPTION",
  });
});

describe("memoryLimit bounds the blocks", () => {
  it("at a quarter each, whatever chunk says", async () => {
    await using study = await openPlink(set.prefix);
    const rows = async (options: object): Promise<number[]> =>
      (await blocksOf(study, options)).map((block) => block.rows);
    expect(await rows({ memoryLimit: 4 * 100 * ROW })).toEqual([100, 100, 100]);
    expect(await rows({ memoryLimit: 4 * 100 * ROW, chunk: 250 })).toEqual([100, 100, 100]);
    expect(await rows({ memoryLimit: 4 * 100 * ROW, chunk: 150, range: [0, 90] })).toEqual([90]);
    expect(await rows({ memoryLimit: Number.POSITIVE_INFINITY })).toEqual([300]);
    const float64 = { as: "float64", memoryLimit: 4 * 100 * 101 * 8 } as const;
    expect(await sizesOf(study, float64)).toEqual([100, 100, 100]);
  });

  it("also where a sample-major file is turned, with the same bytes", async () => {
    await using straight = await openPlink(set.prefix);
    await using study = await openPlink(turned.prefix);
    const [whole] = await blocksOf(straight, {});
    const parts = await blocksOf(study, { memoryLimit: 4 * 20 * ROW });
    expect(parts).toHaveLength(15);
    expect(Buffer.concat(parts.map((block) => block.packed))).toEqual(Buffer.from(whole!.packed));
  });

  it("on the command line", () => {
    const args = ["--bfile", set.prefix, "--out", out("limited")];
    for (const verb of ["freq", "missing", "hardy", "subset", "convert"])
      expect(
        plinkIo([verb, ...args.slice(0, 3), out("limited.arrow"), "--memory-limit", "100"]),
      ).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^MEM_PREFLIGHT /),
      });
    expect(plinkIo(["freq", ...args, "--memory-limit", "1M", "--threads", "1"]).status).toBe(0);
  });
});

describe("a part of a study reads like a study", () => {
  it("with the same checks, at once", async () => {
    await using study = await openPlink(set.prefix);
    const part = await selectStudy(study, { exclude: ["rs0"], remove: ["I0"] });
    for (const any of [study, part]) {
      expect(() => any.genotypes({ chnuk: 5 } as object)).toThrow(/genotypes has no option chnuk.*chunk/);
      expect(() => any.blocks({ chnuk: 5 } as object)).toThrow(/blocks has no option chnuk.*chunk/);
      expect(() => any.genotypes({ reuse: true } as object)).toThrow(/no option reuse/);
      expect(() => any.blocks({ as: "int8" } as object)).toThrow(/no option as/);
    }
  });

  it("with reuse, progress and memoryLimit", async () => {
    await using study = await openPlink(set.prefix);
    const part = await selectStudy(study, { exclude: ["rs0"] });
    for (const reuse of [true, false]) {
      const buffers = (await blocksOf(part, { chunk: 50, reuse })).map((block) => block.packed.buffer);
      expect(new Set(buffers).size).toBe(reuse ? 2 : 6);
    }
    const steps: number[] = [];
    const onProgress = ({ done }: Step): number => steps.push(done);
    await blocksOf(part, { memoryLimit: 4 * 100 * ROW, onProgress });
    expect(steps).toEqual([100, 200, 299]);
  });
});
