// What a model can be asked for beside embedding and imputing, and parts of one's own.
import { dense, denseParams } from "@x/onnx-train";
import { expect, it } from "vitest";
import {
  type CellGaussians,
  type Decoder,
  type Encoder,
  type FusionKind,
  fusePosteriors,
  type MosaicConfig,
  MosaicVAE,
  mock,
  mosaicDataset,
} from "../src/index.ts";
import { failure, folder } from "./support.ts";

const { dataset } = mock("mosaic", { cells: 70, features: { rna: 30, atac: 40, adt: 6 }, seed: 3 });
const SMALL: MosaicConfig = {
  model: { latent: 4, hidden: [12] },
  train: { epochs: 2, batchSize: 16, device: "cpu" },
};
const create = (config: MosaicConfig = SMALL, more = {}): Promise<MosaicVAE> =>
  MosaicVAE.create(dataset, config, { threads: 1, ...more });
const farthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((far, v, i) => Math.max(far, Math.abs(v - b[i]!)), 0);
const apart = (a: CellGaussians, b: CellGaussians): number =>
  Math.max(farthest(a.mean, b.mean), farthest(a.variance, b.variance));

it.each<[FusionKind, boolean]>([
  ["poe", false],
  ["poe", true],
  ["moe", false],
  ["average", false],
])("encode, then fusePosteriors, is embed: %s, learned experts %s", async (fusion, learned) => {
  const modalities = learned ? { rna: { expertWeight: "learned" as const } } : {};
  await using model = await create({ ...SMALL, model: { ...SMALL.model, fusion, modalities } });
  await model.train(dataset);
  const posteriors = await model.encode(dataset);
  expect(Object.keys(posteriors.modalities)).toEqual(["rna", "atac", "adt"]);
  expect(apart(await model.fusePosteriors(posteriors), await model.embed(dataset))).toBeLessThan(1e-5);
  const some = await model.embed(dataset, { modalities: ["atac"], allowEmpty: true });
  expect(apart(await model.fusePosteriors(posteriors, ["atac"]), some)).toBeLessThan(1e-5);
  if (learned) {
    const weight = (await model.state.trainer.weights())["experts/rna"]!.data[0]!;
    expect(weight).not.toBe(0);
    expect(Math.abs(weight)).toBeLessThan(3);
  }
});

it("the fusion of nothing is the prior, whatever the numbers", () => {
  const gone = {
    mean: Float32Array.of(Number.NaN, 3),
    variance: Float32Array.of(Number.NaN, 9),
    available: [0],
  };
  for (const fusion of ["poe", "moe", "average"] as const) {
    const { mean, variance } = fusePosteriors({ cells: 1, latent: 2, modalities: { rna: gone } }, { fusion });
    expect([...mean, ...variance]).toEqual([0, 0, 1, 1]);
  }
});

it("decodeAll is what each modality decodes to, and negLogLikelihood what elbo holds", async () => {
  await using model = await create();
  await model.train(dataset);
  const names = ["rna", "atac", "adt"];
  const found: Record<string, number[]> = { rna: [], atac: [], adt: [] };
  const options = { modalities: ["rna", "adt"], library: 500, batchSize: 30, allowEmpty: true };
  for await (const { mean } of model.decodeAll(dataset, options))
    for (const name of names) found[name]!.push(...mean[name]!);
  for (const name of names)
    expect(
      farthest(Float32Array.from(found[name]!), (await model.impute(dataset, name, options)).mean),
    ).toBeLessThan(1e-4);
  const nll = await model.negLogLikelihood(dataset, { seed: 4 });
  const { logLik } = await model.elbo(dataset, { seed: 4 });
  nll.total.forEach((v, i) => {
    expect(v).toBeCloseTo(-names.reduce((s, name) => s + logLik[name]![i]!, 0), 3);
  });
  expect(nll.modalities.atac![0]).toBe(-logLik.atac![0]!);
});

