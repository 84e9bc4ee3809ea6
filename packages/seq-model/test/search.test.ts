// Searching for good options: what is drawn, who goes on, and that a stopped search comes to the same end.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SearchSpace, search, type TrialRun } from "../src/index.ts";
import { failure, tempFolder } from "./support/files.ts";

const space: SearchSpace = {
  lr: { log: [1e-5, 1e-1] },
  layers: { choice: [1, 2, 4] },
  dropout: { uniform: [0, 0.5] },
  width: { int: [8, 16] },
};

/** Best near lr = 1e-3; more budget is better. */
const score = async ({ values, budget }: TrialRun): Promise<number> =>
  (Math.log10(values.lr as number) + 3) ** 2 + 1 / budget;

describe("15.2 search", () => {
  it("draws within the space, the same for a seed, each option by itself", async () => {
    const runs = (
      await search(score, { space, trials: 40, strategy: "random", budget: 1, folder: tempFolder() })
    ).runs;
    for (const { values } of runs) {
      expect(values.lr).toBeGreaterThanOrEqual(1e-5);
      expect(values.lr).toBeLessThanOrEqual(1e-1);
      expect([1, 2, 4]).toContain(values.layers);
      expect(values.width).toSatisfy((w: number) => Number.isInteger(w) && w >= 8 && w <= 16);
    }
    expect(new Set(runs.map(({ values }) => values.layers)).size).toBe(3);
    const logs = runs.map(({ values }) => Math.log10(values.lr as number));
    // Even in the logarithm: mean −3, standard error 0.18.
    expect(Math.abs(logs.reduce((a, b) => a + b, 0) / 40 + 3)).toBeLessThan(0.6);
    const { layers: _, ...fewer } = space;
    const without = await search(score, {
      space: fewer,
      trials: 3,
      strategy: "random",
      budget: 1,
      folder: tempFolder(),
    });
    expect(without.runs.map(({ values }) => values.lr)).toEqual(
      runs.slice(0, 3).map(({ values }) => values.lr),
    );
  });

  it("halving: the best third goes on with thrice the budget", async () => {
    const { runs, best } = await search(score, { space, trials: 9, budget: 9, folder: tempFolder() });
    expect(runs.map(({ budget }) => budget)).toEqual([...Array(9).fill(1), 3, 3, 3, 9]);
    expect(runs.at(-1)).toMatchObject({ from: 3, budget: 9 });
    const first = runs.slice(0, 9).toSorted((a, b) => a.score! - b.score!);
    expect(runs.slice(9, 12).map(({ trial }) => trial)).toEqual(first.slice(0, 3).map(({ trial }) => trial));
    expect(best).toEqual(runs.at(-1));
  });

  it("a larger score can be the better one", async () => {
    const { runs, best } = await search(score, {
      space,
      trials: 6,
      budget: 1,
      direction: "max",
      folder: tempFolder(),
    });
    expect(best!.score).toBe(Math.max(...runs.map((r) => r.score!)));
  });

  it("stopped anywhere, it goes on to the same end, and makes no run twice", async () => {
    const whole = tempFolder();
    const options = { space, trials: 9, budget: 9 };
    await search(score, { ...options, folder: whole });
    const folder = tempFolder();
    let made = 0;
    for (;;) {
      const stop = new AbortController();
      let left = 4;
      const run = async (trial: TrialRun): Promise<number> => {
        expect(existsSync(trial.folder)).toBe(true);
        if (left-- === 0) stop.abort();
        stop.signal.throwIfAborted();
        made++;
        return score(trial);
      };
      try {
        await search(run, { ...options, folder, signal: stop.signal });
        break;
      } catch (e) {
        expect((e as Error).name).toBe("AbortError");
      }
    }
    expect(made).toBe(13);
    expect(readFileSync(join(folder, "search.json"), "utf8")).toBe(
      readFileSync(join(whole, "search.json"), "utf8"),
    );
  });

  it("a run that fails is the worst, and does not end the search", async () => {
    const run = async (trial: TrialRun): Promise<number> => {
      if (trial.trial === 0) throw new Error("out of memory");
      return trial.trial === 1 ? Number.NaN : score(trial);
    };
    const { runs, best } = await search(run, {
      space,
      trials: 4,
      strategy: "random",
      budget: 1,
      folder: tempFolder(),
    });
    expect(runs[0]).toMatchObject({ score: null, error: "out of memory" });
    expect(runs[1]).toMatchObject({ score: null, error: "the score is NaN" });
    expect([2, 3]).toContain(best!.trial);
    const none = await search(() => Promise.reject(new Error("no")), {
      space,
      trials: 2,
      budget: 1,
      folder: tempFolder(),
    });
    expect(none.best).toBeUndefined();
  });

  it("mistakes are named", async () => {
    const folder = tempFolder();
    await search(score, { space, trials: 2, budget: 1, folder });
    const again = (changes: object) =>
      failure(() => search(score, { space, trials: 2, budget: 1, folder, ...changes }));
    expect((await again({ seed: 1 })).code).toBe("SEARCH_FOLDER");
    expect((await again({ budget: 0 })).code).toBe("OPTION_RANGE");
    for (const bad of [
      null,
      [],
      {},
      { lr: 1 },
      { lr: { log: [0, 1] } },
      { lr: { uniform: [2, 1] } },
      { lr: { int: [0.5, 2] } },
      { lr: { choice: [] } },
      { lr: { choice: [{}] } },
      { lr: { normal: [0, 1] } },
      { lr: { log: [1, 2], int: [1, 2] } },
    ])
      expect((await again({ space: bad })).code, JSON.stringify(bad)).toBe("SEARCH_SPACE");
    writeFileSync(join(folder, "search.json"), "{");
    expect((await again({})).code).toBe("SEARCH_FOLDER");
  });
});
