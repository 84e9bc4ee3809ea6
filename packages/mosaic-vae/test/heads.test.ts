// Each head alone, on an embedding that can move freely: its loss falls, and what it is there for happens.
import { adamW, compile, graph, param } from "@x/onnx-train";
import { expect, it } from "vitest";
import type { HeadsConfig } from "../src/config.ts";
import { headParams, headTerms } from "../src/heads.ts";
import type { NetworkPlan } from "../src/plan.ts";

const CELLS = 48;
const LATENT = 3;
const wiggle = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** Cells of two groups in turn; the second lies off along the first axis, and is wider along the second. */
const start = wiggle(CELLS * LATENT, 1).map((v, i) => {
  const second = Math.floor(i / LATENT) % 2 === 1;
  return v * (second && i % LATENT === 1 ? 3 : 1) + (second && i % LATENT === 0 ? 3 : 0);
});
const group = Float32Array.from({ length: CELLS * 2 }, (_, i) => (Math.floor(i / 2) % 2 === i % 2 ? 1 : 0));
const time = Float32Array.from({ length: CELLS * 2 }, (_, i) => (i % 2 === 0 ? i / CELLS - 1 : 1));
const partner = wiggle(CELLS * LATENT, 5);
const paired = Float32Array.from({ length: CELLS }, (_, i) => (i < CELLS / 2 ? 1 : 0));

async function descend(heads: HeadsConfig, steps = 150): Promise<{ losses: number[]; z: Float32Array }> {
  const plan = { latent: LATENT, groups: 2, heads } as unknown as NetworkPlan;
  const model = graph("head", {
    inputs: {
      group: ["cells", 2],
      time: ["cells", 2],
      partner: ["cells", LATENT],
      paired: ["cells", 1],
    },
    params: { z: param([CELLS, LATENT], { values: start }), ...headParams(plan) },
  }).model((x, p) => {
    const { z, heads: weights } = p as never as { z: never; heads: never };
    return Object.values(headTerms(plan, { z, x, p: weights }))[0]!;
  });
  await using trainer = await compile(model, {
    device: "cpu",
    threads: 1,
    dims: { cells: CELLS },
    optimizer: adamW({ lr: 0.03, weightDecay: 0 }),
    stepsPerCall: 50,
  });
  const losses: number[] = [];
  for await (const step of trainer.run(Array(steps).fill({ group, time, partner, paired })))
    losses.push(step.loss);
  return { losses, z: (await trainer.weights()).z!.data };
}

/** Mean (or mean square about it) of one axis in a group. */
function moment(z: Float32Array, of: number, axis: number, power: 1 | 2 = 1): number {
  const values = Array.from({ length: CELLS / 2 }, (_, i) => z[(2 * i + of) * LATENT + axis]!);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return power === 1 ? mean : values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
}
const gap = (z: Float32Array): number => Math.abs(moment(z, 0, 0) - moment(z, 1, 0));
const widths = (z: Float32Array): number => Math.sqrt(moment(z, 1, 1, 2) / moment(z, 0, 1, 2));

it("the cells begin apart", () => {
  expect(gap(start)).toBeGreaterThan(2.5);
  expect(widths(start)).toBeGreaterThan(2.5);
});

it.each(["mmd", "sinkhorn", "coral"] as const)(
  "%s brings groups together, and their shapes too",
  async (name) => {
    const { losses, z } = await descend({ [name]: {} });
    expect(losses.at(-1)!).toBeLessThan(0.2 * losses[0]!);
    expect(gap(z)).toBeLessThan(0.25 * gap(start));
    expect(widths(z)).toBeLessThan(0.6 * widths(start));
  },
);

it("gw makes the inner distances of groups alike, wherever the groups lie", async () => {
  const { losses, z } = await descend({ gw: {} });
  expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
  expect(widths(z)).toBeLessThan(0.8 * widths(start));
});

it("adversarial: what tells the groups apart goes away", async () => {
  const { z } = await descend({ adversarial: {} }, 400);
  expect(gap(z)).toBeLessThan(0.5 * gap(start));
});

it("laplacian draws neighbours together, relative to all distances", async () => {
  const { losses } = await descend({ laplacian: { k: 5 } });
  expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!);
});

it("temporal: the embedding tells the time", async () => {
  const { losses } = await descend({ temporal: {} });
  expect(losses.at(-1)!).toBeLessThan(0.05 * losses[0]!);
});

it("bridge draws cells to their partners, and leaves those without one where they are", async () => {
  const { losses, z } = await descend({ bridge: {} }, 250);
  expect(losses.at(-1)!).toBeLessThan(0.05 * losses[0]!);
  const rest = (CELLS / 2) * LATENT;
  expect(z.slice(rest)).toEqual(start.slice(rest));
});
