// What a trained model says: of data in another order, with intervals, of mixtures, of options that are none.
import { Random } from "@x/core/base";
import { expect, it } from "vitest";
import { quantile } from "../src/impute.ts";
import {
  csrToDense,
  type Imputed,
  lsi,
  type Modality,
  type MosaicConfig,
  type MosaicDataset,
  MosaicVAE,
  mock,
  mosaicDataset,
  selectFeatures,
} from "../src/index.ts";
import { failure } from "./support.ts";

const small = { cells: 120, features: { rna: 30, atac: 40, adt: 6 }, seed: 3 };
const CONFIG: MosaicConfig = {
  model: { latent: 5, hidden: [16], dropout: 0 },
  train: { epochs: 6, batchSize: 16, device: "cpu" },
};

async function trained(data: MosaicDataset, config: MosaicConfig = CONFIG): Promise<MosaicVAE> {
  const model = await MosaicVAE.create(data, config, { threads: 1 });
  await model.train(data);
  return model;
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

/** The same cells with the features of RNA in another order, or some of them. */
function reordered(data: MosaicDataset, some: (names: readonly string[]) => number[]): MosaicDataset {
  return selectFeatures(data, { rna: some(data.modalities.get("rna")!.features) });
}

it("an evaluation does not depend on the order of the features, and leaves out those that were not measured", async () => {
  const { dataset } = mock("bridge", { ...small, cells: 200, bridgeShare: 0.4 });
  await using model = await trained(dataset);
  const { imputation, labels, baselines, verdict } = await model.evaluate(dataset, { labels: "cluster" });
  const turned = reordered(dataset, (names) => names.map((_, j) => names.length - 1 - j));
  const other = await model.evaluate(turned, { labels: "cluster" });
  expect(other.imputation.rna!.rmse).toBeCloseTo(imputation.rna!.rmse, 6);
  expect(other.imputation.rna!.perFeature).toBeCloseTo(imputation.rna!.perFeature, 6);
  expect([other.labels, other.baselines.atac]).toEqual([labels, baselines.atac]);
  const warnings: string[] = [];
  const fewer = await model.evaluate(
    reordered(dataset, (names) => names.flatMap((_, j) => (j % 10 === 3 ? [] : [j]))),
    { labels: "cluster", warn: (w) => warnings.push(w.code) },
  );
  expect(warnings).toContain("REGISTRY_FILLED");
  expect([imputation.rna!.features, fewer.imputation.rna!.features]).toEqual([30, 27]);
  // The mean of a feature is that of the training cells, and the verdict names all that was compared.
  expect(model.state.means.rna).toHaveLength(30);
  expect(verdict).toMatch(/labels from rna: model .* %, SVD .* %.*labels from atac.*rna imputed: RMSE/);
});

it("a verdict compares each modality on the cells that have it", async () => {
  const { dataset } = mock("bridge", small);
  await using model = await trained(dataset);
  const report = await model.evaluate(dataset, { labels: "cluster" });
  for (const name of ["rna", "atac"]) expect(report.verdict).toContain(`labels from ${name}: model`);
  const lost = ["rna", "atac"].filter((n) => report.labels[n]!.accuracy < report.baselines[n]!.accuracy);
  for (const name of lost) expect(report.verdict).toMatch(new RegExp(`wins at .*labels from ${name}`));
});

it("an interval changes nothing about the imputed values, and holds as often as it says", async () => {
  const { dataset } = mock("paired", { ...small, cells: 200 });
  const modalities = { adt: { likelihood: "gaussian" } };
  await using model = await trained(dataset, { ...CONFIG, model: { ...CONFIG.model, modalities } });
  for (const name of ["rna", "adt"]) {
    const plain = await model.impute(dataset, name);
    const bounded = await model.impute(dataset, name, { interval: 0.9 });
    expect(largest(plain.mean, bounded.mean), name).toBe(0);
    const drawn = await model.impute(dataset, name, { samples: 19 });
    expect(
      largest(drawn.mean, (await model.impute(dataset, name, { samples: 19, interval: 0.9 })).mean),
    ).toBe(0);
  }
  // Draws of another seed fall between the bounds with the probability asked for.
  for (const interval of [0.5, 0.9]) {
    const { lower, upper } = await model.impute(dataset, "adt", { interval });
    const [total, held] = [{ n: 0 }, { n: 0 }];
    let at = 0;
    for await (const part of model.decode(dataset, "adt", { samples: 20, counts: true, seed: 99 })) {
      for (const sample of part.samples)
        sample.forEach((v, i) => {
          total.n++;
          if (v >= lower![at + i]! && v <= upper![at + i]!) held.n++;
        });
      at += part.mean.length;
    }
    expect(Math.abs(held.n / total.n - interval)).toBeLessThan(0.01);
  }
  expect(await failure(model.impute(dataset, "rna", { interval: 0.9, samples: 18 }))).toMatchObject({
    code: "OPTION_RANGE",
  });
});

it.each([
  [0.5, 51],
  [0.9, 59],
  [0.99, 199],
])("bounds of %s from %i draws hold exactly", (interval, n) => {
  const random = new Random(1, 5n);
  let held = 0;
  const rounds = 20_000;
  for (let i = 0; i < rounds; i++) {
    const values = Float32Array.from({ length: n }, () => random.normal()).sort();
    const next = random.normal();
    if (next >= quantile(values, (1 - interval) / 2) && next <= quantile(values, (1 + interval) / 2)) held++;
  }
  const sd = Math.sqrt((interval * (1 - interval)) / rounds);
  expect(Math.abs(held / rounds - interval)).toBeLessThan(4 * sd);
});

/** The same cells with the modalities the other way round. */
async function turned(data: MosaicDataset): Promise<MosaicDataset> {
  const modalities = await Promise.all(
    [...data.modalities.values()].reverse().map(async (m) => {
      const values = csrToDense(await m.rows(0, data.cells));
      return [m.name, { kind: m.kind, features: m.features, values, available: m.available }] as const;
    }),
  );
  const { cellIds, obs, batchKey } = data;
  return mosaicDataset({ cellIds, obs, batchKey, modalities: Object.fromEntries(modalities) });
}

it.each(["poe", "moe", "average"] as const)(
  "with %s every modality has its say in what is decoded, in any order",
  async (fusion) => {
    const { dataset } = mock("paired", small);
    const model = { ...CONFIG.model, fusion };
    const found: { rna: Imputed; drawn: Imputed; elbo: number; kl: number }[] = [];
    for (const data of [dataset, await turned(dataset)]) {
      await using m = await MosaicVAE.create(data, { ...CONFIG, model }, { threads: 1 });
      const { elbo, kl } = await m.elbo(data, { seed: 1 });
      found.push({
        rna: await m.impute(data, "rna"),
        drawn: await m.impute(data, "rna", { samples: 3 }),
        elbo: mean(elbo),
        kl: mean(kl),
      });
    }
    const [a, b] = found;
    const size = mean(a!.rna.mean);
    expect(largest(a!.rna.mean, b!.rna.mean)).toBeLessThan(1e-3 * size);
    expect(largest(a!.drawn.mean, b!.drawn.mean)).toBeLessThan(1e-3 * size);
    expect(b!.elbo).toBeCloseTo(a!.elbo, 2);
    expect(b!.kl).toBeCloseTo(a!.kl, 3);
    await using m = await MosaicVAE.create(dataset, { ...CONFIG, model }, { threads: 1 });
    const all = await m.impute(dataset, "rna");
    for (const name of dataset.modalities.keys())
      expect(
        largest(all.mean, (await m.impute(dataset, "rna", { modalities: [name] })).mean),
      ).toBeGreaterThan(1e-4 * size);
  },
);

it("a mixture decodes the mean over its experts, and explains cells by all of them", async () => {
  const { dataset } = mock("paired", small);
  await using m = await MosaicVAE.create(
    dataset,
    { ...CONFIG, model: { ...CONFIG.model, fusion: "moe" } },
    { threads: 1 },
  );
  const names = [...dataset.modalities.keys()];
  const all = await m.impute(dataset, "rna");
  const parts = await Promise.all(names.map((n) => m.impute(dataset, "rna", { modalities: [n] })));
  all.mean.forEach((v, i) => {
    const wanted = parts.reduce((sum, p) => sum + p.mean[i]! / names.length, 0);
    expect(Math.abs(v - wanted)).toBeLessThan(1e-4 * (1 + wanted));
  });
});

it("options that are none are refused by name", async () => {
  const { dataset } = mock("paired", { ...small, cells: 30 });
  await using m = await MosaicVAE.create(dataset, CONFIG, { threads: 1 });
  const code = async (run: Promise<unknown>): Promise<string> => (await failure(run)).code;
  const wrong = (options: object): never => options as never;
  expect(await code(m.impute(dataset, "rna", { library: -5 }))).toBe("OPTION_RANGE");
  expect(await code(m.impute(dataset, "rna", { library: Number.NaN }))).toBe("OPTION_RANGE");
  expect(await code(m.impute(dataset, "rna", { samples: -3 }))).toBe("OPTION_RANGE");
  expect(await code(m.impute(dataset, "rna", { samples: 1.5 }))).toBe("OPTION_RANGE");
  expect(await code(m.impute(dataset, "rna", wrong({ librarry: 5 })))).toBe("UNKNOWN_OPTION");
  expect(await code(m.embed(dataset, wrong({ modalites: ["rna"] })))).toBe("UNKNOWN_OPTION");
  expect(await code(m.embed(dataset, wrong({ modalities: "rna" })))).toBe("CONFIG");
  expect(await code(m.impute(dataset, "rna", wrong({ modalities: "rna" })))).toBe("CONFIG");
  expect(await code(m.elbo(dataset, { samples: 0 }))).toBe("OPTION_RANGE");
  expect(await code(m.elbo(dataset, wrong({ sample: 3 })))).toBe("UNKNOWN_OPTION");
  expect(await code(m.evaluate(dataset, wrong({ label: "cluster" })))).toBe("UNKNOWN_OPTION");
});

it("values that may lie below 0 differ by a difference; rows that are none are refused", async () => {
  const { dataset } = mock("paired", { ...small, cells: 60 });
  const modalities = { adt: { likelihood: "gaussian" } };
  await using m = await MosaicVAE.create(
    dataset,
    { ...CONFIG, model: { ...CONFIG.model, modalities } },
    { threads: 1 },
  );
  const run = (a: number[], modality: string): ReturnType<MosaicVAE["differentialExpression"]> =>
    m.differentialExpression(dataset, a, [4, 5, 6], { modality, samples: 2, pairs: 50 });
  const table = await run([0, 1, 2], "adt");
  const [a, b, d] = ["mean_a", "mean_b", "difference"].map(
    (n) => table.getChild(n)!.toArray() as Float64Array,
  );
  expect(table.getChild("log2_fold_change")).toBeNull();
  d!.forEach((v, i) => {
    expect(Number.isFinite(v)).toBe(true);
    expect(Math.abs(v - (a![i]! - b![i]!))).toBeLessThan(1);
  });
  expect((await run([0, 1], "rna")).getChild("log2_fold_change")!.toArray().every(Number.isFinite)).toBe(
    true,
  );
  for (const bad of [-1, 60, 0.5])
    expect(await failure(run([bad, 1], "rna"))).toMatchObject({ code: "ROW_RANGE" });
});

it("LSI learns from the cells it is given alone", async () => {
  const { dataset } = mock("bridge", { ...small, cells: 60, bridgeShare: 1 });
  const atac = dataset.modalities.get("atac")!;
  const fit = Uint8Array.from({ length: 60 }, (_, i) => (i < 40 ? 1 : 0));
  // The other cells say something else altogether.
  const spoilt: Modality = {
    ...atac,
    rows: async (start, end, options) => {
      const block = await atac.rows(start, end, options);
      const values = block.values.slice();
      for (let i = 0; i < block.rows; i++)
        if (!fit[start + i]) values.fill(50, block.indptr[i], block.indptr[i + 1]);
      return { ...block, values };
    },
  };
  const [a, b] = [await lsi(atac, { fit, components: 4 }), await lsi(spoilt, { fit, components: 4 })];
  expect(b.singular).toEqual(a.singular);
  expect(b.scores.subarray(0, 160)).toEqual(a.scores.subarray(0, 160));
});
