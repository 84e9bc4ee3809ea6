import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import {
  type CompileOptions,
  compile,
  readSafetensors,
  type Step,
  sgd,
  writeSafetensors,
} from "../src/index.ts";
import { mlp, mlpBatches, vae, vaeBatches } from "./support/models.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-train-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => join(folder, name);
const options: CompileOptions = { device: "cpu", threads: 1, dims: { batch: 8 }, stepsPerCall: 4, seed: 3 };
const noisy = { ...options, schedules: { beta: (step: number) => step / 30 } };

it("N steps are k, a save, a load, and N − k: the same bytes, noise included", async () => {
  await using whole = await compile(vae(), noisy);
  const losses: number[] = [];
  for await (const s of whole.run(vaeBatches(0, 30))) losses.push(s.loss);
  const expected = readFileSync(await whole.save(file("whole")));

  await using first = await compile(vae(), noisy);
  for await (const _ of first.run(vaeBatches(0, 13)));
  await first.save(file("half"));
  await using second = await compile(vae(), { ...noisy, seed: 99 });
  expect(await second.load(file("half"))).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
  expect(second.step).toBe(13);
  const rest: Step[] = [];
  for await (const s of second.run(vaeBatches(13, 30))) rest.push(s);
  expect(rest.map((s) => s.loss)).toEqual(losses.slice(13));
  expect(readFileSync(await second.save(file("resumed"))).equals(expected)).toBe(true);
});

it("a checkpoint is plain safetensors", async () => {
  await using trainer = await compile(mlp(), { ...options, config: { a: 1 }, registry: ["gene1"] });
  const path = await trainer.save(file("plain"));
  const { tensors, metadata } = readSafetensors(path);
  expect(tensors.get("h/w")!.shape).toEqual([4, 16]);
  expect([...tensors.keys()].filter((k) => k.startsWith("optimizer:")).length).toBe(8);
  expect(metadata).toMatchObject({
    format: "x-onnx-train 1",
    config: '{"a":1}',
    registry: '["gene1"]',
    seed: "3",
  });
  expect(tensors.get("h/w")!.data).toEqual((await trainer.weights())["h/w"]!.data);
});

it("every misfit is named: missing, unexpected, other shape, optimiser, registry, version", async () => {
  await using trainer = await compile(mlp(), { ...options, registry: ["a"] });
  const path = await trainer.save(file("base"));
  await using wide = await compile(mlp(20), { ...options, registry: ["a"] });
  await expect(wide.load(path)).rejects.toMatchObject({
    code: "CHECKPOINT_KEYS",
    message: expect.stringContaining("h/w [4,16] instead of [4,20]"),
  });
  await using other = await compile(vae(), { ...noisy, registry: ["a"] });
  await expect(other.load(path)).rejects.toMatchObject({
    code: "CHECKPOINT_KEYS",
    message: expect.stringMatching(/missing: .*enc\/w.*unexpected: .*h\/w/),
  });
  await using descent = await compile(mlp(), {
    ...options,
    registry: ["a"],
    optimizer: sgd({ momentum: 0.9 }),
  });
  await expect(descent.load(path)).rejects.toMatchObject({ code: "CHECKPOINT_KEYS" });
  await using foreign = await compile(mlp(), { ...options, registry: ["b"] });
  await expect(foreign.load(path)).rejects.toMatchObject({ code: "CHECKPOINT_REGISTRY" });
  const report = await wide.load(path, { strict: false });
  expect(report.matched).toEqual(["out/b"]);
  expect(report.mismatched.map((m) => m.name).sort()).toEqual(["h/b", "h/w", "out/w"]);
  expect(wide.step).toBe(0);

  const { tensors, metadata } = readSafetensors(path);
  await writeSafetensors(file("newer.safetensors"), {
    tensors,
    metadata: { ...metadata, format: "x-onnx-train 2" },
  });
  await expect(trainer.load(file("newer"))).rejects.toMatchObject({ code: "CHECKPOINT_VERSION" });
  await writeSafetensors(file("else.safetensors"), { tensors, metadata: {} });
  await expect(trainer.load(file("else"))).rejects.toMatchObject({ code: "CHECKPOINT_FORMAT" });
});

