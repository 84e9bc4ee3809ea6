import type { Frame } from "./frames.ts";

const KINDS = { Float64Array, Int32Array, Uint32Array, Uint8Array } as const;
type Column = InstanceType<(typeof KINDS)[keyof typeof KINDS]>;

/** A record of typed arrays as the body of a frame; the head names them. Values keep their bits, NaN included. */
export function packArrays(columns: object): { arrays: unknown[]; body: Uint8Array } {
  const entries = Object.entries(columns as Record<string, Column>);
  const arrays = entries.map(([name, a]) => ({ name, kind: a.constructor.name, length: a.length }));
  const bytes = entries.map(([, a]) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  return { arrays, body: Buffer.concat(bytes) };
}

/** The arrays of {@link packArrays}. */
export function unpackArrays<T extends object>({ head, body }: Frame): T {
  const found: Record<string, Column> = {};
  let at = 0;
  for (const { name, kind, length } of head.arrays as {
    name: string;
    kind: keyof typeof KINDS;
    length: number;
  }[]) {
    const array = new KINDS[kind](length);
    new Uint8Array(array.buffer).set(body.subarray(at, at + array.byteLength));
    at += array.byteLength;
    found[name] = array;
  }
  return found as T;
}
