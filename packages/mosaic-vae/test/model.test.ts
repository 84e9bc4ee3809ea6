// What must hold of the model whatever it was trained on: masks, order of modalities, empty cells, both ways to the loss.
import { expect, it } from "vitest";
import { batches } from "../src/batches.ts";
import { feedOf, stepRandom } from "../src/feed.ts";
import {
  csrToDense,
  type MosaicConfig,
  type MosaicDataset,
  MosaicVAE,
  mock,
  mosaicDataset,
} from "../src/index.ts";
import { compileNetwork } from "../src/mosaic-vae.ts";
import { failure } from "./support.ts";

const small = { cells: 80, features: { rna: 30, atac: 40, adt: 6 }, seed: 3 };
const QUIET: MosaicConfig = {
  model: { latent: 5, hidden: [16], dropout: 0 },
  loss: { modalityDropout: 0 },
  train: { epochs: 2, batchSize: 16, device: "cpu" },
};
const create = (data: MosaicDataset, config: MosaicConfig = QUIET): Promise<MosaicVAE> =>
  MosaicVAE.create(data, config, { threads: 1 });
const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The same cells with the modalities in another order, or with other numbers where nothing was measured. */
async function remade(
  data: MosaicDataset,
  { order = [...data.modalities.keys()], fill }: { order?: string[]; fill?: number },
): Promise<MosaicDataset> {
  const modalities = await Promise.all(
    order.map(async (name) => {
      const m = data.modalities.get(name)!;
      const values = csrToDense(await m.rows(0, data.cells));
      if (fill !== undefined)
        m.available.forEach((on, i) => {
          if (!on) values.fill(fill, i * m.features.length, (i + 1) * m.features.length);
        });
      return [name, { kind: m.kind, features: m.features, values, available: m.available }] as const;
    }),
  );
  const { cellIds, obs, batchKey } = data;
  return mosaicDataset({ cellIds, obs, batchKey, modalities: Object.fromEntries(modalities) });
}

it("masked values never change the loss", async () => {
  const { dataset } = mock("mosaic", small);
  const spoilt = await remade(dataset, { fill: Number.NaN });
  const losses = [];
  for (const data of [dataset, spoilt]) {
    await using model = await create(data);
    const { history } = await model.train(data);
    losses.push(history.map(({ loss, validation }) => [loss, validation]));
  }
  expect(losses[1]).toEqual(losses[0]);
});

it("the order of the modalities does not matter", async () => {
  const { dataset } = mock("mosaic", small);
  const turned = await remade(dataset, { order: ["adt", "atac", "rna"] });
  const found: Float32Array[] = [];
  for (const data of [dataset, turned]) {
    await using model = await create(data);
    found.push((await model.elbo(data, { seed: 1 })).elbo);
  }
  found[0]!.forEach((v, i) => {
    expect(found[1]![i]!).toBeCloseTo(v, 2);
  });
});

it("the tallied likelihood of training is that of each cell", async () => {
  const { dataset } = mock("mosaic", { ...small, libraryScale: 3 });
  for (const likelihood of ["nb", "zinb"]) {
    const config = { ...QUIET, model: { ...QUIET.model, modalities: { rna: { likelihood } } } };
    await using model = await create(dataset, config);
    const { plan } = model.state;
    const source = await batches(dataset, { batchSize: 32 });
    const { value: batch } = await source.epoch(0).next();
    const tails = { rna: 32 * 30, atac: 0, adt: 32 * 6 };
    const { noise } = stepRandom(1, 0, 32, plan.latent);
    const feed = feedOf(batch!, { plan, tails, noise });
    const trainer = await compileNetwork(model.state, { batchSize: 32, tails, options: { stepsPerCall: 1 } });
    const alone = await trainer.compute(feed, ["kl", "logLik.rna", "logLik.atac", "logLik.adt"]);
    for await (const step of trainer.run([feed])) {
      expect(step.applied).toBe(true);
      expect(step.parts.kl).toBeCloseTo(mean(alone.kl!.data as Float32Array), 4);
      for (const name of ["rna", "atac", "adt"]) {
        const expected = -mean(alone[`logLik.${name}`]!.data as Float32Array);
        expect(Math.abs(step.parts[`nll.${name}`]! - expected)).toBeLessThan(1e-4 * expected);
      }
    }
    await trainer[Symbol.asyncDispose]();
  }
});

it("a cell without any modality lies at the prior, but only where that is allowed", async () => {
  const { dataset } = mock("mosaic", small);
  await using model = await create(dataset);
  const empty = mosaicDataset({
    cellIds: ["none"],
    allowEmpty: true,
    modalities: Object.fromEntries(
      [...dataset.modalities].map(([name, m]) => [
        name,
        { kind: m.kind, features: m.features, values: new Float32Array(m.features.length), available: [0] },
      ]),
    ),
  });
  for (const fusion of ["poe", "moe", "average"] as const) {
    await using other = await create(dataset, { ...QUIET, model: { ...QUIET.model, fusion } });
    const found = await other.embed(empty, { allowEmpty: true });
    expect([...found.mean]).toEqual(Array(5).fill(0));
    for (const v of found.variance) expect(v).toBeCloseTo(1, 6);
  }
  expect(await failure(model.embed(empty))).toMatchObject({ code: "NO_MODALITY" });
  expect(await failure(model.train(empty))).toMatchObject({ code: "NO_MODALITY" });
});

