import { inflateRawSync } from "node:zlib";
import { openInput } from "@x/core/base";
import { seqFileError } from "./errors.ts";

/** A QIIME 2 artefact, opened. */
export interface Qza {
  /** For messages. */
  readonly path: string;
  /** The artefact's own name. */
  readonly uuid: string;
  /** Its semantic type, e.g. `FeatureTable[Frequency]`; "" where it does not say. */
  readonly type: string;
  /** Names below `data/`. */
  readonly files: readonly string[];
  /** The bytes of one of them. `QZA_FORMAT` when there is none of that name. */
  read(name: string): Uint8Array;
}

interface Entry {
  name: string;
  method: number;
  packed: number;
  size: number;
  at: number;
}

/**
 * Opens a `.qza`: a zip file with `<uuid>/data/…` and `<uuid>/metadata.yaml`. Only stored and deflated entries, no
 * zip64, which is what QIIME 2 writes below 4 GB. Errors: `QZA_FORMAT`, those of the file system.
 */
export async function openQza(path: string): Promise<Qza> {
  await using input = openInput(path);
  const bytes = Buffer.from(await input.read(0, input.size));
  const entries = directory(bytes, path);
  const uuid = /^([^/]+)\//.exec(entries[0]?.name ?? "")?.[1];
  if (!uuid)
    throw seqFileError(
      "QZA_FORMAT",
      path,
      "this zip file is no QIIME 2 artefact: it has no folder named after it",
    );
  const read = (name: string): Uint8Array => {
    const entry = entries.find((e) => e.name === `${uuid}/${name}`);
    if (!entry) throw seqFileError("QZA_FORMAT", path, `the artefact holds no ${name}`);
    return unpack(bytes, entry, path);
  };
  const about = Buffer.from(read("metadata.yaml")).toString("utf8");
  const prefix = `${uuid}/data/`;
  return {
    path,
    uuid,
    type: /^type:\s*(\S.*?)\s*$/m.exec(about)?.[1] ?? "",
    files: entries
      .map((e) => e.name)
      .filter((n) => n.startsWith(prefix) && !n.endsWith("/"))
      .map((n) => n.slice(prefix.length)),
    read: (name) => read(`data/${name}`),
  };
}

/** The one file of an artefact whose name ends so. `QZA_TYPE` when it holds something else. */
export function qzaFile(qza: Qza, ending: string, what: string): Uint8Array {
  const name = qza.files.find((file) => file.endsWith(ending));
  if (name !== undefined) return qza.read(name);
  const message = `this artefact is a ${qza.type || "thing without a type"} with ${qza.files.join(", ")}; ${what} was expected`;
  throw seqFileError("QZA_TYPE", qza.path, message, { type: qza.type });
}

function directory(bytes: Buffer, path: string): Entry[] {
  const bad = (what: string): Error => seqFileError("QZA_FORMAT", path, `the zip file is damaged: ${what}`);
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > bytes.length) throw bad("its directory is missing, so it was cut in transfer");
  const entries: Entry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50)
      throw bad("its directory ends early");
    const [name, extra, comment] = [28, 30, 32].map((o) => bytes.readUInt16LE(at + o)) as [
      number,
      number,
      number,
    ];
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + name),
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      at: bytes.readUInt32LE(at + 42),
    });
    at += 46 + name + extra + comment;
  }
  return entries;
}

function unpack(bytes: Buffer, entry: Entry, path: string): Uint8Array {
  const bad = (cause?: unknown): Error =>
    seqFileError("QZA_FORMAT", path, `the entry ${entry.name} is damaged`, { cause });
  if (entry.at + 30 > bytes.length || bytes.readUInt32LE(entry.at) !== 0x04034b50) throw bad();
  const from = entry.at + 30 + bytes.readUInt16LE(entry.at + 26) + bytes.readUInt16LE(entry.at + 28);
  const packed = bytes.subarray(from, from + entry.packed);
  if (packed.length !== entry.packed || (entry.method !== 0 && entry.method !== 8)) throw bad();
  try {
    const whole =
      entry.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    if (whole.length !== entry.size) throw bad();
    return whole;
  } catch (cause) {
    throw bad(cause);
  }
}
