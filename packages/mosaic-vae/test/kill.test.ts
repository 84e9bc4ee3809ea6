// A training that is killed, cancelled, or runs out of disk.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MosaicVAE, mock } from "../src/index.ts";
import { surviveKills } from "./kills.ts";
import { folder } from "./support.ts";

const at = folder();

it("a training killed at three moments leaves whole checkpoints and ends as one left alone, byte for byte", async () => {
  await surviveKills(at.path("alone"), at.path("killed"), 3);
});

it("a cancelled training ends within 2 s with the call under way, and the model can be used and trained on", {
  retry: 3,
}, async () => {
  const { dataset } = mock("mosaic", { cells: 200, features: { rna: 60, atac: 80, adt: 5 }, seed: 5 });
  const config = { train: { epochs: 50, batchSize: 16, device: "cpu", stepsPerCall: 4 } };
  await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
  const control = new AbortController();
  const out = mkdtempSync(at.path("cancelled-"));
  let done = 0;
  let aborted = 0;
  const training = model.train(dataset, {
    signal: control.signal,
    out,
    onProgress: (p) => {
      if (p.stage !== "train") return;
      done = p.done;
      if (done !== 10) return;
      aborted = performance.now();
      control.abort();
    },
  });
  await expect(training).rejects.toThrow(/abort/i);
  // The last checkpoint is written by then too.
  expect(performance.now() - aborted).toBeLessThan(2000);
  expect(existsSync(join(out, "last.safetensors"))).toBe(true);
  expect(done).toBeLessThanOrEqual(12);
  // The call under way when the abort came still counts.
  expect(model.state.trainer.step).toBeLessThanOrEqual(16);
  expect((await model.embed(dataset)).cells).toBe(200);
});

it("a full disk is ENOSPC: the last whole checkpoint stays, no piece of another", (test) => {
  const disk = at.path("disk");
  mkdirSync(disk);
  const script = `
    import { readdirSync } from "node:fs";
    import { MosaicVAE, mock } from ${JSON.stringify(join(import.meta.dirname, "../src/index.ts"))};
    const { dataset } = mock("mosaic", { cells: 60, features: { rna: 200, atac: 25, adt: 5 }, seed: 5 });
    const config = { model: { hidden: [16] }, train: { epochs: 3, batchSize: 16, device: "cpu", checkpointEvery: 1 } };
    await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
    let code = "ok";
    try { await model.train(dataset, { out: process.env.DISK }); } catch (e) { code = e.code; }
    await model.embed(dataset);
    console.log(JSON.stringify({ code, left: readdirSync(process.env.DISK) }));`;
  const file = at.file("full.ts", script);
  const mount = `mount -t tmpfs -o size=96k none '${disk}' || exit 99; DISK='${disk}' exec '${process.execPath}' '${file}'`;
  const { status, stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-c", mount], { encoding: "utf8" });
  if (status === 99 || status === null || /unshare/.test(stderr))
    return test.skip("no right to mount a small disk here");
  expect(stderr).toBe("");
  const { code, left } = JSON.parse(stdout);
  expect(code).toBe("ENOSPC");
  for (const name of left) expect(["best.safetensors", "last.safetensors"]).toContain(name);
  expect(existsSync(disk)).toBe(true);
});
