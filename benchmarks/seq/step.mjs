import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { markdown, megabytes, seconds } from "../lib/tables.mjs";
import { mouseBatch, plainBatch } from "./step-data.mjs";

const script = (name) => join(import.meta.dirname, name);
/** No GPU, one thread. */
const ENV = { CUDA_VISIBLE_DEVICES: "", OMP_NUM_THREADS: "1" };

/**
 * CPU seconds and peak memory of a training step at AAM's dims (d 128, 4 heads, FFN 512, two layers over nucleotides and
 * two over ASVs; losses of hidden letters, UniFrac and target; AdamW), beside PyTorch. Nothing occurs twice in the first
 * batch; the second has all ASVs of eight mice's samples, each once here and as often as it occurs there.
 */
export async function stepBenchmark({ scratch, race, note }) {
  const torch = spawnSync("python3", ["-c", "import torch"]).status === 0;
  if (!torch) note("PyTorch is not here and is left out (pip install torch)");
  const batches = {
    "nothing occurs twice": plainBatch(join(scratch, "plain.json")),
    "mouse-f1000": await mouseBatch(join(scratch, "mouse.json")),
  };
  const data = {};
  for (const [name, batch] of Object.entries(batches)) {
    if (!batch) {
      note("the mouse data are not here and are left out");
      continue;
    }
    const { path, samples, slots, asvs, unique, dedup } = batch;
    // About as many places as training takes by default, 32 ASVs of 26 patches: here a place is a letter.
    const chunk = 4;
    const args = (file) => [script(file), path, "2"];
    const contenders = [
      {
        name: "us",
        steps: [{ command: process.execPath, args: [...args("train-step.mjs"), String(chunk)] }],
      },
      ...(torch
        ? [{ name: "torch", steps: [{ command: "python3", args: args("train_step.py"), env: ENV }] }]
        : []),
    ];
    const results = await race(contenders);
    const said = (result, key) => (result ? median(saidJson(result).map((line) => line[key])) : null);
    const each = Object.fromEntries(
      Object.entries(results).map(([who, result]) => [
        who,
        {
          cpu: said(result, "cpu"),
          peak: said(result, "peak"),
          parameters: said(result, "parameters"),
          failed: result.failed,
        },
      ]),
    );
    data[name] = {
      samples,
      slots,
      asvs,
      unique,
      dedup,
      chunk,
      torch: saidJson(results.torch)[0]?.torch,
      each,
    };
  }
  return data;
}

/** Tables of what was measured. */
export function stepTables(data) {
  const rows = Object.entries(data).map(
    ([
      name,
      {
        samples,
        asvs,
        unique,
        dedup,
        each: { us, torch },
      },
    ]) => {
      const cells = [
        seconds(us.cpu),
        seconds(torch?.cpu ?? null),
        megabytes(us.peak),
        megabytes(torch?.peak ?? null),
      ];
      const gain = torch?.cpu ? `${(torch.cpu / us.cpu).toFixed(2)} ×` : "–";
      const memory = torch?.peak ? `${(us.peak / torch.peak).toFixed(2)} ×` : "–";
      return [name, samples, asvs, unique, dedup.toFixed(2), ...cells, gain, memory];
    },
  );
  const header = [
    "batch",
    "samples",
    "ASVs",
    "different",
    "dedup factor",
    "our CPU a step",
    "PyTorch's",
    "our peak",
    "PyTorch's",
    "speed",
    "memory",
  ];
  return [markdown(header, rows)];
}