it("setBeta counts in the ELBO, in the next training and in what is saved", async () => {
  await using model = await create();
  const before = await model.elbo(dataset);
  model.setBeta(3);
  const after = await model.elbo(dataset);
  expect(after.elbo[0]).toBeCloseTo(before.elbo[0]! - (3 - 0.2) * before.kl[0]!, 3);
  const path = await model.save(folder().path("m.safetensors"));
  await using again = await MosaicVAE.load(path, { threads: 1 });
  expect(farthest((await again.elbo(dataset)).elbo, after.elbo)).toBe(0);
  expect(again.config.loss?.beta).toBe(3);
  const { history } = await model.train(dataset);
  await using light = await create();
  light.setBeta(0);
  const other = await light.train(dataset);
  expect(history.at(-1)!.parts.kl).toBeLessThan(other.history.at(-1)!.parts.kl!);
  expect(await failure(() => light.setBeta(-1))).toMatchObject({ code: "OPTION_RANGE" });
});

it("encoders and decoders of one's own, by name", async () => {
  const encoders: Record<string, Encoder> = {
    straight: {
      params: ({ features, latent }) => ({
        m: denseParams(features, latent),
        s: denseParams(features, latent),
      }),
      encode: (x, p) => ({ mean: dense(x, p.m as never), logVariance: dense(x, p.s as never) }),
    },
  };
  const decoders: Record<string, Decoder> = {
    straight: {
      params: ({ latent }) => ({ h: denseParams(latent, 7) }),
      width: () => 7,
      decode: (z, p) => dense(z, p.h as never),
    },
  };
  const config = {
    ...SMALL,
    model: { ...SMALL.model, modalities: { rna: { encoder: "straight", decoder: "straight" } } },
  };
  await using model = await create(config, { encoders, decoders });
  const { history } = await model.train(dataset);
  expect(history[1]!.validation).toBeLessThan(history[0]!.validation);
  const weights = await model.state.trainer.weights();
  expect(weights["encoder/rna/m/w"]!.shape).toEqual([30, 4]);
  expect(weights["decoder/rna/head/w"]!.shape).toEqual([7, 30]);
  const path = await model.save(folder().path("own.safetensors"));
  expect(await failure(MosaicVAE.load(path, { threads: 1 }))).toMatchObject({ code: "CONFIG" });
  await using again = await MosaicVAE.load(path, { threads: 1, encoders, decoders });
  expect(apart(await again.embed(dataset), await model.embed(dataset))).toBe(0);
  const wrong = { ...config, model: { modalities: { rna: { encoder: "strait" } } } };
  expect(await failure(create(wrong, { encoders }))).toMatchObject({ code: "CONFIG" });
});

it("the verdict says so where the simple baseline wins", async () => {
  // One dimension of a model that has learned nothing.
  await using model = await create({ ...SMALL, model: { latent: 1, hidden: [2] } });
  const { verdict, labels, baselines } = await model.evaluate(dataset, { labels: "cluster" });
  for (const name of ["rna", "atac", "adt"])
    expect(labels[name]!.accuracy).toBeLessThan(baselines[name]!.accuracy);
  expect(verdict).toMatch(
    /^the simple baseline wins at labels from rna, .* \(labels from rna: model [\d.]+ %, SVD/,
  );
});

it("tells a tracker each epoch", async () => {
  await using model = await create();
  const told: [number, string[]][] = [];
  const tracker = {
    log: (epoch: number, values: Readonly<Record<string, number>>) => {
      told.push([epoch, Object.keys(values)]);
    },
    close: () => {},
  };
  await model.train(dataset, { trackers: [tracker] });
  expect(told.map(([epoch]) => epoch)).toEqual([1, 2]);
  expect(told[0]![1]).toEqual(expect.arrayContaining(["loss", "part/kl", "part/nll.rna", "validation"]));
});

it("a loaded model refuses data that share less than 80 % of its features, and says what is missing", async () => {
  await using model = await create();
  const path = await model.save(folder().path("r.safetensors"));
  await using again = await MosaicVAE.load(path, { threads: 1 });
  const rna = dataset.modalities.get("rna")!;
  const part = (keep: number) => {
    const features = rna.features.map((name, i) => (i < keep ? name : `other${i}`));
    return mosaicDataset({
      cellIds: ["q"],
      modalities: { rna: { features, values: new Float32Array(30).fill(1) } },
    });
  };
  expect((await again.embed(part(24))).cells).toBe(1);
  const error = await failure(again.embed(part(23)));
  expect(error).toMatchObject({ code: "REGISTRY_OVERLAP" });
  expect(error.message).toMatch(/rna/);
});
