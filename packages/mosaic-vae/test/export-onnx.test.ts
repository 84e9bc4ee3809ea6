// The written model, run by onnxruntime itself, beside the one it came from.
import { inspectOnnx } from "@x/onnx-train";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { csrToDense, type MosaicDataset, MosaicVAE, mock } from "../src/index.ts";
import { folder } from "./support.ts";

/** Everything the file asks for, of all cells. */
async function feeds(
  data: MosaicDataset,
  names: readonly string[],
  latent: number,
): Promise<Record<string, Tensor>> {
  const n = data.cells;
  const all: Record<string, Tensor> = {
    noise: new Tensor("float32", new Float32Array(n * latent), [n, latent]),
    batch: new Tensor("float32", new Float32Array(n).fill(1), [n, 1]),
  };
  for (const m of data.modalities.values()) {
    const x = csrToDense(await m.rows(0, n));
    const width = m.features.length;
    const sums = Float32Array.from({ length: n }, (_, i) =>
      Math.max(
        1,
        x.subarray(i * width, (i + 1) * width).reduce((a, b) => a + b, 0),
      ),
    );
    all[`x.${m.name}`] = new Tensor("float32", x, [n, width]);
    all[`seen.${m.name}`] = new Tensor("float32", Float32Array.from(m.available), [n, 1]);
    all[`mask.${m.name}`] = all[`seen.${m.name}`]!;
    all[`library.${m.name}`] = new Tensor("float32", sums, [n, 1]);
  }
  return Object.fromEntries(names.map((name) => [name, all[name]!]));
}

it.each(["poe", "average"] as const)("embeds and decodes as the model does, to 1e-5: %s", async (fusion) => {
  const { dataset } = mock("mosaic", { cells: 75, features: { rna: 30, atac: 40, adt: 6 }, seed: 3 });
  const config = {
    model: { latent: 5, hidden: [16], fusion },
    train: { epochs: 3, batchSize: 16, device: "cpu" },
  };
  await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
  await model.train(dataset);
  const path = folder().path("m.onnx");
  await model.exportOnnx(path, { decode: "rna" });
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const out = await session.run(await feeds(dataset, session.inputNames, 5));
  const { mean, variance } = await model.embed(dataset);
  const far = (name: string, expected: Float32Array, f = (v: number): number => v): number =>
    expected.reduce((most, v, i) => Math.max(most, Math.abs(f(Number(out[name]!.data[i])) - v)), 0);
  expect(far("mean", mean)).toBeLessThan(1e-5);
  expect(far("logVariance", variance, Math.exp)).toBeLessThan(1e-5);
  // Decoded with each cell's own library; those without RNA have a median the file does not know.
  const rna = await model.impute(dataset, "rna");
  const measured = dataset.modalities.get("rna")!.available;
  const scale = Math.max(...rna.mean);
  const found = out["expected.rna"]!.data as Float32Array;
  rna.mean.forEach((v, i) => {
    if (measured[Math.floor(i / 30)]) expect(Math.abs(found[i]! - v)).toBeLessThan(1e-5 * scale);
  });
  await session.release();
});

it("a file takes counts of peaks as they are, and says what it makes of them", async () => {
  const { dataset } = mock("bridge", { cells: 40, features: { rna: 30, atac: 40 }, seed: 3 });
  await using model = await MosaicVAE.create(
    dataset,
    { model: { latent: 5, hidden: [16] }, train: { epochs: 1, batchSize: 16, device: "cpu" } },
    { threads: 1 },
  );
  const path = folder().path("m.onnx");
  await model.exportOnnx(path);
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const given = await feeds(dataset, session.inputNames, 5);
  const counts = given["x.atac"]!;
  const more = (counts.data as Float32Array).map((v, i) => (v > 0 ? v + (i % 4) : 0));
  const out = await session.run({ ...given, "x.atac": new Tensor("float32", more, counts.dims) });
  const { mean } = await model.embed(dataset);
  mean.forEach((v, i) => {
    expect(Math.abs(Number(out.mean!.data[i]) - v)).toBeLessThan(1e-5);
  });
  await session.release();
  const { metadata } = inspectOnnx(path);
  const inputs = (JSON.parse(metadata.modalities!) as { name: string; input: string }[]).map((m) => m.input);
  expect(inputs.slice(0, 2)).toEqual(["normalized", "binary"]);
});
