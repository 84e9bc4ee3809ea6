import { describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import { neuralFloors } from "../neural/floors.mjs";

describe("floors of the neural benchmark", () => {
  const said = (cellsPerCpuSecond: number, peak: number): object => ({
    outputs: [`${JSON.stringify({ cellsPerCpuSecond, peak })}\n`],
  });
  const fine = {
    "anchor, @x/mosaic-vae": said(3000, 450e6),
    "anchor, PyTorch, dense in memory": said(2900, 990e6),
    "anchor, PyTorch, compressed rows in memory": said(2800, 890e6),
    "mlp, 1 a call": said(1, 1),
  };
  const broken = (changes: object): string[] =>
    neuralFloors({ ...fine, ...changes })
      .filter((line: { ok: boolean }) => !line.ok)
      .map((line: { what: string }) => line.what);

  it("hold, and each of them can break", () => {
    expect(neuralFloors(fine)).toHaveLength(4);
    expect(broken({})).toEqual([]);
    expect(broken({ "anchor, PyTorch, dense in memory": said(3100, 990e6) })).toEqual([
      "cells a CPU second, beside anchor, PyTorch, dense in memory",
    ]);
    expect(broken({ "anchor, PyTorch, compressed rows in memory": said(2800, 700e6) })).toEqual([
      "peak memory, beside anchor, PyTorch, compressed rows in memory",
    ]);
    expect(broken({ "anchor, PyTorch, dense in memory": { failed: "not here" } })).toEqual([]);
  });
});
