import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type ReadTableOptions,
  readTable,
  splitFields,
  type TextTable,
  toNumbers,
  writeDelimited,
} from "../src/tables.ts";
import { code } from "./temp-folder.ts";

function table(text: string, options?: ReadTableOptions): Promise<TextTable> {
  return readTable(new TextEncoder().encode(text), { name: "t.txt", ...options });
}

describe("readTable", () => {
  it("reads columns between runs of spaces and tabs", async () => {
    const t = await table(" F1\tI1  0\nF2 I2\t\t1 \n");
    expect(t.names).toEqual(["column1", "column2", "column3"]);
    expect(t.columns).toEqual([
      ["F1", "F2"],
      ["I1", "I2"],
      ["0", "1"],
    ]);
    expect([t.rows, t.lineOf(0), t.lineOf(1)]).toEqual([2, 1, 2]);
  });

  it("takes names from a header, without the #", async () => {
    const t = await table("#FID IID y\nF1 I1 2\n", { header: true });
    expect(t.names).toEqual(["FID", "IID", "y"]);
    expect(t.column("y")).toEqual(["2"]);
    expect(t.lineOf(0)).toBe(2);
    expect(() => t.column("z")).toThrow(expect.objectContaining(code("COLUMN_MISSING")));
  });

  it.each([
    ["a b\n1 2\n", ["a", "b"]],
    ["#1 2\n1 2\n", ["1", "2"]],
    ["1 2\n3 4\n", ["column1", "column2"]],
    ["a b\nc d\n", ["column1", "column2"]],
    ["a b\n", ["column1", "column2"]],
  ])("guesses whether %j has a header", async (text, names) => {
    expect((await table(text, { header: "auto" })).names).toEqual(names);
  });

  it.each([
    ["a\tb c\n", [["a"], ["b c"]]],
    ["a,b c\n", [["a"], ["b c"]]],
    ["a b\n", [["a"], ["b"]]],
    ["a\t\tb\n", [["a"], [""], ["b"]]],
    ['"x, ""y""",,z\n', [['x, "y"'], [""], ["z"]]],
  ])("guesses the delimiter of %j", async (text, columns) => {
    expect((await table(text, { delimiter: "auto" })).columns).toEqual(columns);
  });

  it("keeps some columns in the order asked for", async () => {
    expect((await table("a b c\n1 2 3\n", { header: true, columns: ["c", "a"] })).columns).toEqual([
      ["3"],
      ["1"],
    ]);
    expect((await table("1 2 3\n", { columns: [1] })).columns).toEqual([["2"]]);
    await expect(table("1 2 3\n", { columns: [3] })).rejects.toMatchObject(code("COLUMN_MISSING"));
  });

  it("names the line with another number of fields", async () => {
    const refused = { code: "COLUMNS", details: { path: "t.txt", line: 3, expected: 2, found: 1 } };
    await expect(table("a b\nc d\ne\n")).rejects.toMatchObject(refused);
    await expect(table("a b\nc d\ne\n")).rejects.toThrow("t.txt:3: 1 fields, 2 expected");
    await expect(table("a b c\n", { width: 2 })).rejects.toMatchObject(code("COLUMNS"));
    await expect(table("a a\n1 2\n", { header: true })).rejects.toMatchObject(code("COLUMN_DUPLICATE"));
    await expect(table('"a,b\n', { delimiter: "comma" })).rejects.toMatchObject(code("QUOTE"));
    await expect(table("a b\n\nc d\n")).rejects.toMatchObject(code("BLANK_LINE"));
  });

  it("knows the line of a row when blank lines are skipped", async () => {
    const t = await table("h\n\n1\n2\n\n\n3\n", { header: true, blank: "skip" });
    expect(t.columns).toEqual([["1", "2", "3"]]);
    expect([0, 1, 2].map(t.lineOf)).toEqual([3, 4, 7]);
  });

  it("reads an empty file as no rows", async () => {
    expect(await table("")).toMatchObject({ rows: 0, names: [] });
    expect(await table("a b\n", { header: true })).toMatchObject({ rows: 0, names: ["a", "b"] });
  });
});

describe("round trips", () => {
  it("what writeDelimited writes, readTable reads", async () => {
    const cell = fc.string({ unit: "grapheme" }).map((s) => `_${s.replace(/[\s\0]/g, "")}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, fc.double(), cell)), async (rows) => {
        let text = "";
        const columns = [
          { name: "a", values: rows.map((r) => r[0]) },
          { name: "x", values: Float64Array.from(rows, (r) => r[1]) },
          { name: "b", values: rows.map((r) => r[2]) },
        ];
        const write = async (s: Uint8Array | string): Promise<void> => {
          text += s;
        };
        await writeDelimited({ write }, columns);
        const t = await table(text, { header: true, delimiter: "tab" });
        expect(t.column("a")).toEqual(columns[0]!.values);
        expect(t.column("b")).toEqual(columns[2]!.values);
        expect(t.column("x").map(Number)).toEqual(rows.map((r) => r[1] + 0));
      }),
    );
    let text = "";
    const writer = {
      write: async (s: Uint8Array | string): Promise<void> => {
        text += s;
      },
    };
    await writeDelimited(writer, [
      { name: "a", values: ["x"], format: (s) => s.toUpperCase() },
      { name: "b", values: Float64Array.of(0.25), format: (x) => x.toFixed(1) },
    ]);
    expect(text).toBe("a\tb\nX\t0.3\n");
    const write = writeDelimited({ write: async () => {} }, [
      { name: "a", values: [1] },
      { name: "b", values: [] },
    ]);
    await expect(write).rejects.toMatchObject(code("COLUMN_LENGTH"));
  });

  it("quoted fields survive", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
        const line = fields.map((f) => `"${f.replaceAll('"', '""')}"`).join(",");
        expect(splitFields(line, "comma")).toEqual(fields);
      }),
    );
  });
});

describe("toNumbers", () => {
  it("reads decimals, missing as NaN", () => {
    expect(toNumbers(["1", "NA", "-2.5e1"])).toEqual(Float64Array.of(1, Number.NaN, -25));
    expect(toNumbers(["-9", "3"], { missing: ["-9", "NA"] })).toEqual(Float64Array.of(Number.NaN, 3));
  });

  it.each([
    ["NaN", "PHENO_NAN"],
    ["nan", "PHENO_NAN"],
    ["inf", "PHENO_INF"],
    ["-Infinity", "PHENO_INF"],
    ["1e400", "PHENO_RANGE"],
    ["abc", "PHENO_PARSE"],
    ["1,5", "PHENO_PARSE"],
    ["0x1p3", "PHENO_PARSE"],
    ["1_000", "PHENO_PARSE"],
    ["1e", "PHENO_PARSE"],
    ["+-1", "PHENO_PARSE"],
    ["", "PHENO_PARSE"],
  ])("refuses %j as %s with file and line", (text, name) => {
    const options = { code: "PHENO", path: "p.txt", lineOf: (row: number) => row + 2, name: "height" };
    const refused = { code: name, details: { path: "p.txt", line: 3, row: 1, text } };
    expect(() => toNumbers(["1", text], options)).toThrow(expect.objectContaining(refused));
    expect(() => toNumbers(["1", text], options)).toThrow(/^p\.txt:3: height: ".*" is /);
  });

  it("takes subnormals and the largest doubles as they are", () => {
    expect(toNumbers(["5e-324", "1e-310", "1.7976931348623157e308"])).toEqual(
      Float64Array.of(5e-324, 1e-310, 1.7976931348623157e308),
    );
  });
});
