import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type ByteSource, readChunks } from "../src/bytes.ts";
import { type Line, type ReadLinesOptions, readLineBlocks, readLines } from "../src/lines.ts";
import type { Warning } from "../src/warnings.ts";
import { code, runScript, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function read(source: ByteSource, options?: ReadLinesOptions): Promise<Line[]> {
  return collect(readLines(source, options));
}

async function texts(text: string | Uint8Array, options?: ReadLinesOptions): Promise<string[]> {
  const lines = await read(typeof text === "string" ? bytes(text) : text, options);
  return lines.map((line) => line.text);
}

/** The same bytes in pieces of these sizes, as pipes deliver them. */
async function* pieces(all: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of sizes) {
    yield all.slice(from, from + size);
    from += size;
  }
  yield all.slice(from);
}

describe("readLines", () => {
  it("numbers lines from 1 and accepts LF, CRLF and no final line end", async () => {
    const expected = [
      { number: 1, text: "a b" },
      { number: 2, text: "c" },
    ];
    for (const text of ["a b\nc\n", "a b\r\nc\r\n", "a b\nc", "a b\r\nc", "a b\nc\r\n"]) {
      expect(await read(bytes(text))).toEqual(expected);
    }
    expect(await read(bytes(""))).toEqual([]);
  });

  it("gives the same lines however the bytes arrive, compressed or not", async () => {
    const word = fc.string({ unit: "grapheme", minLength: 1 }).map((s) => `_${s.replace(/[\s\0]/g, "")}`);
    const end = fc.constantFrom("\n", "\r\n");
    const cuts = fc.array(fc.nat(9));
    await fc.assert(
      fc.asyncProperty(
        fc.array(word),
        end,
        fc.boolean(),
        cuts,
        fc.boolean(),
        async (words, eol, last, sizes, gz) => {
          const plain = bytes(words.join(eol) + (last && words.length > 0 ? eol : ""));
          const lines = await read(pieces(gz ? gzipSync(plain) : plain, sizes));
          expect(lines.map((l) => l.text)).toEqual(words);
          expect(lines.map((l) => l.number)).toEqual(words.map((_, i) => i + 1));
        },
      ),
    );
  });

  it("reads gzip of several members, as bgzip writes it", async () => {
    const members = Buffer.concat([gzipSync("a\nb"), gzipSync("c\nd\n"), gzipSync("")]);
    expect(await texts(members)).toEqual(["a", "bc", "d"]);
  });

  it("strips a byte order mark with a warning", async () => {
    const warnings: Warning[] = [];
    expect(await texts("\ufeffF1 I1\n", { warn: (w) => warnings.push(w), name: "a.fam" })).toEqual(["F1 I1"]);
    expect(warnings).toMatchObject([{ code: "BOM_STRIPPED", details: { path: "a.fam" } }]);
  });

  it("reports bytes read", async () => {
    const seen: number[] = [];
    await texts("ab\ncd\n", { onProgress: (p) => seen.push(p.done) });
    expect(seen).toEqual([6]);
  });
});

