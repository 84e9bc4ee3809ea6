import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import { rareFloors } from "../accuracy/rare-floors.mjs";
// @ts-expect-error plain JavaScript: run by Node as it is
import { rareSet, studyRare } from "../accuracy/rare-study.mjs";

const folder = join(import.meta.dirname, "../../../shared/data/phaser/sim");

/** Two of the sets of benchmarks/accuracy/phaser-rare.mjs. */
it.runIf(existsSync(folder)).each(["raremulti", "bial"])(
  "rare variants of %s: phase by MAC, singletons, probabilities",
  { timeout: 240_000 },
  async (name) => {
    const scratch = mkdtempSync(join(tmpdir(), "x-rare-"));
    try {
      const study = await studyRare(await rareSet({ folder, name, scratch }), { threads: 2 });
      expect(rareFloors(study)).toEqual([]);
      expect(study.byMac.every((bin: { hets: number }) => bin.hets > 100)).toBe(true);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
);

if (!existsSync(folder)) it.skip("the simulated sets are not here: accuracy was not checked", () => {});
