import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockOutput } from "@x/core";
import { afterAll, describe, expect, it } from "vitest";
import { convert } from "../src/index.ts";
import { plinkIo } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);

const named = (name: string): string[] => readdirSync(folder.path).filter((file) => file.includes(name));

describe("convert writes both Arrow files or none", () => {
  it("when the genotypes are stopped half-way", async () => {
    const controller = new AbortController();
    const converting = convert(set.prefix, join(folder.path, "halted.arrow"), {
      chunk: 10,
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done > 100) controller.abort(new Error("enough"));
      },
    });
    await expect(converting).rejects.toThrow("enough");
    expect(named("halted")).toEqual([]);
  });

  it("when either name is taken", async () => {
    for (const taken of ["kept.arrow", "held.samples.arrow"]) {
      writeFileSync(join(folder.path, taken), "old");
      const to = join(folder.path, taken.replace(".samples", ""));
      await expect(convert(set.prefix, to, { overwrite: false })).rejects.toMatchObject({
        code: "OUT_EXISTS",
      });
      expect(named(taken.slice(0, 4))).toEqual([taken]);
    }
  });

  it("when the second cannot get its name", async () => {
    const to = join(folder.path, "rolled.arrow");
    const converting = convert(set.prefix, to, {
      overwrite: false,
      // Another program takes the second name while we write.
      onProgress: () => writeFileSync(join(folder.path, "rolled.samples.arrow"), "theirs"),
    });
    await expect(converting).rejects.toMatchObject({ code: "OUT_EXISTS" });
    expect(named("rolled")).toEqual(["rolled.samples.arrow"]);
  });

  it("when another writer is at it", async () => {
    const to = join(folder.path, "busy.arrow");
    await using _lock = lockOutput(to);
    await expect(convert(set.prefix, to)).rejects.toMatchObject({ code: "LOCKED" });
    expect(existsSync(to)).toBe(false);
  });
});

it("convert names the files it wrote", async () => {
  const to = join(folder.path, "named.arrow");
  const paths = { genotypes: to, samples: join(folder.path, "named.samples.arrow") };
  expect(await convert(set.prefix, to)).toEqual({ paths, samples: 101, variants: 300 });
  const back = join(folder.path, "back");
  const trio = { bed: `${back}.bed`, bim: `${back}.bim`, fam: `${back}.fam` };
  expect(await convert(to, back)).toEqual({ paths: trio, samples: 101, variants: 300 });
  const ran = plinkIo(["convert", "--bfile", set.prefix, "--out", to, "--json"]);
  expect(JSON.parse(ran.stdout)).toEqual({ paths, samples: 101, variants: 300 });
  expect(plinkIo(["convert", set.prefix, to]).stdout).toMatch(/^wrote .*named\.arrow: 300 variants/);
});