describe("what readLines refuses", () => {
  const utf16 = (text: string): Uint8Array => Buffer.from(text, "utf16le");
  it.each([
    ["NUL_BYTE", bytes("a b\nc\0 d\n"), { line: 2, byte: 5 }],
    ["ENCODING", Buffer.concat([Buffer.from([0xff, 0xfe]), utf16("a b\n")]), { line: 1 }],
    ["ENCODING", Buffer.from([0xfe, 0xff, 0, 65]), { line: 1 }],
    ["ENCODING", utf16("F1 I1 0 0 1 2\n"), { line: 1 }],
    [
      "ENCODING",
      Buffer.concat([bytes("a\nböh\nc"), Buffer.from([0xe9]), bytes("t\n")]),
      { line: 3, byte: 8 },
    ],
    ["ENCODING", Buffer.concat([bytes("a\n"), Buffer.from([0xe2, 0x82])]), { line: 2 }],
    ["BLANK_LINE", bytes("a\n\n\nb\n"), { line: 2 }],
    ["BLANK_LINE", bytes("a\n \t \nb\n"), { line: 2 }],
    ["BLANK_LINE", bytes("\na\n"), { line: 1 }],
    ["LINE_ENDING", bytes("a\rb\nc\n"), { line: 1, column: 2 }],
    ["COMPRESSED", bytes("BZh91AY&SY"), {}],
    ["COMPRESSED", zstdCompressSync("a\n"), {}],
    ["GZIP_TRUNCATED", gzipSync("some text\n".repeat(1000)).subarray(0, -20), {}],
    ["GZIP_TRUNCATED", gzipSync("a\n").subarray(0, 11), {}],
    ["GZIP_CORRUPT", gzipSync("some text\n").fill(0x55, 12, 16), {}],
  ])("%s", async (name, input, details) => {
    await expect(texts(input)).rejects.toMatchObject({ code: name, details });
  });

  it("blank lines may be skipped or kept, those at the end are dropped", async () => {
    expect(await texts("a\nb\n\n \n")).toEqual(["a", "b"]);
    expect(await read(bytes("\na\n\nb\n\n"), { blank: "skip" })).toEqual([
      { number: 2, text: "a" },
      { number: 4, text: "b" },
    ]);
    expect(await texts("a\n\nb\n\n", { blank: "keep" })).toEqual(["a", "", "b", ""]);
  });

  it("ENOENT, NOT_A_FILE with the path", async () => {
    mkdirSync(at("dir"));
    await expect(read(at("none"))).rejects.toMatchObject({ code: "ENOENT", details: { path: at("none") } });
    await expect(read(at("dir"))).rejects.toMatchObject(code("NOT_A_FILE"));
  });

  it("stops on abort, before and during the read", async () => {
    const reason = new Error("enough");
    await expect(read(bytes("a\n"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    writeFileSync(at("long"), "line\n".repeat(1_000_000));
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of readLineBlocks(at("long"), { signal: controller.signal }))
        controller.abort(reason);
    };
    await expect(run()).rejects.toBe(reason);
  });
});

describe("limits", () => {
  it("accepts alleles of 100 kB and refuses a field above the limit, with its line", async () => {
    const long = "A".repeat(100_000);
    expect(await texts(`1 rs1 0 1 ${long} C\n`)).toEqual([`1 rs1 0 1 ${long} C`]);
    const refused = { code: "FIELD_TOO_LONG", details: { line: 2 } };
    await expect(texts("a b\nc 12345678901\n", { maxField: 10 })).rejects.toMatchObject(refused);
    expect(await texts("a b\n1234567890 1234567890\t1234567890\n", { maxField: 10 })).toHaveLength(2);
    expect(await texts("1234567890,1234567890\n", { maxField: 10, delimiter: "," })).toHaveLength(1);
    await expect(texts("1234567890,1234567890\n", { maxField: 10 })).rejects.toMatchObject(
      code("FIELD_TOO_LONG"),
    );
  });

  it("counts a field across chunks", async () => {
    const cut = fc.array(fc.nat(7), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cut, fc.integer({ min: 5, max: 14 }), async (sizes, length) => {
        const run = read(pieces(bytes(`ab cd\nxy ${"z".repeat(length)} w\nq\n`), sizes), { maxField: 9 });
        if (length <= 9) expect(await run).toHaveLength(3);
        else await expect(run).rejects.toMatchObject({ code: "FIELD_TOO_LONG", details: { line: 2 } });
      }),
    );
  });

  it("a long line of short fields is fine up to maxLine", async () => {
    const line = "0 ".repeat(2_000_000);
    expect(await texts(`${line}\n`)).toEqual([line]);
    await expect(texts(`${line}\n`, { maxLine: 3_000_000 })).rejects.toMatchObject(code("LINE_TOO_LONG"));
  });

  it("a field of 100 MB costs little memory, also when it comes out of gzip", async () => {
    const script = `
      import { readLines } from "$SRC/lines.ts";
      import { gzipSync } from "node:zlib";
      import { writeFileSync } from "node:fs";
      async function* big() { for (let i = 0; i < 100; i++) yield new Uint8Array(1e6).fill(65); }
      const before = process.memoryUsage.rss();
      try { for await (const _ of readLines(big())); } catch (e) { console.log(e.code); }
      console.log((process.resourceUsage().maxRSS * 1024 - before) < 60e6);
      const path = process.argv[2];
      writeFileSync(path, gzipSync(Buffer.alloc(3e7, "A")));
      try { for await (const _ of readLines(path)); } catch (e) { console.log(e.code); }`;
    const { stdout } = await runScript(folder, script, { args: [at("bomb.gz")] }).exit;
    expect(stdout).toBe("FIELD_TOO_LONG\ntrue\nFIELD_TOO_LONG\n");
  });
});

describe("readChunks", () => {
  it("hands on the file's bytes", async () => {
    const data = new Uint8Array(3_000_000).map((_, i) => i * 31);
    writeFileSync(at("chunks"), data);
    const chunks = await collect(readChunks(at("chunks")));
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
  });

  it("reads standard input and pipes", async () => {
    const script = `
      import { readLines } from "$SRC/lines.ts";
      for await (const line of readLines(process.argv[2] ?? "-")) console.log(line.number, line.text);`;
    const stdin = await runScript(folder, script, { shell: "printf 'a\\nb\\n' | $SCRIPT" }).exit;
    expect(stdin.stdout).toBe("1 a\n2 b\n");
    const fifo = at("pipe");
    const shell = `mkfifo '${fifo}'; (printf 'c\\n' > '${fifo}' &) ; $SCRIPT '${fifo}'`;
    expect((await runScript(folder, script, { shell }).exit).stdout).toBe("1 c\n");
  });
});
