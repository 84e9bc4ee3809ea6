import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as arrow from "apache-arrow";
import * as old from "arrow-19";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  fromForeign,
  fromIpc,
  isRecordBatch,
  isTable,
  readIpcFile,
  tableFromColumns,
  toIpc,
  writeIpcFile,
} from "../src/arrow.ts";
import { isXError } from "../src/errors.ts";
import { dictionaryVector, utf8Vector, vectorOf } from "../src/vectors.ts";
import { code, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const rows = (table: arrow.Table): unknown[] => table.toArray().map((row) => row?.toJSON());
const refusal = (name: string): unknown => expect.objectContaining(code(name));

const sample = (): arrow.Table =>
  tableFromColumns({
    id: ["rs1", null, "größe", ""],
    x: Float64Array.of(1, Number.NaN, -0, 5e-324),
    y: [1, null, 3, 4],
    flag: [true, null, false, true],
    big: BigInt64Array.of(2n ** 53n + 1n, -1n, 0n, 2n ** 63n - 1n),
  });

describe("tableFromColumns", () => {
  it("makes columns of all kinds; null is missing, NaN is a value", () => {
    const t = sample();
    expect(t.schema.fields.map((f) => `${f.name}: ${f.type}`)).toEqual([
      "id: Utf8",
      "x: Float64",
      "y: Float64",
      "flag: Bool",
      "big: Int64",
    ]);
    expect(rows(t)[1]).toEqual({ id: null, x: Number.NaN, y: null, flag: null, big: -1n });
    expect(t.getChild("id")!.nullCount).toBe(1);
  });

  it("shares typed arrays", () => {
    const x = Int8Array.of(1, 2, 3);
    expect(tableFromColumns({ x }).getChild("x")!.data[0]!.values.buffer).toBe(x.buffer);
  });

  it("refuses columns of different lengths and of strange values", () => {
    expect(() => tableFromColumns({ a: [1], b: [1, 2] })).toThrow(refusal("COLUMN_LENGTH"));
    expect(() => vectorOf([{}] as unknown as number[])).toThrow(refusal("COLUMN_TYPE"));
    expect(tableFromColumns({}).numRows).toBe(0);
  });

  it("text columns hold any text", () => {
    const text = fc.option(fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(fc.array(text), (values) => {
        expect([...utf8Vector(values)]).toEqual(values);
        const dictionary = dictionaryVector(values);
        expect([...dictionary]).toEqual(values);
        expect(dictionary.data[0]!.dictionary!.length).toBe(new Set(values.filter((v) => v !== null)).size);
      }),
    );
  });
});

describe("tables of another apache-arrow", () => {
  const foreign = (): old.Table => {
    const [batch] = old.tableFromArrays({ a: Int32Array.of(1, 2, 3), s: ["x", "y", "x"] }).batches;
    return new old.Table([batch!.slice(1), batch!]);
  };

  it("are recognised by shape, where instanceof fails", () => {
    expect(foreign() instanceof arrow.Table).toBe(false);
    expect(isTable(foreign())).toBe(true);
    expect(isRecordBatch(foreign().batches[0])).toBe(true);
    expect(isTable(sample())).toBe(true);
    expect(isRecordBatch(sample())).toBe(false);
    for (const x of [null, 1, "t", {}, [], { schema: {} }])
      expect(isTable(x) || isRecordBatch(x)).toBe(false);
  });

  it("keep all rows through fromForeign and toIpc (apache-arrow alone writes none)", () => {
    const theirs = foreign();
    expect(arrow.tableFromIPC(arrow.tableToIPC(theirs as unknown as arrow.Table)).numRows).toBe(0);
    const expected = theirs.toArray().map((row) => row.toJSON());
    expect(rows(fromForeign(theirs))).toEqual(expected);
    expect(fromForeign(theirs) instanceof arrow.Table).toBe(true);
    expect(rows(fromIpc(toIpc(theirs as unknown as arrow.Table)))).toEqual(expected);
    expect(rows(fromForeign(old.tableToIPC(theirs)))).toEqual(expected);
    expect(fromForeign(theirs.batches[0]).numRows).toBe(2);
    expect(rows(fromIpc(toIpc(theirs as unknown as arrow.Table, "file")))).toEqual(expected); // one dictionary
  });

  it("come over with every type, nulls and slices included", () => {
    const t = new old.Table({
      n: old.vectorFromArray([1, null, 3], new old.Int16()),
      f: old.vectorFromArray([1.5, null, 3], new old.Float32()),
      b: old.vectorFromArray([true, null, false], new old.Bool()),
      u: old.vectorFromArray(["a", null, "ccc"], new old.Utf8()),
      d: old.vectorFromArray(["a", null, "a"], new old.Dictionary(new old.Utf8(), new old.Int8())),
      i64: old.vectorFromArray([1n, null, 2n ** 60n], new old.Int64()),
      bin: old.vectorFromArray([Uint8Array.of(1), null, Uint8Array.of(2, 3)], new old.Binary()),
      fsb: old.vectorFromArray([Uint8Array.of(1, 2), null, Uint8Array.of(3, 4)], new old.FixedSizeBinary(2)),
      list: old.vectorFromArray(
        [[1, 2], null, []],
        new old.List(new old.Field("item", new old.Float64(), true)),
      ),
      fsl: old.vectorFromArray(
        [[1, 2], [3, 4], null],
        new old.FixedSizeList(2, new old.Field("v", new old.Int8(), true)),
      ),
      time: old.vectorFromArray([1, null, 3], new old.TimestampMillisecond()),
      st: old.vectorFromArray(
        [{ p: 1 }, null, { p: 3 }],
        new old.Struct([new old.Field("p", new old.Int32(), true)]),
      ),
    });
    for (const part of [t, t.slice(1), t.slice(0, 2)]) {
      const ours = fromForeign(part);
      expect(JSON.stringify(rows(ours), big)).toBe(
        JSON.stringify(
          part.toArray().map((row) => row.toJSON()),
          big,
        ),
      );
      expect(fromIpc(toIpc(ours)).numRows).toBe(part.numRows);
    }
  });

  const big = (_: string, v: unknown): unknown => (typeof v === "bigint" ? `${v}n` : v);

  it("anything else is NOT_ARROW", () => {
    expect(() => fromForeign([1, 2])).toThrow(refusal("NOT_ARROW"));
    expect(fromForeign(sample()).numRows).toBe(4);
  });
});

describe("IPC", () => {
  it.each(["stream", "file"] as const)("keeps every value in a %s", (format) => {
    expect(rows(fromIpc(toIpc(sample(), format)))).toEqual(rows(sample()));
    expect(fromIpc(toIpc(sample().slice(0, 0), format)).schema.names).toEqual(sample().schema.names);
  });

  it("refuses batches of different columns instead of dropping rows", () => {
    const other = tableFromColumns({ z: [1] }).batches[0]!;
    expect(() => toIpc([sample().batches[0]!, other])).toThrow(refusal("ARROW_ROWS"));
    expect(() => toIpc([])).toThrow(refusal("ARROW_ROWS"));
  });

  it("a file needs one dictionary for all batches, a stream does not", async () => {
    const batches = ["a", "b"].map(
      (text) => new arrow.Table({ d: dictionaryVector([text], type) }).batches[0]!,
    );
    expect(rows(fromIpc(toIpc(batches)))).toEqual([{ d: "a" }, { d: "b" }]);
    expect(() => toIpc(batches, "file")).toThrow(refusal("ARROW_DICTIONARY"));
    await expect(writeIpcFile(at("dict.arrow"), batches)).rejects.toMatchObject(code("ARROW_DICTIONARY"));
  });

  const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());

  it("writes files batch by batch, atomically, and reads them back", async () => {
    const batch = sample().batches[0]!;
    const source = async function* (): AsyncGenerator<arrow.RecordBatch> {
      for (let i = 0; i < 3; i++) yield batch.slice(i);
    };
    expect(await writeIpcFile(at("a.arrow"), source())).toBe(9);
    const t = await readIpcFile(at("a.arrow"));
    expect(t.batches.length).toBe(3);
    expect(rows(t)).toEqual([...rows(sample()), ...rows(sample()).slice(1), ...rows(sample()).slice(2)]);
    expect(t.getChild("big")!.get(0)).toBe(2n ** 53n + 1n);
    expect(rows(arrow.tableFromIPC(readFileSync(at("a.arrow"))))).toEqual(rows(t));
    expect(rows(old.tableFromIPC(readFileSync(at("a.arrow"))) as unknown as arrow.Table)).toEqual(rows(t));

    expect(await writeIpcFile(at("empty.arrow"), [], { schema: sample().schema })).toBe(0);
    expect((await readIpcFile(at("empty.arrow"))).schema.names).toEqual(sample().schema.names);
    await expect(writeIpcFile(at("none.arrow"), [])).rejects.toMatchObject(code("ARROW_ROWS"));
    const failing = async function* (): AsyncGenerator<arrow.RecordBatch> {
      yield batch;
      throw new Error("source failed");
    };
    await expect(writeIpcFile(at("none.arrow"), failing())).rejects.toThrow("source failed");
    expect(existsSync(at("none.arrow"))).toBe(false);
  });
});