it.each(["poe", "moe", "average"] as const)(
  "trains with %s, with batches of one, with a modality away",
  async (fusion) => {
    const { dataset } = mock("hierarchical", { ...small, cells: 40 });
    const config = {
      ...QUIET,
      model: { ...QUIET.model, fusion },
      loss: { modalityDropout: 0.3 },
      train: { ...QUIET.train, batchSize: 1 },
    };
    await using model = await create(dataset, config);
    const { history, skipped } = await model.train(dataset);
    expect(skipped).toBe(0);
    expect(Number.isFinite(history.at(-1)!.validation)).toBe(true);
  },
);

it("every head is finite and takes part", async () => {
  const { dataset } = mock("hierarchical", { ...small, cells: 60 });
  const heads = {
    mmd: {},
    coral: {},
    sinkhorn: {},
    gw: { weight: 0.1 },
    adversarial: {},
    laplacian: { k: 5 },
    bridge: { provider: "mnn" as const, k: 10 },
  };
  await using model = await create(dataset, { ...QUIET, loss: { heads, groups: "batch" } });
  const { history, skipped } = await model.train(dataset);
  expect(skipped).toBe(0);
  for (const name of Object.keys(heads)) expect(Number.isFinite(history[1]!.parts[name]), name).toBe(true);
  expect(history[1]!.parts.mmd).toBeGreaterThan(0);
});

it.each(["linear", "dictionary", "seeded"] as const)("bridges by %s", async (provider) => {
  const { dataset } = mock("bridge", { ...small, bridgeShare: 0.2 });
  const pairs = [[dataset.cellIds[0]!, dataset.cellIds[70]!]] as const;
  const bridge = provider === "seeded" ? { provider, pairs } : { provider };
  await using model = await create(dataset, { ...QUIET, loss: { heads: { bridge } } });
  const { history } = await model.train(dataset);
  expect(history[0]!.parts.bridge).toBeGreaterThan(0);
});

it("each likelihood trains, and its draws follow its mean", async () => {
  const { dataset } = mock("paired", small);
  for (const [rna, adt] of [
    ["zinb", "gaussian"],
    ["poisson", "nb-mixture"],
    ["nb", "nb"],
  ] as const) {
    const modalities = { rna: { likelihood: rna }, adt: { likelihood: adt } };
    await using model = await create(dataset, { ...QUIET, model: { ...QUIET.model, modalities } });
    await model.train(dataset);
    for (const name of ["rna", "adt"]) {
      const expected = mean((await model.impute(dataset, name, { samples: 20 })).mean);
      const found = await model.impute(dataset, name, { interval: 0.9, samples: 20 });
      expect(Math.abs(mean(found.mean) / expected - 1), `${name} ${rna} ${adt}`).toBeLessThan(0.1);
      expect(found.lower!.every((low, i) => low <= found.upper![i]!)).toBe(true);
    }
  }
});

it("dispersion by batch and by cell", async () => {
  const { dataset } = mock("paired", small);
  for (const dispersion of ["gene-batch", "gene-cell"] as const) {
    await using model = await create(dataset, { ...QUIET, model: { ...QUIET.model, dispersion } });
    const { history } = await model.train(dataset);
    expect(Number.isFinite(history[1]!.validation)).toBe(true);
  }
});

it("a likelihood that blows up is named with its modality", async () => {
  const values = Float32Array.from({ length: 40 * 3 }, (_, i) => (i % 7) * 1e30);
  const data = mosaicDataset({
    cellIds: Array.from({ length: 40 }, (_, i) => `c${i}`),
    modalities: { odd: { kind: "adt", features: ["a", "b", "c"], values } },
  });
  const config = { ...QUIET, train: { ...QUIET.train, epochs: 20, batchSize: 8 } };
  await using model = await create(data, {
    ...config,
    model: { ...QUIET.model, modalities: { odd: { likelihood: "gaussian" } } },
  });
  const error = await failure(model.train(data));
  expect(error).toMatchObject({ code: "NOT_FINITE" });
  expect(error.message).toContain("odd");
});

it("cells of a new batch are mapped, and differences between groups are found", async () => {
  const { dataset, truth } = mock("paired", { ...small, cells: 200 });
  const config = { ...QUIET, train: { ...QUIET.train, epochs: 15 } };
  await using model = await create(dataset, config);
  await model.train(dataset);
  const m = dataset.modalities.get("rna")!;
  const query = mosaicDataset({
    cellIds: ["q1", "q2"],
    modalities: {
      rna: { features: [...m.features].reverse().slice(0, 28), values: new Float32Array(56).fill(2) },
    },
  });
  const mapped = await model.mapQuery(query);
  expect(mapped.newBatches).toEqual(["all"]);
  expect(mapped.overlaps[0]).toMatchObject({ modality: "rna", found: 28, wanted: 30 });
  const few = mosaicDataset({
    cellIds: ["q"],
    modalities: { rna: { features: ["gene00", "x"], values: new Float32Array(2) } },
  });
  expect(await failure(model.mapQuery(few))).toMatchObject({ code: "REGISTRY_OVERLAP" });
  const rows = (type: string): number[] => truth.labels.flatMap((l, i) => (l === type ? [i] : []));
  const table = await model.differentialExpression(dataset, rows("type0"), rows("type1"), {
    samples: 3,
    pairs: 200,
  });
  expect(table.numRows).toBe(30);
  const p = table.getChild("p_change")!;
  expect(p.get(0)).toBeGreaterThanOrEqual(p.get(29));
});
