// Models of our own simulated data beside mgcv 1.8-41's numbers (fixtures/mgcv.R): these tests need nothing but the checkout.
import { describe, expect, it } from "vitest";
import { factorOf } from "../src/data/columns.ts";
import { fit, type Method, parseFamily, readData } from "../src/index.ts";
import { fixture, readJson, visits } from "./support/files.ts";

interface Golden {
  rows: number[];
  models: {
    formula: string;
    family: string;
    method: Method;
    deviance: number;
    scale: number;
    edf: number;
    terms: number | number[];
    names: string | string[];
    coefficients: number | number[];
    link: number[];
    se: (number | null)[];
  }[];
}

const golden = readJson<Golden>(fixture("mgcv.json"));
const [first, more] = await Promise.all([readData(visits), readData(fixture("visits-more.csv"))]);
const column = (name: string) => {
  const c = (first.names.includes(name) ? first : more).column(name);
  return c.kind === "number" ? c.values : Array.from(c.codes, (k) => (k < 0 ? null : c.levels[k]!));
};
const names = ["subject", "dose", "age", "responded", "half", "amount", "count"];
const data = Object.fromEntries(names.map((n) => [n, column(n)]));
const list = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);

describe("mgcv on visits.csv", () => {
  for (const m of golden.models) {
    const name = `${m.formula}, ${m.family}, ${m.method}`;
    it(name, async () => {
      const tolerance = m.family === "gaussian" ? 1e-6 : 1e-5;
      const model = await fit(m.formula, data, { family: parseFamily(m.family), method: m.method });
      const near = (ours: number, theirs: number): void => {
        expect(Math.abs(ours - theirs) / Math.max(Math.abs(theirs), 1e-2)).toBeLessThan(tolerance);
      };
      near(model.deviance, m.deviance);
      near(model.scale, m.scale);
      near(model.edf, m.edf);
      list(m.terms).forEach((edf, i) => {
        // A term without effect has no finite smoothing parameter: its edf is compared absolutely.
        expect(Math.abs(model.terms[i]!.edf - edf)).toBeLessThan(Math.max(1e-4, tolerance * edf));
      });
      expect(model.parametric.map((c) => c.name)).toEqual(list(m.names));
      list(m.coefficients).forEach((b, i) => {
        near(model.parametric[i]!.estimate, b);
      });
      const rows = Uint32Array.from(golden.rows, (r) => r - 1);
      const pick = Object.fromEntries(names.map((n) => [n, Array.from(rows, (r) => data[n]![r]!)]));
      const p = await model.predict(pick as never, { se: true });
      m.link.forEach((v, i) => {
        near(p.fit[0]![i]!, v);
      });
      m.se.forEach((v, i) => {
        if (v !== null) near(p.se![0]![i]!, v);
      });
    });
  }
});

it("levels of a text column sort as R sorts them", () => {
  expect(factorOf(["b", "a", "B", "A", "10", "9"]).levels).toEqual(["10", "9", "a", "A", "b", "B"]);
});