describe("damaged Arrow data", () => {
  const file = toIpc(
    tableFromColumns({
      id: ["rs1", "rs22", "rs333"],
      x: Float64Array.of(1, 2, 3),
      c: dictionaryVector(["1", "2", "1"]),
    }),
    "file",
  );

  it("a file cut anywhere is ARROW_FOOTER", async () => {
    for (const end of [0, 5, 6, 20, 21, file.length >> 1, file.length - 1]) {
      writeFileSync(at("cut.arrow"), file.subarray(0, end));
      await expect(readIpcFile(at("cut.arrow"))).rejects.toMatchObject(code("ARROW_FOOTER"));
    }
    writeFileSync(at("text.arrow"), "rs1 1 2\n");
    await expect(readIpcFile(at("text.arrow"))).rejects.toMatchObject(code("ARROW_FOOTER"));
    const wrong = file.slice();
    new DataView(wrong.buffer).setInt32(wrong.length - 10, 2 ** 30, true);
    expect(() => fromIpc(wrong)).toThrow(refusal("ARROW_FOOTER"));
  });

  it("a stream cut between or within messages is refused", () => {
    const stream = toIpc(sample());
    for (let end = 0; end < stream.length; end += 8)
      expect(() => fromIpc(stream.subarray(0, end))).toThrow(/./);
    expect(() => fromIpc(stream.subarray(0, stream.length - 8))).toThrow(refusal("ARROW_TRUNCATED"));
    expect(() => fromIpc(new TextEncoder().encode("not arrow at all"))).toThrow(refusal("ARROW_TRUNCATED"));
  });

  it("offsets that fall or point outside are ARROW_OFFSETS", () => {
    const offsets = [0, 3, 7, 12];
    const start = Buffer.from(file).indexOf(Buffer.from(Int32Array.from(offsets).buffer));
    expect(start).toBeGreaterThan(0);
    for (const bad of [
      [0, 7, 3, 12],
      [0, 3, 7, 2 ** 30],
      [-4, 3, 7, 12],
      [0, 3, 7, 13],
    ]) {
      const damaged = Buffer.from(file);
      damaged.set(new Uint8Array(Int32Array.from(bad).buffer), start);
      const read = (): unknown => fromIpc(damaged, "d.arrow");
      // one byte more is still inside the padding of the buffer, so it may be read
      if (bad[3] === 13) expect([undefined, "ARROW_OFFSETS"]).toContain(codeOf(read));
      else
        expect(read).toThrow(
          expect.objectContaining({
            code: "ARROW_OFFSETS",
            details: expect.objectContaining({ name: "id" }),
          }),
        );
    }
  });

  it("dictionary keys outside the dictionary are ARROW_OFFSETS", () => {
    const damaged = Buffer.from(file);
    const start = damaged.lastIndexOf(Buffer.from(Int32Array.of(0, 1, 0).buffer));
    damaged.writeInt32LE(7, start);
    expect(() => fromIpc(damaged)).toThrow(refusal("ARROW_OFFSETS"));
  });

  it("any flipped bytes give a table or an XError, quickly and without large memory", () => {
    const flips = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(flips, (changes) => {
        const damaged = Buffer.from(file);
        for (const [i, byte] of changes) damaged[i] = byte;
        try {
          const t = fromIpc(damaged);
          for (const column of t.schema.names) void [...t.getChild(column)!];
        } catch (e) {
          if (!isXError(e)) throw e;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (e) {
    return isXError(e) ? e.code : "other";
  }
}
