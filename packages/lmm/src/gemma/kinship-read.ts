import { createGunzip } from "node:zlib";
import { type InputFile, isXError, type OnProgress, openInput, type XError } from "@x/core/base";
import { type LmmErrorCode, lmmFileError } from "../errors.ts";
import { type Matrix, matrixReader } from "../native.ts";

const CHUNK = 1 << 20;
const NEWLINE = 10;

type MatrixCode = "KIN_N" | "KIN_SHAPE" | "KIN_NAN" | "KIN_PARSE" | "KIN_TRUNCATED";

/** What a square text matrix holds, for its messages: the reader in Rust knows kinships only. */
export interface MatrixKind {
  readonly codes: Readonly<Record<MatrixCode, LmmErrorCode>>;
  readonly stage: string;
  people(n: number): string;
}

const KINSHIP: MatrixKind = {
  codes: {
    KIN_N: "KIN_N",
    KIN_SHAPE: "KIN_SHAPE",
    KIN_NAN: "KIN_NAN",
    KIN_PARSE: "KIN_PARSE",
    KIN_TRUNCATED: "KIN_TRUNCATED",
  },
  stage: "reading kinship",
  people: (n) => `the fileset has ${n} people`,
};

/**
 * Reads GEMMA's square text matrix, plain or gzip.
 * @throws KIN_TRUNCATED (no final newline, or rows missing), KIN_SHAPE with the line, KIN_N when it is square but of
 * another size, KIN_NAN, KIN_PARSE with line and column.
 */
export async function readKinshipText(
  path: string,
  n: number,
  options: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined },
  kind: MatrixKind = KINSHIP,
): Promise<Matrix> {
  const { signal } = options;
  await using file = openInput(path);
  const reader = matrixReader(n);
  const shape = new Shape();
  try {
    for await (const chunk of chunks(file, kind)) {
      signal?.throwIfAborted();
      shape.add(chunk);
      reader.push(chunk);
      options.onProgress?.({ stage: kind.stage, done: shape.bytes, total: file.size });
    }
    if (shape.last !== NEWLINE)
      throw lmmFileError(
        kind.codes.KIN_TRUNCATED,
        path,
        `the last line has no end: the file was cut after ${shape.bytes} bytes.`,
        {
          line: shape.lines + 1,
          byte: shape.bytes,
        },
      );
    return reader.finish();
  } catch (e) {
    throw isXError(e) ? await explain(e, path, n, file, kind) : e;
  }
}

async function* chunks(file: InputFile, kind: MatrixKind): AsyncGenerator<Uint8Array> {
  const head = await file.read(0, Math.min(2, file.size));
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const unpack = createGunzip();
    const feed = (async () => {
      for await (const chunk of raw(file))
        if (!unpack.write(chunk)) await new Promise((go) => unpack.once("drain", go).once("close", go));
      unpack.end();
    })();
    feed.catch((e: Error) => unpack.destroy(e));
    try {
      for await (const chunk of unpack) yield chunk as Uint8Array;
    } catch (cause) {
      throw lmmFileError(
        kind.codes.KIN_TRUNCATED,
        file.path,
        `the gzip stream is damaged or cut: ${(cause as Error).message}`,
        { cause },
      );
    }
    return;
  }
  yield* raw(file);
}

async function* raw(file: InputFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += CHUNK) yield file.read(at, Math.min(CHUNK, file.size - at));
  file.check();
}

/** What the file looks like, to tell a matrix of other people from a broken one. */
class Shape {
  bytes = 0;
  lines = 0;
  last = 0;
  /** Fields on the first line. */
  columns = 0;

  add(chunk: Uint8Array): void {
    if (this.lines === 0) {
      const end = chunk.indexOf(NEWLINE);
      const line = end < 0 ? chunk : chunk.subarray(0, end);
      this.columns += Buffer.from(line)
        .toString("latin1")
        .split(/[\s,]+/)
        .filter(Boolean).length;
    }
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) this.lines++;
    this.bytes += chunk.length;
    this.last = chunk.at(-1) ?? this.last;
  }
}

/** The reader stops at the first odd line; only the whole file says whether it is a square matrix of other people. */
async function explain(
  e: XError,
  path: string,
  n: number,
  file: InputFile,
  kind: MatrixKind,
): Promise<XError> {
  if (e.details.path === path) return e;
  if (e.code === "KIN_SHAPE" || e.code === "KIN_TRUNCATED") {
    const shape = new Shape();
    for await (const chunk of chunks(file, kind)) shape.add(chunk);
    if (shape.columns === shape.lines && shape.lines !== n)
      return lmmFileError(
        kind.codes.KIN_N,
        path,
        `the matrix is ${shape.lines} × ${shape.lines}, ${kind.people(n)}.`,
        {
          found: shape.lines,
          expected: n,
        },
      );
  }
  return lmmFileError(kind.codes[e.code as MatrixCode] ?? (e.code as MatrixCode), path, e.message, {
    ...e.details,
    cause: e,
  });
}
