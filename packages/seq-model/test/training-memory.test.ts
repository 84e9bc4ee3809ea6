// The formula behind --max-memory-gb beside what processes took (18.6).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("support/peak.mjs", import.meta.url));

interface Size {
  readonly samples: number;
  readonly slots: number;
  readonly features: number;
  readonly letters: number;
  readonly model: object;
  readonly training: object;
}

const AAM = { dim: 128, patch: 1, ffnRatio: 4, clades: 0, asvReadout: "attention" };
const SIZES: readonly (readonly [string, Size])[] = [
  ["the default form", { samples: 8, slots: 100, features: 400, letters: 150, model: {}, training: {} }],
  [
    "all ASVs at once",
    { samples: 8, slots: 100, features: 400, letters: 150, model: {}, training: { chunk: 0 } },
  ],
  [
    "letter by letter, d 128",
    {
      ...{ samples: 2, slots: 40, features: 80, letters: 150 },
      model: { ...AAM, layers: { asv: 2, sample: 0 } },
      training: { chunk: 8 },
    },
  ],
  [
    "two layers over the ASVs of large samples",
    {
      ...{ samples: 8, slots: 300, features: 600, letters: 60 },
      model: { clades: 0, layers: { asv: 1, sample: 2 } },
      training: {},
    },
  ],
];

describe("planned memory", () => {
  it.each(SIZES)("%s", (_, size) => {
    const ran = spawnSync(process.execPath, [script, JSON.stringify(size)], { encoding: "utf8" });
    expect(ran.status, ran.stderr).toBe(0);
    const { peak, planned } = JSON.parse(ran.stdout) as { peak: number; planned: number };
    expect(planned / peak).toBeGreaterThan(0.8);
    expect(planned / peak).toBeLessThan(1.5);
  });
});
