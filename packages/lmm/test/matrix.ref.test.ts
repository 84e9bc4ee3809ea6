// {modes, with and without environment} × {1, 2, 3 columns of W, no column of ones, NA} × {p > n, p < n, 1,000 × 10,000}
// × {1, 2 threads} × {chunks of 1, 7, 4096} against GEMMA 0.98.5 (golden/make-matrix.ts has the command lines).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ASSOC_TOLERANCES } from "../src/index.ts";
import { differences } from "./support/assoc-difference.ts";
import {
  dualDesign,
  type MatrixDesign,
  type MatrixFileset,
  matrixDesign,
  matrixFileset,
  matrixText,
  oracles,
} from "./support/matrix.ts";
import { DESIGNS, FILESETS, names, RUNS } from "./support/matrix-cases.ts";

/** GEMMA's -lmm 9 with -gxe compares likelihoods of different models and prints p_lrt = 1; it is not in the matrix. */
describe.each(names(FILESETS))("%s", (name) => {
  let fileset: MatrixFileset;
  beforeAll(async () => {
    fileset = await matrixFileset(name);
  });
  afterAll(async () => {
    await fileset?.[Symbol.asyncDispose]();
  });

  describe.each(names(DESIGNS))("%s", (which) => {
    const expected = oracles(name, which);
    let design: MatrixDesign;
    beforeAll(async () => {
      design = await matrixDesign(fileset, which);
    });
    afterAll(async () => {
      await design?.[Symbol.asyncDispose]();
    });

    it.each(names(RUNS))("%s", async (run) => {
      const text = await matrixText(fileset, design, run, { threads: 2 });
      for (const [column, worst] of differences(text, expected.get(run)!))
        expect(worst.difference, `${column}: ${JSON.stringify(worst)}`).toBeLessThanOrEqual(
          ASSOC_TOLERANCES[column]!.limit,
        );
      // Blocks of one variant of the large fileset would be 90,000 reads of the file.
      const chunks = name === "large" ? [] : [1, 7];
      for (const chunk of [...chunks, 4096])
        for (const threads of [1, 2])
          if (chunk < 4096 || (threads === 1 && (name !== "large" || run === "lmm4")))
            expect((await matrixText(fileset, design, run, { threads, chunk })) === text).toBe(true);
    });

    // The p × p problem of 10,000 variants takes minutes: benchmarks/accuracy/lmm-simulated.mjs has it.
    if (name === "large") return;
    describe("by the dual route", () => {
      let dual: MatrixDesign;
      beforeAll(async () => {
        dual = await dualDesign(fileset, which);
      });
      afterAll(async () => {
        await dual?.[Symbol.asyncDispose]();
      });

      it.each(names(RUNS).filter((run) => !RUNS[run].gxe))("%s", async (run) => {
        const text = await matrixText(fileset, dual, run, { threads: 2 });
        for (const [column, worst] of differences(text, expected.get(run)!))
          expect(worst.difference, `${column}: ${JSON.stringify(worst)}`).toBeLessThanOrEqual(
            ASSOC_TOLERANCES[column]!.limit,
          );
        for (const [chunk, threads] of [
          [1, 2],
          [7, 1],
          [4096, 1],
        ] as const)
          expect((await matrixText(fileset, dual, run, { threads, chunk })) === text).toBe(true);
      });
    });
  });
});
