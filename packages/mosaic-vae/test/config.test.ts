import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkConfig, type MosaicConfig } from "../src/config.ts";
import { MOCK_FILES, type MockProblem, mock, mockConfig, readConfig } from "../src/index.ts";
import { finalValue, scheduleAt } from "../src/schedule.ts";
import { folder } from "./support.ts";

const at = folder();
const refusal = (config: unknown): unknown => {
  try {
    checkConfig(config as MosaicConfig);
    return undefined;
  } catch (e) {
    return e;
  }
};

describe("configurations", () => {
  it.each([
    [{ train: { epoch: 3 } }, "epochs"],
    [{ model: { latnet: 3 } }, "latent"],
    [{ loss: { heads: { sinkhron: {} } } }, "sinkhorn"],
    [{ model: { modalities: { rna: { likelyhood: "nb" } } } }, "likelihood"],
    [{ optim: {} }, undefined],
    [JSON.parse('{"__proto__": {"x": 1}}'), undefined],
    [{ constructor: { prototype: 1 } }, undefined],
  ])("an unknown key is refused with the nearest name: %j", (config, nearest) => {
    expect(refusal(config)).toMatchObject({ code: "UNKNOWN_OPTION", details: { nearest } });
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it.each([-1, 0, 1.5, Number.NaN, 1e9])("train.epochs %s is out of range", (epochs) => {
    expect(refusal({ train: { epochs } })).toMatchObject({ code: "OPTION_RANGE" });
  });

  it.each([
    { model: { fusion: "product" } },
    { model: 3 },
    { loss: { beta: "high" } },
    { loss: { beta: { kind: "piecewise" } } },
    { model: { hidden: 128 } },
    { model: { hidden: [] } },
    { model: { modalities: { rna: null } } },
    { model: { modalities: { rna: { likelihood: 3 } } } },
    { data: { modalities: { rna: null } } },
    { data: { modalities: { rna: { features: "uns/names" } } } },
    { data: { path: 3 } },
    { loss: { beta: [[0, 1]] } },
    { loss: { beta: { kind: "piecewise", points: [1, 2] } } },
    { loss: { beta: { kind: "piecewise", points: [[0, 1, 2]] } } },
    {
      loss: {
        beta: {
          kind: "piecewise",
          points: [
            [5, 1],
            [2, 0],
          ],
        },
      },
    },
    { loss: { heads: { bridge: { pairs: 5 } } } },
    { loss: { heads: { bridge: { pairs: [["a"]] } } } },
    { loss: { heads: { bridge: { provider: "seeded" } } } },
  ])("a wrong word is refused: %j", (config) => {
    expect(refusal(config)).toMatchObject({ code: "CONFIG" });
  });

  it("points that are no numbers are out of range", () => {
    const points = [[0, "a"]] as never;
    expect(refusal({ loss: { beta: { kind: "piecewise", points } } })).toMatchObject({
      code: "OPTION_RANGE",
    });
  });

  it("places as readers take them are taken", () => {
    const modalities = {
      rna: "layers/counts",
      adt: { at: "obsm/protein_expression", features: "uns/protein_names" },
    };
    expect(refusal({ data: { modalities } })).toBeUndefined();
  });

  it("those of the mock data are read; what is no YAML is refused with its line", () => {
    for (const problem of Object.keys(MOCK_FILES) as MockProblem[]) {
      const path = at.path(`${problem}.yaml`);
      writeFileSync(path, mockConfig(mock(problem, { cells: 20 }), "x.h5ad"));
      expect(readConfig(path).train?.epochs).toBe(50);
    }
    const path = at.path("bad.yaml");
    writeFileSync(path, "train:\n  epochs: [1\nmodel: 2\n");
    expect(() => readConfig(path)).toThrow(/bad\.yaml/);
    writeFileSync(path, "a: &a [x]\nmodel: *a\n");
    expect(() => readConfig(path)).toThrow(/^.*bad\.yaml:2:8.*aliases/);
  });
});

describe("schedules", () => {
  it("go from one value to the other and stay there", () => {
    const kinds = fc.constantFrom("linear" as const, "cosine" as const, "step" as const, "restarts" as const);
    fc.assert(
      fc.property(
        kinds,
        fc.nat(10),
        fc.nat(10),
        fc.integer({ min: 1, max: 50 }),
        (kind, from, to, epochs) => {
          const schedule = { kind, from, to, epochs };
          expect(scheduleAt(schedule, 0)).toBe(from);
          expect(scheduleAt(schedule, epochs)).toBe(to);
          expect(finalValue(schedule)).toBe(to);
          const middle = scheduleAt(schedule, epochs / 3);
          expect(middle).toBeGreaterThanOrEqual(Math.min(from, to));
          expect(middle).toBeLessThanOrEqual(Math.max(from, to));
        },
      ),
    );
  });

  it("follow points", () => {
    const schedule = {
      kind: "piecewise" as const,
      points: [
        [2, 1],
        [4, 3],
        [6, 0],
      ] as const,
    };
    expect([0, 2, 3, 5, 9].map((e) => scheduleAt(schedule, e))).toEqual([1, 1, 2, 1.5, 0]);
  });
});
