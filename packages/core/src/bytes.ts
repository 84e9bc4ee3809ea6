/** Byte sources: files, pipes and arrays as chunks, with gzip undone on the way. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { throwIfAborted } from "./abort.ts";
import { fileError, fromSystemError } from "./errors.ts";
import { openPipeToRead } from "./pipes.ts";

/** A path (`-` for standard input), the bytes themselves, or chunks of them. */
export type ByteSource = string | Uint8Array | AsyncIterable<Uint8Array>;

/** Options of `readChunks`. */
export interface ReadChunksOptions {
  /** Stops the read. */
  signal?: AbortSignal | undefined;
  /** Name in error messages; the path by default. */
  name?: string | undefined;
}

const CHUNK = 2 ** 20;

/** First bytes of formats that people pass by mistake. */
const COMPRESSED: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
];

/** Opening the device file again would fail where standard input is a socket. */
function isStdin(source: string): boolean {
  return source === "-" || source === "/dev/stdin";
}

/** The name a source has in error messages. */
export function sourceName(source: ByteSource, name?: string): string {
  if (name !== undefined) return name;
  if (typeof source !== "string") return "bytes";
  return isStdin(source) ? "standard input" : source;
}

/**
 * The bytes of a source, a chunk of about 1 MiB at a time; gzip (also several members in one file, as bgzip writes)
 * is recognised by its first bytes and undone. Errors: those of the file system, `NOT_A_FILE`, `GZIP_TRUNCATED`,
 * `GZIP_CORRUPT`, and `COMPRESSED` for formats we do not undo.
 */
export async function* readChunks(
  source: ByteSource,
  options: ReadChunksOptions = {},
): AsyncGenerator<Uint8Array> {
  const name = sourceName(source, options.name);
  const raw = rawChunks(source, name, options.signal);
  try {
    const head = await takeHead(raw);
    if (head === undefined) return;
    for (const [format, magic] of COMPRESSED) {
      if (!magic.every((byte, i) => head[i] === byte)) continue;
      throw fileError(
        "COMPRESSED",
        name,
        `this is ${format}-compressed; decompress it first (gzip is read directly)`,
      );
    }
    if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzip(head, raw, name);
    else {
      yield head;
      yield* raw;
    }
  } finally {
    await raw.return(undefined);
  }
}

async function* rawChunks(
  source: ByteSource,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal);
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += CHUNK) yield source.subarray(at, at + CHUNK);
    return;
  }
  let stream: (AsyncIterable<unknown> & { destroy?(): unknown }) | undefined;
  const stop = (): void => void stream?.destroy?.();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    stream = typeof source === "string" ? await openStream(source) : source;
    for await (const chunk of stream) {
      throwIfAborted(signal);
      yield chunk as Uint8Array;
    }
    throwIfAborted(signal); // a destroyed pipe just ends
  } catch (e) {
    throwIfAborted(signal);
    throw fromSystemError(e, name);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function openStream(path: string): Promise<Readable> {
  if (isStdin(path)) return process.stdin;
  return (await openPipeToRead(path)) ?? createReadStream(path, { highWaterMark: CHUNK });
}

/** The first chunk, grown to at least eight bytes where there are as many: pipes may deliver single bytes. */
async function takeHead(raw: AsyncGenerator<Uint8Array>): Promise<Uint8Array | undefined> {
  let head: Uint8Array | undefined;
  while (head === undefined || head.length < 8) {
    const next = await raw.next();
    if (next.done) break;
    head = head === undefined ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* gunzip(
  head: Uint8Array,
  raw: AsyncGenerator<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    yield* raw;
  };
  const input = Readable.from(chunks(), { objectMode: false, highWaterMark: CHUNK });
  const inflate = createGunzip({ chunkSize: CHUNK });
  input.once("error", (e) => inflate.destroy(e));
  try {
    for await (const chunk of input.pipe(inflate)) yield chunk as Uint8Array;
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR") {
      throw fileError(
        "GZIP_TRUNCATED",
        name,
        "the gzip data ends early: the file was cut in transfer or is still being written",
        { cause: e },
      );
    }
    if (code?.startsWith("Z_"))
      throw fileError("GZIP_CORRUPT", name, `the gzip data is damaged (${(e as Error).message})`, {
        cause: e,
      });
    throw fromSystemError(e, name);
  } finally {
    input.destroy();
    inflate.destroy();
  }
}