it("a file that is cut, lengthened or of another kind is refused by name", async () => {
  await using trainer = await compile(mlp(), options);
  const path = await trainer.save(file("good"));
  const bytes = readFileSync(path);
  const attempt = async (contents: Uint8Array): Promise<unknown> => {
    writeFileSync(file("bad.safetensors"), contents);
    return trainer.load(file("bad")).catch((e) => e.code);
  };
  for (const n of [0, 4, 8, 100, 2000, bytes.length - 1])
    expect(await attempt(bytes.subarray(0, n)), `${n} bytes`).toBe("CHECKPOINT_TRUNCATED");
  expect(await attempt(Buffer.concat([bytes, Buffer.of(0)]))).toBe("CHECKPOINT_FORMAT");
  expect(await attempt(Buffer.from([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0x8c]))).toBe("CHECKPOINT_FORMAT");
  expect(await attempt(Buffer.from("PK\u0003\u0004 a zip archive, as torch.save writes it"))).toBe(
    "CHECKPOINT_FORMAT",
  );
  expect(await attempt(Buffer.from("hello, this is no checkpoint at all"))).toBe("CHECKPOINT_FORMAT");
  const broken = Buffer.from(bytes);
  broken.write("x", 9);
  expect(await attempt(broken)).toBe("CHECKPOINT_FORMAT");
  await expect(trainer.load(file("absent"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(trainer.step).toBe(0);
});

it("a process that is killed while it saves leaves a whole checkpoint or none", async () => {
  const script = fileURLToPath(new URL("./support/save-forever.ts", import.meta.url));
  const target = file("killed");
  for (const wait of [150, 40, 7, 90]) {
    rmSync(`${target}.safetensors`, { force: true });
    const child = spawn(process.execPath, [script, target], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((done) => child.stdout.once("data", done));
    await new Promise((done) => setTimeout(done, wait));
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
    copyFileSync(`${target}.safetensors`, file("survivor.safetensors"));
    expect(readSafetensors(file("survivor.safetensors")).tensors.get("w")!.data.length).toBe(500_000);
  }
});

it("batches that come asynchronously, and a source that fails", async () => {
  await using trainer = await compile(mlp(), options);
  async function* source(): AsyncGenerator<Record<string, ArrayLike<number>>> {
    for (const batch of mlpBatches(0, 6)) yield batch as Record<string, ArrayLike<number>>;
    throw new Error("the disk is gone");
  }
  const run = async (): Promise<void> => {
    for await (const _ of trainer.run(source()));
  };
  await expect(run()).rejects.toThrow("the disk is gone");
  expect(trainer.step).toBe(4);
});

it("a header that was not padded is read all the same", () => {
  const values = Float32Array.of(1.5, -2, 3);
  let header = JSON.stringify({ w: { dtype: "F32", shape: [3], data_offsets: [0, 12] } });
  while ((8 + header.length) % 4 !== 1) header += " ";
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = file("unpadded.safetensors");
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.from(values.buffer)]));
  expect(readSafetensors(path).tensors.get("w")!.data).toEqual(values);
});

it("the steps of a call under way at an abort are given afterwards", async () => {
  await using trainer = await compile(vae(), { ...noisy, stepsPerCall: 10 });
  const control = new AbortController();
  const given: number[] = [];
  await expect(async () => {
    const run = trainer.run(vaeBatches(0, 30), { signal: control.signal });
    const first = run.next();
    setImmediate(() => control.abort());
    for (let step = await first; !step.done; step = await run.next()) given.push(step.value.step);
  }).rejects.toThrow(/abort/i);
  const late = (await trainer.unreported()).map(({ step }) => step);
  expect([...given, ...late]).toEqual(Array.from({ length: trainer.step }, (_, i) => i));
  expect(await trainer.unreported()).toEqual([]);
});
