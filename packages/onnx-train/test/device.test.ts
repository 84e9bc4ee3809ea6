import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { missingCuda } from "../src/device.ts";
import { compile, doctor } from "../src/index.ts";
import { mlp } from "./support/models.ts";

const dims = { batch: 8 };

it("the report says what is used and why", async () => {
  await using cpu = await compile(mlp(), { dims, device: "cpu" });
  expect(cpu.device).toEqual({ used: "cpu", asked: "cpu", why: "as asked" });
  await using auto = await compile(mlp(), { dims });
  expect(auto.device.asked).toBe("auto");
  expect(auto.device.why.length).toBeGreaterThan(10);
});

it("an unknown device is a usage error", async () => {
  for (const device of ["gpu", "cuda:", "cuda:x", "CUDA", "", "cuda:0x1"])
    await expect(compile(mlp(), { dims, device })).rejects.toMatchObject({
      code: "DEVICE_UNKNOWN",
      exitCode: 2,
    });
});

const missing = missingCuda();
it.runIf(missing !== undefined)(
  "CUDA asked for by name without its libraries is refused, with the way out",
  async () => {
    await expect(compile(mlp(), { dims, device: "cuda:1" })).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringMatching(/`onnx-train doctor` says/),
    });
    const findings = await doctor();
    const cuda = findings.find((f) => f.name === "CUDA provider libraries")!;
    expect(cuda.ok).toBe(false);
    expect(cuda.found).not.toMatch(/doctor/);
    expect(cuda.advice).toMatch(
      /Microsoft\.ML\.OnnxRuntime\.Gpu\.Linux 1\.\d+\.\d+ .*libonnxruntime_providers_/,
    );
    expect(findings.find((f) => f.name === "training on cpu")).toMatchObject({ ok: true });
  },
);

const bin = fileURLToPath(new URL("../bin/onnx-train.mjs", import.meta.url));

it("the command line: doctor, report, mistakes", () => {
  const text = execFileSync(process.execPath, [bin, "doctor"], { encoding: "utf8" });
  expect(text).toMatch(/^ok {3}onnxruntime-node: 1\.\d+/);
  const folder = mkdtempSync(join(tmpdir(), "onnx-cli-"));
  const history = join(folder, "history.jsonl");
  writeFileSync(history, '{"step":0,"loss":2}\n{"step":1,"loss":1}\n');
  execFileSync(process.execPath, [bin, "report", history, "-o", join(folder, "r.html")]);
  expect(readFileSync(join(folder, "r.html"), "utf8")).toContain("<svg");
  writeFileSync(history, "nonsense\n");
  const bad = spawnSync(process.execPath, [bin, "report", history, "-o", join(folder, "r.html")], {
    encoding: "utf8",
  });
  expect(bad).toMatchObject({ status: 1 });
  expect(bad.stderr).toMatch(/history\.jsonl:1/);
  for (const nothing of ["", "null\n", '{"step":0,"lo', Buffer.from([0x1f, 0x8b, 8])]) {
    writeFileSync(history, nothing);
    const page = join(folder, "none.html");
    const none = spawnSync(process.execPath, [bin, "report", history, "-o", page], { encoding: "utf8" });
    expect([none.status, none.stderr]).toEqual([
      1,
      expect.stringMatching(/^CHECKPOINT_FORMAT .*history\.jsonl/),
    ]);
    expect(existsSync(page)).toBe(false);
  }
  expect(spawnSync(process.execPath, [bin, "docter"], { encoding: "utf8" })).toMatchObject({ status: 2 });
  rmSync(folder, { recursive: true });
});

it("a process ends by itself after training", () => {
  const script = fileURLToPath(new URL("./support/train-and-end.ts", import.meta.url));
  const ended = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 30_000 });
  expect(ended).toMatchObject({ status: 0, stdout: "5 steps\n" });
});
