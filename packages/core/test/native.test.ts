import { describe, expect, it } from "vitest";

import { xError } from "../src/errors.ts";
import { fromNative, runNative } from "../src/native.ts";
import type { Progress } from "../src/progress.ts";

/** A kernel that counts to `total`, a step every 10 ms, and stops when cancelled. */
class FakeJob {
  done = 0;
  total = 0;
  cancelled = false;
  cancel(): void {
    this.cancelled = true;
  }
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function kernel(job: FakeJob, total: number): Promise<string> {
  job.total = total;
  for (; job.done < total; job.done++) {
    await wait(10);
    if (job.cancelled) throw new Error("CANCELLED|the call was cancelled|{}");
  }
  return "result";
}

describe("runNative", () => {
  it("gives the result and reports the counters", async () => {
    const seen: Progress[] = [];
    const options = { stage: "count", onProgress: (p: Progress) => void seen.push(p) };
    expect(await runNative(FakeJob, (job) => kernel(job, 30), options)).toBe("result");
    expect(seen.at(-1)).toEqual({ stage: "count", done: 30, total: 30 });
    expect(seen.every((p, i) => i === 0 || p.done > seen[i - 1]!.done)).toBe(true);
  });

  it("cancels the job on abort, waits for it and rejects with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let settled = false;
    const run = runNative(FakeJob, (job) => kernel(job, 1000).finally(() => (settled = true)), controller);
    setTimeout(() => controller.abort(reason), 30);
    await expect(run).rejects.toBe(reason);
    expect(settled).toBe(true);
  });

  it("does not start when already aborted", async () => {
    const start = (): never => {
      throw new Error("started");
    };
    await expect(runNative(FakeJob, start, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
  });

  it("turns failures into XErrors", async () => {
    const fail = async (): Promise<never> => {
      throw new Error('EIGEN_CHECK|residual 1 | too large|{"residual":1e-3,"row":NaN,"max":-inf}');
    };
    await expect(runNative(FakeJob, fail)).rejects.toMatchObject({
      code: "EIGEN_CHECK",
      message: "residual 1 | too large",
      details: { residual: 0.001, row: null, max: null },
    });
  });

  it("an error of onProgress cancels the job and comes out", async () => {
    const bad = new Error("callback");
    const onProgress = (): never => {
      throw bad;
    };
    await expect(runNative(FakeJob, (job) => kernel(job, 1000), { onProgress })).rejects.toBe(bad);
  });
});

describe("fromNative", () => {
  it("keeps what is not in the native form", () => {
    const raw = new TypeError("Expect value to be Uint8Array");
    expect(fromNative(raw)).toMatchObject({ code: "NATIVE", cause: raw });
    expect(fromNative("text")).toMatchObject({ code: "NATIVE", message: "text" });
    const e = xError("A", "b");
    expect(fromNative(e)).toBe(e);
    expect(fromNative(new Error("ALLOC|no memory|{broken}"))).toMatchObject({
      code: "ALLOC",
      details: { raw: "{broken}" },
    });
  });
});
