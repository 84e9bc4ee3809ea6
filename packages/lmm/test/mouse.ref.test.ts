// The must-hold lines on GEMMA's own example, when the shared data are there.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testsOf } from "../src/gemma/modes.ts";
import {
  associate,
  compareAssoc,
  compareKinship,
  type Eigen,
  eigen,
  joinSamples,
  Kinship,
  kinship,
  nullModel,
  writeGemmaAssoc,
} from "../src/index.ts";
import { gunzipText, mouse, squareText, tempFolder } from "./support/files.ts";

const there = existsSync(join(mouse, "mouse_hs1940.bed"));
if (!there)
  console.warn(
    `mouse_hs1940 is not at ${mouse}: its reference tests are skipped; the fixtures cover the same code`,
  );
const prefix = join(mouse, "mouse_hs1940");
const ref = (file: string): string => join(mouse, "ref", file);
const folder = tempFolder();
const close = (a: number, b: number, limit: number): void =>
  expect(Math.abs(a - b) / Math.abs(b)).toBeLessThanOrEqual(limit);

async function* rows(k: Kinship): AsyncGenerator<Float64Array> {
  for (let row = 0; row < k.samples; row += 100) {
    const count = Math.min(100, k.samples - row);
    const tile = k.tile(row, count, 0, k.samples);
    for (let i = 0; i < count; i++) yield tile.subarray(i * k.samples, (i + 1) * k.samples);
  }
}

/** The kinship as the reference run used it: GEMMA's own digits, made square from the lower triangle. */
async function referenceKinship(): Promise<string> {
  const path = join(folder, "k1.cXX.txt");
  if (existsSync(path)) return path;
  writeFileSync(path, squareText(ref("k1.cXX.lower.txt.gz")));
  return path;
}

describe.skipIf(!there)("mouse_hs1940 against GEMMA 0.98.5", () => {
  it("kinship: every entry within 1e-9 relative or 1e-12 absolute, the same variants kept", async () => {
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    expect([cohort.analyzed.length, cohort.drops.length]).toEqual([1410, 530]);
    await using k = await kinship(study, cohort);
    expect(k.filters?.kept).toBe(10768);
    const result = await compareKinship(rows(k), ref("k1.cXX.lower.txt.gz"));
    expect(result.problems).toEqual([]);
    expect(result.rows).toBe(1940);
    expect(result.columns[0]!.failures, JSON.stringify(result.columns[0]!.worst)).toBe(0);
  });

  it("eigenvalues of the reference K within 1e-8 relative, zero stays zero", async () => {
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    await using k = await Kinship.load(await referenceKinship(), study);
    await using e = await eigen(k, cohort, { consume: true });
    const expected = gunzipText(ref("eig.eigenD.txt.gz")).trim().split("\n").map(Number);
    expect(e.values.length).toBe(expected.length);
    expected.forEach((d, i) => {
      if (d === 0) expect(e.values[i]).toBe(0);
      else close(e.values[i]!, d, 1e-8);
    });
  });

  for (const [covariates, expected] of [
    [
      undefined,
      { pve: 0.609672, pveSe: 0.0327788, vg: 1.47914, ve: 0.340552, reml: -1584.07, mle: -1584.45 },
    ],
    [
      "covar2.txt",
      { pve: 0.612189, pveSe: 0.0326963, vg: 1.4901, ve: 0.339462, reml: -1581.81, mle: -1583.31 },
    ],
  ] as const)
    describe(covariates ?? "without covariates", async () => {
      const study = there ? await openPlink(prefix) : (undefined as never);
      const cohort = there
        ? await joinSamples(study, covariates ? { covariates: join(mouse, covariates) } : {})
        : (undefined as never);
      let e: Eigen;
      beforeAll(async () => {
        await using k = await Kinship.load(await referenceKinship(), study);
        e = await eigen(k, cohort, { consume: true });
      });
      afterAll(async () => {
        await e?.[Symbol.asyncDispose]();
        await study?.[Symbol.asyncDispose]();
      });

      it("null model within 1e-5", async () => {
        const h0 = await nullModel(cohort, e);
        // GEMMA's log has six digits.
        for (const key of ["pve", "pveSe", "vg", "ve"] as const) close(h0[key], expected[key], 1e-5);
        close(h0.logLik.reml, expected.reml, 1e-5);
        close(h0.logLik.mle, expected.mle, 1e-5);
        if (covariates) {
          for (const [j, b] of [0.0841797, -0.0567886, 0.00425484].entries()) close(h0.beta[j]!, b, 1e-5);
          for (const [j, s] of [0.0580942, 0.0377686, 0.0188562].entries()) close(h0.betaSe[j]!, s, 1e-5);
        } else close(h0.betaSe[0]!, 0.0155411, 1e-5);
      });

      it.each([1, 2, 3, 4] as const)(
        "-lmm %i: all 10,768 rows within tolerance, equal bytes",
        async (mode) => {
          const name = `lmm${mode}${covariates ? "_cov2" : ""}`;
          const path = join(folder, `${name}.assoc.txt`);
          const run = associate(study, cohort, e, { tests: testsOf(mode) });
          expect(await writeGemmaAssoc(run, path, { study })).toBe(10768);
          expect(run.filters.kept).toBe(10768);
          expect(run.work).toMatchObject({
            nullFits: 0,
            rotations: 10768,
            searches: { 1: 1, 2: 1, 3: 0, 4: 2 }[mode] * 10768,
          });
          const result = await compareAssoc(path, ref(`${name}.assoc.txt.gz`));
          expect(result.problems).toEqual([]);
          expect(result.headerEqual).toBe(true);
          for (const column of result.columns) expect(column.failures, JSON.stringify(column)).toBe(0);
          // The README's promise: not one byte differs.
          const [ours, theirs] = [readFileSync(path, "latin1"), gunzipText(ref(`${name}.assoc.txt.gz`))].map(
            (text) => text.trimEnd().split("\n"),
          );
          expect(ours!.length).toBe(10769);
          const different = ours!.flatMap((line, i) => (line === theirs![i] ? [] : [[line, theirs![i]]]));
          expect(different).toEqual([]);
        },
      );
    });
});
