import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isXError } from "@x/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, openPlink, type PlinkStudy } from "../src/index.ts";
import { badFiles, forbid } from "./bad-files.ts";
import { plinkIo } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

/** Rows that have a test of their own below, or in outputs.test.ts. */
const ELSEWHERE = ["bed-changed", "bed-noperm", "arrow-trunc", "arrow-offset", "arrow-int64-big"];
const TABLE = join(import.meta.dirname, "../../../../shared/data/bad-inputs.tsv");

/** Every genotype and name of a study, for comparisons. */
async function everything(study: PlinkStudy): Promise<unknown> {
  const genotypes = [];
  for await (const batch of study.genotypes({ as: "int8" }))
    genotypes.push(batch.getChild("g")!.data[0]!.children[0]!.values);
  return { genotypes, bim: study.bim, fam: study.fam, hash: study.sampleHash };
}

let reference: unknown;
beforeAll(async () => {
  using folder = temporaryFolder();
  await using study = await openPlink(makeFileset(folder.path).prefix);
  reference = await everything(study);
});

async function openError(
  prefix: string,
  options = {},
): Promise<{ code: string; message: string; cpuSeconds: number }> {
  const start = process.cpuUsage();
  try {
    await using _study = await openPlink(prefix, options);
  } catch (error) {
    if (!isXError(error)) throw error;
    const { user, system } = process.cpuUsage(start);
    return { code: error.code, message: error.message, cpuSeconds: (user + system) / 1e6 };
  }
  throw new Error("the fileset was accepted");
}

describe("bad .bed, .bim and .fam", () => {
  for (const [id, row] of Object.entries(badFiles))
    it(id, async () => {
      using folder = temporaryFolder();
      const set = makeFileset(folder.path);
      row.make(set);
      if (row.code === undefined) {
        await using study = await openPlink(set.prefix, row.options);
        if (row.same) expect(await everything(study)).toEqual(reference);
        const codes = study.warnings.map((warning) => warning.code);
        if (row.warning) expect(codes).toContain(row.warning);
        else expect(codes).toEqual([]);
        if (row.says)
          expect(study.warnings.find((warning) => warning.code === row.warning)?.message).toMatch(row.says);
        const ran = plinkIo(["freq", "--bfile", set.prefix, "--out", join(folder.path, "out")]);
        expect(ran.status).toBe(0);
        if (row.warning) expect(ran.stderr).toContain(`warning ${row.warning} `);
        return;
      }
      const error = await openError(set.prefix, row.options);
      expect(error.code).toBe(row.code);
      expect(error.message).toMatch(row.says!);
      // A second is promised; CPU time, because a busy machine says nothing about us. Figures: benchmarks/plink-io.
      expect(error.cpuSeconds).toBeLessThan(2);
      if (row.options?.expect) return;
      const ran = plinkIo(["freq", "--bfile", set.prefix, "--out", join(folder.path, "out")]);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(new RegExp(`^${row.code} `));
      expect(ran.stderr).not.toContain("    at ");
      expect(readdirSync(folder.path).filter((name) => /out|tmp|lock/.test(name))).toEqual([]);
    });

  it("bed-mode0 (a true sample-major file is transposed)", async () => {
    using folder = temporaryFolder();
    const set = makeFileset(folder.path, { sampleMajor: true });
    await using study = await openPlink(set.prefix);
    expect(study.layout).toBe("sample");
    expect(study.warnings.map((warning) => warning.code)).toEqual(["BED_SAMPLE_MAJOR"]);
    expect(await everything(study)).toEqual(reference);
  });

  it("bed-changed", async () => {
    using folder = temporaryFolder();
    const { prefix } = makeFileset(folder.path);
    await using study = await openPlink(prefix);
    truncateSync(`${prefix}.bed`, 5000);
    await expect(everything(study)).rejects.toMatchObject({ code: "INPUT_CHANGED" });
    const other = makeFileset(folder.path, { name: "other" });
    await using second = await openPlink(other.prefix);
    const blocks = second.blocks({ chunk: 10 })[Symbol.asyncIterator]();
    await blocks.next();
    utimesSync(`${other.prefix}.bed`, 1, 1);
    await expect(
      (async () => {
        for (let k = 0; k < 30; k++) await blocks.next();
      })(),
    ).rejects.toMatchObject({ code: "INPUT_CHANGED" });
  });

  it("bed-noperm", () => {
    using folder = temporaryFolder();
    const set = makeFileset(folder.path);
    forbid(set);
    const root = process.getuid?.() === 0;
    const ran = plinkIo(["inspect", "--bfile", set.prefix], root ? { uid: 65534 } : {});
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/^EACCES .*study\.bed: permission denied/);
  });

  it("gzip'd .bim and .fam are read", async () => {
    using folder = temporaryFolder();
    const { prefix } = makeFileset(folder.path);
    const { gzipSync } = await import("node:zlib");
    for (const part of ["bim", "fam"]) {
      writeFileSync(`${prefix}.${part}.gz`, gzipSync(readFileSync(`${prefix}.${part}`)));
      (await import("node:fs")).rmSync(`${prefix}.${part}`);
    }
    await using study = await openPlink(prefix);
    expect(await everything(study)).toEqual(reference);
  });

  it("a .bim of five columns on every line is read", async () => {
    using folder = temporaryFolder();
    const { prefix } = makeFileset(folder.path);
    const lines = readFileSync(`${prefix}.bim`, "utf8").replaceAll(/^(\S+\t\S+)\t\S+/gm, "$1");
    writeFileSync(`${prefix}.bim`, lines);
    await using study = await openPlink(prefix);
    expect(study.bim.pos[7]).toBe(1070);
    expect(study.bim.a2[299]).toBe("G");
  });

  it("both readers of a .bim give the same columns", async () => {
    using folder = temporaryFolder();
    const set = makeFileset(folder.path, { p: 4 });
    const lines = [
      "chr1 rs1\t0 +12 A ACGT",
      "  1\ta:1:2 \t-0.000123  -7 0 <DEL>  ",
      "X . 1e-3 0012 . .",
      "chr1 rs4 123.4567890123456 2147483647 ACGT A",
    ];
    writeFileSync(`${set.prefix}.bim`, lines.join("\n"));
    await using scanned = await openPlink(set.prefix);
    // A carriage return sends the file to the strict reader.
    writeFileSync(`${set.prefix}.bim`, lines.join("\r\n"));
    await using strict = await openPlink(set.prefix);
    expect(scanned.bim).toEqual(strict.bim);
    expect(scanned.bim).toEqual({
      chrom: ["chr1", "1", "X", "chr1"],
      id: ["rs1", "a:1:2", ".", "rs4"],
      cm: Float64Array.of(0, -0.000123, 0.001, 123.4567890123456),
      pos: Int32Array.of(12, -7, 12, 2147483647),
      a1: ["A", "0", ".", "ACGT"],
      a2: ["ACGT", "<DEL>", ".", "A"],
    });
    expect(scanned.warnings).toEqual(strict.warnings);
  });

  it("another study's sample hash is refused", async () => {
    using folder = temporaryFolder();
    const { prefix } = makeFileset(folder.path);
    expect(await openError(prefix, { expect: { sampleHash: "0".repeat(64) } })).toMatchObject({
      code: "SAMPLE_HASH",
    });
  });
});

