import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { fromSystemError } from "@x/core/base";

/** One entry of a frame file: a JSON head and raw bytes. */
export interface Frame {
  readonly head: Record<string, unknown>;
  readonly body: Uint8Array;
}

const MAGIC = 0x4a_4e_4c_58; // "XLNJ"
const HASH_BYTES = 32;
const FIXED = 16;
/** No head or body of ours comes near these; a damaged length must not allocate. */
const MAX_HEAD = 1 << 30;
const MAX_BODY = 2 ** 40;

/**
 * Bytes of a frame: magic and lengths (16 bytes), head as JSON, body, SHA-256 of all of it. Whatever a kill or a power cut leaves of
 * the last one is recognised, because its hash does not fit.
 */
export function encodeFrame({ head, body }: Frame): Uint8Array {
  const text = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.alloc(FIXED + text.length + body.length + HASH_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(text.length, 4);
  bytes.writeBigUInt64LE(BigInt(body.length), 8);
  bytes.set(text, FIXED);
  bytes.set(body, FIXED + text.length);
  const end = bytes.length - HASH_BYTES;
  bytes.set(createHash("sha256").update(bytes.subarray(0, end)).digest(), end);
  return bytes;
}

/** What is whole at the start of a frame file. */
export interface ReadFrames {
  readonly frames: Frame[];
  /** Bytes of these frames; the file may go on with a damaged one. */
  readonly good: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** Reads frames until the end, or until one that is not whole. Errors of the file system. */
export async function readFrames(path: string): Promise<ReadFrames> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const frames: Frame[] = [];
      let good = 0;
      const read = async (at: number, length: number): Promise<Buffer> => {
        const bytes = Buffer.alloc(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 1 << 30), at + done);
          if (bytesRead === 0) return bytes.subarray(0, done);
          done += bytesRead;
        }
        return bytes;
      };
      while (good + FIXED + HASH_BYTES <= size) {
        const fixed = await read(good, FIXED);
        const headBytes = fixed.readUInt32LE(4);
        const bodyBytes = Number(fixed.readBigUInt64LE(8));
        const total = FIXED + headBytes + bodyBytes + HASH_BYTES;
        if (fixed.readUInt32LE(0) !== MAGIC || headBytes > MAX_HEAD || bodyBytes > MAX_BODY) break;
        if (good + total > size) break;
        const bytes = await read(good, total);
        const end = total - HASH_BYTES;
        const hash = createHash("sha256").update(bytes.subarray(0, end)).digest();
        if (bytes.length !== total || !hash.equals(bytes.subarray(end))) break;
        const head = JSON.parse(bytes.toString("utf8", FIXED, FIXED + headBytes)) as Record<string, unknown>;
        frames.push({ head, body: bytes.subarray(FIXED + headBytes, end) });
        good += total;
      }
      return { frames, good, size };
    } finally {
      await file.close();
    }
  } catch (e) {
    throw fromSystemError(e, path);
  }
}
