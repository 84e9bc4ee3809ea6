// Where a default or a rare combination decides, beside mgcv 1.8-41's numbers (golden/make_edges.R).
import { describe, expect, it } from "vitest";
import { fit, type Method, parseFamily, readData } from "../src/index.ts";
import { golden, readJson } from "./support/files.ts";

interface Golden {
  rows: number[];
  models: {
    formula: string;
    family: string;
    method: Method;
    gamma: number;
    coefficients: number;
    deviance: number;
    edf: number;
    scale: number;
    criterion: number;
    logLik: number | null;
    link: number[];
    se: number[];
  }[];
}

const all = readJson<Golden>(golden("edges.json"));
const data = await readData(golden("more.csv"));

const error = (ours: number, theirs: number, floor: number): number =>
  Math.abs(ours - theirs) / Math.max(Math.abs(theirs), floor);

describe("mgcv at the edges", () => {
  it.each(all.models.map((m) => [`${m.formula}, ${m.family}, ${m.method}, ${m.gamma}`, m] as const))(
    "%s",
    async (_name, m) => {
      const model = await fit(m.formula, data, {
        family: parseFamily(m.family),
        method: m.method,
        gamma: m.gamma,
      });
      const p = await model.predict(data, { se: true });
      const worst = (ours: Float64Array, theirs: number[], floor: number): number =>
        Math.max(...theirs.map((v, i) => error(ours[all.rows[i]! - 1]!, v, floor)));
      const off = {
        coefficients: model.coefficients.length - m.coefficients,
        deviance: error(model.deviance, m.deviance, 1e-2),
        edf: error(model.edf, m.edf, 10),
        scale: error(model.scale, m.scale, 1e-2),
        logLik: m.logLik === null ? 0 : error(model.logLik, m.logLik, 1),
        link: worst(p.fit[0]!, m.link, 1),
        se: worst(p.se![0]!, m.se, 1e-2),
      };
      const large = Object.entries(off).filter(([, v]) => !(Math.abs(v) < 1e-5));
      expect(large).toEqual([]);
    },
  );
});