describe("bad Arrow files, through convert", () => {
  const folder = temporaryFolder();
  const arrow = join(folder.path, "study.arrow");
  beforeAll(async () => {
    await convert(makeFileset(folder.path).prefix, arrow);
  });
  afterAll(() => folder[Symbol.dispose]());

  async function refused(bytes: Uint8Array, code: string): Promise<void> {
    const path = join(folder.path, "bad.arrow");
    writeFileSync(path, bytes);
    writeFileSync(
      join(folder.path, "bad.samples.arrow"),
      readFileSync(join(folder.path, "study.samples.arrow")),
    );
    const ran = plinkIo(["convert", path, join(folder.path, "back")]);
    expect(ran.stderr).toMatch(new RegExp(`^${code} .*bad\\.arrow`));
    expect(ran.status).toBe(1);
    expect(existsSync(join(folder.path, "back.bed"))).toBe(false);
  }

  it("arrow-trunc", async () => {
    const bytes = readFileSync(arrow);
    await refused(bytes.subarray(0, bytes.length - 40), "ARROW_FOOTER");
  });

  it("arrow-offset", async () => {
    // The offsets of the id column (0, 3, 6, …: "rs0" has three bytes) are found by their pattern and broken.
    const bytes = readFileSync(arrow);
    const at = bytes.indexOf(Buffer.from(Int32Array.of(0, 3, 6, 9, 12).buffer));
    expect(at).toBeGreaterThan(0);
    bytes.writeInt32LE(1 << 30, at + 8);
    await refused(bytes, "ARROW_OFFSETS");
  });

  it("arrow-int64-big", async () => {
    const { tableFromColumns, writeIpcFile } = await import("@x/core");
    const path = join(folder.path, "bad.arrow");
    await writeIpcFile(path, tableFromColumns({ pos: BigInt64Array.of(2n ** 60n + 1n) }));
    await refused(readFileSync(path), "NOT_GENOTYPES");
  });

  it("goes there and back without a changed byte", async () => {
    await convert(arrow, join(folder.path, "again"));
    for (const part of ["bed", "bim", "fam"])
      expect(readFileSync(join(folder.path, `again.${part}`), "latin1")).toBe(
        readFileSync(join(folder.path, `study.${part}`), "latin1"),
      );
  });
});

it.skipIf(!existsSync(TABLE))("every bed, fam, bim and arrow row of bad-inputs.tsv has a test", () => {
  const rows = readFileSync(TABLE, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
  const ours = rows
    .filter(([, format]) => ["bed", "fam", "bim", "arrow"].includes(format!))
    .map(([id]) => id!);
  expect(ours.length).toBeGreaterThan(40);
  expect(ours.filter((id) => !(id in badFiles) && !ELSEWHERE.includes(id))).toEqual([]);
});
