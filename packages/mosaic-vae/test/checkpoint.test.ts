// Runs on disk: resumed byte for byte, refused by name.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "@x/onnx-train";
import { expect, it } from "vitest";
import { type MosaicConfig, MosaicVAE, mock } from "../src/index.ts";
import { failure, folder } from "./support.ts";

const { dataset } = mock("mosaic", { cells: 90, features: { rna: 20, atac: 25, adt: 5 }, seed: 5 });
const CONFIG: MosaicConfig = {
  model: { latent: 4, hidden: [12] },
  train: { epochs: 6, batchSize: 16, device: "cpu", checkpointEvery: 2, stepsPerCall: 3, seed: 7 },
};
const create = (config = CONFIG): Promise<MosaicVAE> => MosaicVAE.create(dataset, config, { threads: 1 });

it("a run that was interrupted in the middle of an epoch goes on to the same weights and moments, byte for byte", async () => {
  const [whole, parts] = [folder().path("run"), folder().path("run")];
  const alone = await (async () => {
    await using model = await create();
    return await model.train(dataset, { out: whole });
  })();
  {
    await using model = await create();
    const control = new AbortController();
    const interrupted = model.train(dataset, {
      out: parts,
      signal: control.signal,
      onProgress: ({ done }) => {
        if (done === 13) control.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/abort/i);
  }
  await using model = await create();
  const report = await model.train(dataset, { out: parts, resume: true });
  expect(report.epochs).toBe(6);
  // Means of the epoch that was cut are those of all its steps.
  const losses = ({ history, skipped }: typeof report): unknown => [
    skipped,
    history.map(({ loss, parts, validation }) => [loss, parts, validation]),
  ];
  expect(losses(report)).toEqual(losses(alone));
  for (const name of ["model", "last", "best"]) {
    const [a, b] = [whole, parts].map((f) => readSafetensors(join(f, `${name}.safetensors`)));
    expect([...b!.tensors.keys()]).toEqual([...a!.tensors.keys()]);
    for (const [key, { data }] of a!.tensors) expect(b!.tensors.get(key)!.data, key).toEqual(data);
  }
});

it("a saved model embeds as before", async () => {
  const out = folder().path("run");
  await using model = await create();
  await model.train(dataset, { out });
  const before = await model.embed(dataset);
  await using again = await MosaicVAE.load(out, { threads: 1 });
  expect((await again.embed(dataset)).mean).toEqual(before.mean);
  expect(again.registry).toEqual(model.registry);
});

it("refuses what is no checkpoint of ours, by name", async () => {
  const out = folder().path("run");
  await using model = await create({ ...CONFIG, train: { ...CONFIG.train, epochs: 2 } });
  await model.train(dataset, { out });
  const file = join(out, "model.safetensors");
  const load = (path: string): Promise<{ code?: string }> => failure(MosaicVAE.load(path)) as never;

  const cut = join(out, "cut.safetensors");
  writeFileSync(cut, readFileSync(file).subarray(0, -100));
  expect(await load(cut)).toMatchObject({ code: "CHECKPOINT_TRUNCATED" });
  const pickle = join(out, "model.pt");
  writeFileSync(
    pickle,
    Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19),
  );
  expect(await load(pickle)).toMatchObject({ code: "CHECKPOINT_FORMAT" });
  const { tensors, metadata } = readSafetensors(file);
  const newer = join(out, "newer.safetensors");
  await writeSafetensors(newer, { tensors, metadata: { ...metadata, format: "x-onnx-train 99" } });
  expect(await load(newer)).toMatchObject({ code: "CHECKPOINT_VERSION" });
  const ours = join(out, "ours.safetensors");
  await writeSafetensors(ours, { tensors, metadata: { ...metadata, extra: '{"format":99}' } });
  expect(await load(ours)).toMatchObject({ code: "MODEL_FORMAT" });
  const other = mock("mosaic", { cells: 90, features: { rna: 21, atac: 25, adt: 5 } }).dataset;
  await using second = await MosaicVAE.create(other, CONFIG, { threads: 1 });
  expect(await failure(second.train(other, { out, resume: true }))).toMatchObject({
    code: "CHECKPOINT_REGISTRY",
  });
});

it("a damaged model is refused by name, whatever was changed in it", async () => {
  const out = folder().path("run");
  await using model = await create({ ...CONFIG, train: { ...CONFIG.train, epochs: 1 } });
  await model.train(dataset, { out });
  const { tensors, metadata } = readSafetensors(join(out, "model.safetensors"));
  const file = join(out, "damaged.safetensors");
  type Saved = Record<string, Record<string, never>>;
  const changes: ((saved: Saved) => void)[] = [
    ({ plan }) => Object.assign(plan!, { modalities: null }),
    (saved) => Object.assign(saved, { plan: {} }),
    ({ plan }) => Object.assign(plan!.modalities![0]!, { features: 1e9 }),
    ({ plan }) => Object.assign(plan!, { latent: -3 }),
    ({ plan }) => Object.assign(plan!, { hidden: [] }),
    (saved) => Object.assign(saved, { registry: {} }),
    ({ registry }) => Object.assign(registry!.modalities![0]!, { features: ["a"] }),
    (saved) => Object.assign(saved, { config: [] }),
  ];
  for (const change of changes) {
    const saved = JSON.parse(metadata.config!) as Saved;
    change(saved);
    await writeSafetensors(file, { tensors, metadata: { ...metadata, config: JSON.stringify(saved) } });
    expect(await failure(MosaicVAE.load(file)), String(change)).toMatchObject({ code: "MODEL_FORMAT" });
  }
  const [name, first] = [...tensors].find(([key]) => !key.startsWith("optimizer:"))!;
  const data = (first.data as Float32Array).slice().fill(Number.NaN, 0, 1);
  await writeSafetensors(file, { tensors: new Map(tensors).set(name, { ...first, data }), metadata });
  expect(await failure(MosaicVAE.load(file))).toMatchObject({ code: "MODEL_FORMAT" });
});

it("heads that would have nothing to work on are refused", async () => {
  await using model = await create({ ...CONFIG, loss: { heads: { temporal: {} } } });
  expect(await failure(model.train(dataset))).toMatchObject({ code: "OBS_COLUMN" });
});
