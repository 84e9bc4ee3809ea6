// Damaged files: whatever byte is wrong, an error of ours comes, or numbers; never a crash, never a hang.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isXError, Random } from "@x/core/base";
import { expect, it } from "vitest";
import { lzfDecompress } from "../src/hdf5/lzf.ts";
import { openHdf5 } from "../src/hdf5/open.ts";
import { csrToDense, readH5ad, summarize } from "../src/index.ts";
import type { GroupNode } from "../src/tree.ts";
import { folder, GOLDEN } from "./support.ts";

const at = folder();

async function readAll(group: GroupNode): Promise<void> {
  await group.attributes();
  for (const name of await group.children()) {
    const node = await group.get(name);
    if (node?.type === "group") await readAll(node);
    else if (node && node.element !== "record") await node.read();
  }
}

/** Reads a damaged copy; only errors of ours may come. */
async function survives(file: Buffer, run: (path: string) => Promise<unknown>): Promise<boolean> {
  try {
    await run(at.file("damaged.h5", file));
    return true;
  } catch (e) {
    if (!isXError(e)) throw e;
    return false;
  }
}

for (const name of ["styles-new.h5", "styles-old.h5", "cells.h5ad"])
  it(`${name}: one to four bytes changed, 80 times`, async () => {
    const good = readFileSync(join(GOLDEN, name));
    const random = new Random(1, 0);
    let refused = 0;
    for (let i = 0; i < 80; i++) {
      const bad = Buffer.from(good);
      // Metadata lies at the front of old files and behind all data in new ones: both are hit.
      for (let k = random.int(4); k >= 0; k--) bad[random.int(bad.length)] = random.int(256);
      const whole = await survives(bad, async (path) => {
        await using tree = await openHdf5(path);
        await readAll(tree.root);
      });
      if (!whole) refused++;
    }
    expect(refused).toBeGreaterThan(5);
  });

it("cells.h5ad: the readers, and files cut anywhere", async () => {
  const good = readFileSync(join(GOLDEN, "cells.h5ad"));
  const random = new Random(2, 0);
  const run = async (path: string): Promise<void> => {
    await using cells = await readH5ad(path);
    for (const m of cells.modalities.values()) {
      await summarize(m);
      csrToDense(await m.rows(0, cells.cells));
    }
  };
  for (let i = 0; i < 40; i++) {
    const bad = Buffer.from(good);
    for (let k = random.int(20); k >= 0; k--) bad[random.int(bad.length)] = random.int(256);
    await survives(bad, run);
    expect(await survives(good.subarray(0, random.int(good.length)), run)).toBe(false);
  }
});

it("LZF: any bytes give a chunk of the right size or nothing", () => {
  const random = new Random(3, 0);
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: random.int(60) }, () => random.int(256));
    const size = random.int(400);
    expect(lzfDecompress(bytes, size)?.length ?? size).toBe(size);
  }
  // "abc" nine times: three literals, then a copy that overlaps itself.
  const repeated = Uint8Array.of(2, 97, 98, 99, 7 << 5, 15, 2);
  expect(Buffer.from(lzfDecompress(repeated, 27)!).toString()).toBe("abc".repeat(9));
});
