import { median, saidJson } from "../lib/measure.mjs";

/** Cells a CPU second of ours over PyTorch's, at least; memory of ours over its, at most. */
const SPEED = 1;
const MEMORY = 0.6;

/** What must hold at the anchor beside each PyTorch that was run; without one nothing is said. */
export function neuralFloors(data) {
  const anchors = Object.keys(data).filter((name) => name.startsWith("anchor, "));
  const middle = (name, key) => median(saidJson(data[name]).map((line) => line[key]));
  const [ours, others] = [
    anchors.find((name) => name.includes("@x/")),
    anchors.filter((name) => name.includes("PyTorch")),
  ];
  const lines = [];
  for (const other of others) {
    const ratio = (key) => middle(ours, key) / middle(other, key);
    if (saidJson(data[other]).length === 0) continue;
    const [speed, memory] = [ratio("cellsPerCpuSecond"), ratio("peak")];
    const line = (what, value, limit, ok) =>
      lines.push({ what: `${what}, beside ${other}`, value: Number(value.toFixed(3)), limit, ok });
    line("cells a CPU second", speed, `≥ ${SPEED}`, speed >= SPEED);
    line("peak memory", memory, `≤ ${MEMORY}`, memory <= MEMORY);
  }
  return lines;
}
