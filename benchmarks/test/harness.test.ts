import { describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import * as compare from "../accuracy/compare.mjs";
// @ts-expect-error as above
import { compete, median } from "../lib/measure.mjs";
// @ts-expect-error as above
import { markdown, ratio, seconds } from "../lib/tables.mjs";

interface Line {
  what: string;
  ok: boolean;
  worst: number;
}

const node = (script: string) => ({ command: process.execPath, args: ["-e", script] });

const { compareAssociations, compareEigenvalues, compareKinship, compareText } = compare;

describe("the race", () => {
  it("runs contenders in turn and takes medians", async () => {
    const order: string[] = [];
    const contender = (name: string) => ({
      name,
      steps: [node("console.log(JSON.stringify({ a: 1 }))"), node("0")],
      before: () => order.push(name),
    });
    const results = await compete([contender("us"), contender("them")], { repeats: 3 });
    expect(order).toEqual(["us", "them", "them", "us", "us", "them"]);
    expect(results.us.runs).toHaveLength(3);
    expect(results.us.wall).toBeGreaterThan(0);
    expect(results.us.outputs.join("")).toContain('{"a":1}');
  });

  it("goes on when one fails and says why", async () => {
    const bad = { name: "bad", steps: [node("console.error('BED_SIZE too short'); process.exit(1)")] };
    const good = { name: "good", steps: [node("0")] };
    const results = await compete([bad, good], { repeats: 2 });
    expect(results.bad.failed).toBe("exit 1: BED_SIZE too short");
    expect(results.good.wall).toBeGreaterThan(0);
  });

  it("prints what a clock can promise", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([]), median([1, null])]).toEqual([
      2,
      2.5,
      null,
      null,
    ]);
    expect([seconds(0.01234), seconds(12.345), seconds(null)]).toEqual(["12.3 ms", "12.3 s", "–"]);
    expect([ratio(10, 4), ratio(null, 4), ratio(1, undefined)]).toEqual(["2.50×", "–", "–"]);
    expect(markdown(["a", "b"], [["1", 2]])).toBe("| a   | b   |\n|-----|-----|\n| 1   | 2   |");
  });
});

describe("the accuracy judge", () => {
  const reference = {
    header: "chr\trs\tps\tn_miss\tallele1\tallele0\taf\tbeta\tse\tlogl_H1\tl_remle\tp_wald",
    names: [
      "chr",
      "rs",
      "ps",
      "n_miss",
      "allele1",
      "allele0",
      "af",
      "beta",
      "se",
      "logl_H1",
      "l_remle",
      "p_wald",
    ],
    rows: [
      [
        "1",
        "a",
        "5",
        "0",
        "A",
        "G",
        "0.300",
        "1.000000e-01",
        "2.000000e-02",
        "-5.0e+01",
        "1.0e+00",
        "1.000000e-06",
      ],
    ],
  };
  const row = { id: "a", beta: 0.1, se: 0.02, logl_H1: -50, l_remle: 1, p_wald: 1e-6, log10p: 6 };
  const failing = (lines: Line[]) =>
    lines.filter((line) => !line.ok).map((line) => line.what.replace(/.*: /, ""));

  it("passes equal rows and names each column that is off", () => {
    expect(failing(compareAssociations([row], reference, "x").results)).toEqual([]);
    const changes = {
      beta: 0.1 + 1e-6,
      se: 0.02 * (1 + 1e-4),
      logl_H1: -50.01,
      l_remle: 1.001,
      log10p: 6.001,
    };
    for (const [name, value] of Object.entries(changes)) {
      const off = compareAssociations([{ ...row, [name]: value }], reference, "x");
      expect(failing(off.results)).toEqual([name === "log10p" ? "p_wald" : name]);
    }
  });

  it("lets no NaN pass, no missing row and no other SNP", () => {
    expect(failing(compareAssociations([{ ...row, beta: Number.NaN }], reference, "x").results)).toEqual([
      "beta",
    ]);
    expect(failing(compareAssociations([], reference, "x").results)).toEqual(["the same SNPs"]);
    expect(failing(compareAssociations([{ ...row, id: "b" }], reference, "x").results)).toEqual([
      "the same SNPs",
    ]);
    expect(failing(compareEigenvalues([Number.NaN], [1]))).toHaveLength(1);
    expect(failing(compareEigenvalues([1e-17, 1], [0, 1]))).toHaveLength(1);
    expect(failing(compareEigenvalues([0, 1 + 1e-9], [0, 1]))).toHaveLength(0);
  });

  it("judges a kinship by either floor, entry by entry", () => {
    const matrix = (values: number[][]) => ({ tile: (i: number) => Float64Array.from(values[i]!) });
    const lower = [[1], [1e-13, 2]];
    expect(failing(compareKinship(matrix([[1], [0, 2 + 1e-9]]), lower))).toEqual([]);
    expect(failing(compareKinship(matrix([[1 + 2e-9], [0, 2]]), lower))).toHaveLength(1);
    expect(failing(compareKinship(matrix([[1], [Number.NaN, 2]]), lower))).toHaveLength(1);
  });

  it("compares text columns as text and numbers by their shape", () => {
    expect(failing(compareText(reference, reference, "x"))).toEqual(["numbers of another format"]);
    const proper = {
      ...reference,
      rows: [[...reference.rows[0]!.slice(0, 9), "-5.000000e+01", "nan", "0.000000e+00"]],
    };
    expect(failing(compareText(proper, reference, "x"))).toEqual([]);
    const other = { ...proper, rows: [["1", "a", "5", "0", "A", "G", "0.3", ...proper.rows[0]!.slice(7)]] };
    expect(failing(compareText(other, reference, "x"))).toEqual(["text columns that differ"]);
  });
});
