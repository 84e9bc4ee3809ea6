import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkOptions, checkRange, nearestName, resolveThreads } from "../src/options.ts";
import { type ProgressStream, progressText, terminalProgress } from "../src/progress.ts";
import { collectWarnings } from "../src/warnings.ts";

describe("checkRange", () => {
  it.each([-1, 0, 1.5, Number.NaN, 1e9, "10", undefined, null, Infinity])(
    "refuses %s for a chunk",
    (value) => {
      const check = (): number => checkRange("chunk", value, { min: 1, max: 1e6, integer: true });
      expect(check).toThrow(expect.objectContaining({ code: "OPTION_RANGE", exitCode: 2 }));
      expect(check).toThrow(/^chunk must be a whole number from 1 to 1000000, got /);
    },
  );

  it("gives back what is inside", () => {
    expect(checkRange("x", 0.5, { min: 0, max: 1 })).toBe(0.5);
    expect(() => checkRange("x", 2, { max: 1 })).toThrow("x must be a number of at most 1, got 2");
    expect(() => checkRange("x", 0, { min: 1 })).toThrow("x must be a number of at least 1, got 0");
  });
});

describe("checkOptions", () => {
  it("names the nearest option", () => {
    checkOptions({ chunk: 1 }, ["chunk", "seed"]);
    checkOptions(undefined, []);
    expect(() => checkOptions({ chunkSise: 1 }, ["chunkSize", "seed"], "genotypes()")).toThrow(
      "genotypes() has no option chunkSise; did you mean chunkSize?",
    );
    expect(() => checkOptions({ zzz: 1 }, ["chunk"])).toThrow(
      expect.objectContaining({ details: { option: "zzz", nearest: undefined } }),
    );
  });

  it("refuses __proto__ and constructor of a parsed file, and changes no prototype", () => {
    for (const text of ['{"__proto__": {"polluted": 1}}', '{"constructor": {"prototype": {}}}']) {
      expect(() => checkOptions(JSON.parse(text), ["chunk"])).toThrow(
        expect.objectContaining({ code: "UNKNOWN_OPTION" }),
      );
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("nearestName", () => {
  const names = ["threads", "seed", "memory-limit", "bfile", "out"];
  it.each([
    ["thread", "threads"],
    ["thraeds", "threads"],
    ["memorylimit", "memory-limit"],
    ["BFILE", "bfile"],
    ["quiet", undefined],
  ])("%s → %s", (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it("finds a name again after any one edit", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("threads", "memory-limit", "bfile"),
        fc.nat(),
        fc.constantFrom("", "z"),
        (name, at, put) => {
          const i = at % name.length;
          return nearestName(name.slice(0, i) + put + name.slice(i + 1), names) === name;
        },
      ),
    );
  });
});

describe("resolveThreads", () => {
  it("is all cores, or 1 to 1024", () => {
    expect(resolveThreads()).toBeGreaterThanOrEqual(1);
    expect(resolveThreads(512)).toBe(512);
    for (const bad of [0, -1, 1.5, 1025])
      expect(() => resolveThreads(bad)).toThrow(expect.objectContaining({ code: "OPTION_RANGE" }));
  });
});

describe("progress", () => {
  const stream = (isTTY: boolean): ProgressStream & { written: string[] } => {
    const written: string[] = [];
    return { isTTY, columns: 40, written, write: (s) => written.push(s) };
  };

  it("writes one line on terminals only, at most ten times a second", () => {
    const screen = stream(true);
    {
      using show = terminalProgress(screen);
      for (let i = 0; i <= 1000; i++) show({ stage: "read", done: i, total: 1000 });
    }
    const text = screen.written.join("");
    const lines = text.split("\r");
    expect(lines.length).toBeLessThan(8);
    expect(lines).toContain("\x1b[Kread 100% 1,000/1,000");
    expect(text.endsWith("\r\x1b[K")).toBe(true);

    const pipe = stream(false);
    terminalProgress(pipe)({ stage: "read", done: 1, total: 2 });
    expect(pipe.written).toEqual([]);
  });

  it("says how long is left", () => {
    expect(progressText({ stage: "scan", done: 250, total: 1000 }, 10_000)).toBe(
      "scan 25% 250/1,000 0:30 left",
    );
    expect(progressText({ stage: "scan", done: 1, total: 1000 }, 10_000)).toBe(
      "scan 0% 1/1,000 2:46:30 left",
    );
    expect(progressText({ stage: "scan", done: 12345, total: 0 }, 10_000)).toBe("scan 12,345");
  });
});

describe("collectWarnings", () => {
  it("keeps and forwards", () => {
    const seen: string[] = [];
    const list = collectWarnings((w) => seen.push(w.code));
    list.warn({ code: "A", message: "m", details: {} });
    expect(list.warnings).toHaveLength(1);
    expect(seen).toEqual(["A"]);
  });
});
