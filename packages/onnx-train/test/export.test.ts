import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, expect, it } from "vitest";
import { type Batch, compile, exportOnnx, inspectOnnx, type Model, type Trainer } from "../src/index.ts";
import { encodeModel } from "../src/proto.ts";
import { mlp, mlpBatch, mlpBatches, transformer, vae, vaeBatches } from "./support/models.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function trained(model: Model, batches: Iterable<Batch>): Promise<Trainer> {
  const options = { device: "cpu", threads: 1, dims: { batch: 8 }, schedules: { beta: 1 }, registry: ["g1"] };
  const trainer = await compile(model, options);
  for await (const _ of trainer.run(batches));
  return trainer;
}

it("an exported model gives the trainer's numbers for batches of any size, without the labels", async () => {
  await using trainer = await trained(mlp(), mlpBatches(0, 20));
  const path = join(folder, "mlp.onnx");
  const made = await exportOnnx(trainer, path, { metadata: { task: "test" } });
  expect(made).toMatchObject({ files: [path], inputs: ["x"], outputs: ["logits"] });
  expect(made.difference).toBeLessThan(1e-6);
  expect(inspectOnnx(path)).toMatchObject({
    inputs: [{ name: "x", shape: ["batch", 4] }],
    outputs: [{ name: "logits", shape: ["batch", 3] }],
    metadata: { task: "test", registry: '["g1"]' },
  });
  const session = await InferenceSession.create(path);
  for (const n of [1, 5, 33]) {
    const batch = mlpBatch(4, n);
    const { logits } = await session.run({
      x: new Tensor("float32", Float32Array.from(batch.x as number[]), [n, 4]),
    });
    const expected = (await trainer.evaluate(batch)).outputs.logits!.data;
    for (const [i, v] of (logits!.data as Float32Array).entries())
      expect(v).toBeCloseTo(Number(expected[i]), 5);
  }
});

it("so does a transformer, and a model with noise", async () => {
  const tokens = Array.from({ length: 40 }, (_, i) => i % 7);
  await using a = await trained(transformer(), [{ tokens }, { tokens }]);
  expect((await exportOnnx(a, join(folder, "t.onnx"))).difference).toBeLessThan(1e-5);
  const session = await InferenceSession.create(join(folder, "t.onnx"));
  const three = new Tensor(
    "int64",
    BigInt64Array.from({ length: 15 }, (_, i) => BigInt(i % 7)),
    [3, 5],
  );
  expect((await session.run({ tokens: three })).logits!.dims).toEqual([3, 5, 7]);
  await using b = await trained(vae(), vaeBatches(0, 5));
  expect((await exportOnnx(b, join(folder, "v.onnx"))).difference).toBeLessThan(1e-6);
});

it("large weights go to a file beside the model", async () => {
  await using trainer = await trained(mlp(64), mlpBatches(0, 2));
  const path = join(folder, "far.onnx");
  expect((await exportOnnx(trainer, path, { externalAbove: 1000 })).files).toEqual([path, `${path}.data`]);
  const session = await InferenceSession.create(path);
  const batch = mlpBatch(4, 2);
  const { logits } = await session.run({
    x: new Tensor("float32", Float32Array.from(batch.x as number[]), [2, 4]),
  });
  expect(Array.from(logits!.data as Float32Array)).toEqual(
    Array.from((await trainer.evaluate(batch)).outputs.logits!.data as Float32Array),
  );
});

it("an unknown output, and a folder that is not there, leave no file", async () => {
  await using trainer = await trained(mlp(), []);
  await expect(exportOnnx(trainer, join(folder, "no.onnx"), { outputs: ["z"] })).rejects.toThrow(
    /no output z; it has logits/,
  );
  await expect(exportOnnx(trainer, join(folder, "none/no.onnx"))).rejects.toMatchObject({ code: "OUT_DIR" });
  expect(readdirSync(folder).filter((n) => n.startsWith("no"))).toEqual([]);
});

it("a model that is none, or says its weights lie elsewhere, is refused by name", () => {
  const path = join(folder, "bad.onnx");
  writeFileSync(path, "hello");
  expect(() => inspectOnnx(path)).toThrow(expect.objectContaining({ code: "ONNX_FORMAT" }));
  const externalData = [{ key: "location", value: "../../x" }];
  writeFileSync(
    path,
    encodeModel({ graph: { initializer: [{ name: "w", externalData, dataLocation: 1 }] } }),
  );
  expect(() => inspectOnnx(path)).toThrow(expect.objectContaining({ code: "ONNX_EXTERNAL_PATH" }));
});
