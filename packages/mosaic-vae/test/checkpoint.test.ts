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
  {
    await using model = await create();
    await model.train(dataset, { out: whole });
  }
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
