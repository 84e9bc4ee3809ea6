import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

import { throwIfAborted } from "./abort.ts";
import { fromSystemError, xError } from "./errors.ts";

/** SHA-256 of bytes or of a text as UTF-8, in hexadecimal. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of a file, read in pieces. Errors of the file system; rejects with the signal's reason when aborted. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  throwIfAborted(signal);
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      throwIfAborted(signal);
      hash.update(chunk as Uint8Array);
    }
  } catch (e) {
    throwIfAborted(signal);
    throw fromSystemError(e, path);
  }
  return hash.digest("hex");
}

/** A column that can be read row by row. */
export interface ReadableColumn {
  /** The value of a row, from 0. */
  get(row: number): unknown;
}

/** A table with text columns, of any apache-arrow copy. */
export interface SampleTable {
  /** People. */
  readonly numRows: number;
  /** The column of this name, or null. */
  getChild(name: string): ReadableColumn | null;
}

/**
 * A fingerprint of who the people are and in which order: SHA-256 over FID and IID, ended by tab and newline. Two
 * files of the same people in the same order have the same one, whatever else their columns say.
 */
export function sampleHash(samples: SampleTable): string {
  const [fid, iid] = [samples.getChild("fid"), samples.getChild("iid")];
  if (!fid || !iid) throw xError("COLUMN_MISSING", "a samples table needs the columns fid and iid");
  const hash = createHash("sha256");
  let text = "";
  for (let row = 0; row < samples.numRows; row++) {
    text += `${fid.get(row)}\t${iid.get(row)}\n`;
    if (text.length < 65536) continue;
    hash.update(text);
    text = "";
  }
  return hash.update(text).digest("hex");
}
