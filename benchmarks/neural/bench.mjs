import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { markdown, megabytes } from "../lib/tables.mjs";
import { neuralFloors } from "./floors.mjs";

const RUNS = [
  ["mlp", 500, 1],
  ["mlp", 500, 50],
  ["transformer", 30, 1],
  ["transformer", 30, 10],
  ["vae", 60, 10],
];
const script = (name) => join(import.meta.dirname, name);

/** The anchor: 5,000 cells with 2,000 genes and 5,000 peaks, encoders and decoders with two layers of 128, 1.88 M weights. */
function anchors(scratch, hasTorch) {
  execFileSync(process.execPath, [script("anchor-data.mjs"), scratch]);
  const python = (...args) => ({ command: "python3", args: [script("anchor.py"), scratch, "4", ...args] });
  return [
    {
      name: "anchor, @x/mosaic-vae",
      steps: [{ command: process.execPath, args: [script("anchor.mjs"), scratch, "4"] }],
    },
    ...(hasTorch
      ? [
          { name: "anchor, PyTorch, dense in memory", steps: [python()] },
          { name: "anchor, PyTorch, compressed rows in memory", steps: [python("sparse")] },
        ]
      : []),
  ];
}

/** CPU time a step is what counts: neighbours on the machine do not change it much. */
export default {
  title: "training steps of @x/onnx-train on the CPU, one thread, beside PyTorch",
  floors: neuralFloors,
  async run({ race, note, scratch }) {
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
        steps: [{ command: "python3", args: [script("pytorch.py"), model, String(steps)] }],
      });
    const cells = anchors(scratch, hasTorch);
    const data = await race([...contenders, ...cells]);
    const ours = (name, key) => median(saidJson(data[name]).map((line) => line[key]));
    const anchorRows = cells.map(({ name }) => [
      name,
      ours(name, "cellsPerCpuSecond")?.toFixed(0),
      (ours(cells[0].name, "cellsPerCpuSecond") / ours(name, "cellsPerCpuSecond")).toFixed(2),
      megabytes(ours(name, "peak")),
      (ours(cells[0].name, "peak") / ours(name, "peak")).toFixed(2),
    ]);
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
    const head = ["anchor", "cells a CPU second", "ours × this", "peak memory", "ours of this"];
    return {
      tables: [
        markdown(["run", "steps/s", "CPU ms a step", "peak memory"], rows),
        markdown(head, anchorRows),
      ],
      data,
    };
  },
};
