// Shape constraints: against a constrained minimum found another way (test/golden/make_cox_shape.R), and by what they promise.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isXError } from "@x/core/base";
import fc from "fast-check";
import { expect, it } from "vitest";
import { coxPh, fit, parseFamily, readData, readModel } from "../src/index.ts";
import { tempFolder } from "./support/files.ts";

interface Reference {
  rows: number[];
  shape: { shape: string; family: string; rho: number; link: number[] }[];
}

const here = join(import.meta.dirname, "golden");
const reference = JSON.parse(readFileSync(join(here, "cox-shape.json"), "utf8")) as Reference;
const data = await readData(join(here, "more.csv"));

it.each(reference.shape)("$shape, $family, at a fixed smoothing parameter", async (s) => {
  const y = s.family === "gaussian" ? "normal" : "count";
  const model = await fit(`${y} ~ s(x, bs="ps", k=12, shape="${s.shape}")`, data, {
    family: parseFamily(s.family),
    rho: [s.rho],
    fixedRho: true,
  });
  const { fit: link } = await model.predict();
  reference.rows.forEach((row, i) => {
    expect(Math.abs(link[0]![row]! - s.link[i]!)).toBeLessThan(1e-7);
  });
});

const grid = Array.from({ length: 401 }, (_, i) => -0.2 + (i * 1.4) / 400);

it.each([
  "increasing",
  "decreasing",
  "convex",
  "concave",
  "increasing-convex",
  "increasing-concave",
  "decreasing-convex",
  "decreasing-concave",
])("%s: any fit obeys, extrapolation included", async (shape) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom("gaussian", "poisson", "binomial"),
      async (seed, family) => {
        const x = Array.from({ length: 80 }, (_, i) => ((i * 37 + seed) % 80) / 79);
        const wave = x.map((v, i) => 1.5 * Math.sin(((seed % 7) + 2) * v) + 0.6 * Math.sin(seed * (i + 1)));
        const y =
          family === "gaussian"
            ? wave
            : wave.map((v, i) =>
                family === "poisson"
                  ? Math.floor(Math.exp(v))
                  : +(v + 1.5 * Math.sin(97.3 * (i + 1) * seed) > 0),
              );
        const fitted = fit(
          `y ~ s(x, bs="ps", k=9, shape="${shape}")`,
          { x, y },
          { family: parseFamily(family) },
        );
        // Zeros at one end and ones beside them: no finite fit, and no fit to look at.
        const model = await fitted.catch((e) => {
          if (family !== "binomial" || !isXError(e, "GAM_SEPARATED")) throw e;
        });
        fc.pre(model !== undefined);
        const f = (await model.predict({ x: grid })).fit[0]!;
        const size = 1 + Math.max(...f.map(Math.abs));
        const slope = Array.from(f.subarray(1), (v, i) => v - f[i]!);
        const bend = slope.slice(1).map((v, i) => v - slope[i]!);
        if (shape.startsWith("increasing")) expect(Math.min(...slope)).toBeGreaterThan(-1e-9 * size);
        if (shape.startsWith("decreasing")) expect(Math.max(...slope)).toBeLessThan(1e-9 * size);
        if (shape.endsWith("convex")) expect(Math.min(...bend)).toBeGreaterThan(-1e-9 * size);
        if (shape.endsWith("concave")) expect(Math.max(...bend)).toBeLessThan(1e-9 * size);
      },
    ),
    { numRuns: 12 },
  );
});

it("a shape that the data already have changes nothing; state and file keep it", async () => {
  const x = Array.from({ length: 120 }, (_, i) => i / 119);
  const y = x.map((v, i) => 3 * v + v * v + 0.01 * Math.sin(17 * i));
  const free = await fit('y ~ s(x, bs="ps", k=8)', { x, y });
  const bound = await fit('y ~ s(x, bs="ps", k=8, shape="increasing")', { x, y });
  expect(bound.criterion).toBeCloseTo(free.criterion, 8);
  expect(bound.edf).toBeCloseTo(free.edf, 8);
  const path = join(tempFolder(), "bound.json");
  await bound.save(path);
  const again = readModel(path);
  expect((await again.predict({ x: [0.4] })).fit[0]![0]).toBe((await bound.predict({ x: [0.4] })).fit[0]![0]);
});

it("what a shape cannot do is refused", async () => {
  await expect(
    fit('Surv(time, event) ~ s(x, bs="ps", shape="increasing")', data, { family: coxPh() }),
  ).rejects.toMatchObject({ code: "GAM_OPTIONS" });
});
