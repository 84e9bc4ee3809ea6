import { openInput, readChunks } from "@x/core/base";

/** What a file is by its first bytes; names and version numbers inside are often wrong. */
export type FileKind = "hdf5" | "zip" | "npy" | "arrow" | "json" | "text";

const MAGIC: readonly (readonly [FileKind, readonly number[]])[] = [
  ["hdf5", [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["npy", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ["arrow", [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]],
];

/** The kind of a file. Errors of the file system. */
export async function sniffFile(path: string): Promise<FileKind> {
  await using file = openInput(path);
  return sniffBytes(await file.read(0, Math.min(file.size, 4096)));
}

/** The kind of what begins with these bytes. */
export function sniffBytes(head: Uint8Array): FileKind {
  const known = MAGIC.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  if (known) return known[0];
  const text = Buffer.from(head).toString("latin1").replace(/^ï»¿/, "").trimStart();
  return text.startsWith("{") ? "json" : "text";
}

/** A whole file, gzip undone. */
export async function readAll(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(path, { signal })) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
