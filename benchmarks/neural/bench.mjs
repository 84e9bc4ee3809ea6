import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { markdown, megabytes } from "../lib/tables.mjs";

const RUNS = [
  ["mlp", 500, 1],
  ["mlp", 500, 50],
  ["transformer", 30, 1],
  ["transformer", 30, 10],
  ["vae", 60, 10],
];
const script = (name) => join(import.meta.dirname, name);

/** CPU time a step is what counts: neighbours on the machine do not change it much. */
export default {
  title: "training steps of @x/onnx-train on the CPU, one thread, beside PyTorch",
  async run({ race, note }) {
    const contenders = RUNS.map(([model, steps, k]) => ({
      name: `${model}, ${k} a call`,
      steps: [{ command: process.execPath, args: [script("onnx-train.mjs"), model, steps, k].map(String) }],
    }));
    const hasTorch = spawnSync("python3", ["-c", "import torch"]).status === 0;
    if (!hasTorch) note("PyTorch is not here and is left out (pip install torch)");
    for (const [model, steps] of hasTorch
      ? [
          ["mlp", 500],
          ["transformer", 30],
        ]
      : [])
      contenders.push({
        name: `${model}, PyTorch`,
        steps: [{ command: "python3", args: [script("torch.py"), model, String(steps)] }],
      });
    const data = await race(contenders);
    const rows = contenders.map(({ name }) => {
      const said = saidJson(data[name]);
      const middle = (key) => median(said.map((line) => line[key]));
      return [
        name,
        middle("stepsPerSecond")?.toFixed(1),
        middle("cpuMs")?.toFixed(2),
        megabytes(middle("peak")),
      ];
    });
    return { tables: [markdown(["run", "steps/s", "CPU ms a step", "peak memory"], rows)], data };
  },
};
