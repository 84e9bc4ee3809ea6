/**
 * LZF, the fast compressor of h5py (filter 32000; format of Marc Lehmann's liblzf). A byte below 32 begins that many
 * plus one literals; else its upper three bits are a length and the rest a distance backwards.
 */

/** Undoes LZF into exactly `size` bytes; undefined when the data is no such stream. */
export function lzfDecompress(input: Uint8Array, size: number): Uint8Array | undefined {
  const out = new Uint8Array(size);
  let at = 0;
  let from = 0;
  while (from < input.length) {
    const control = input[from++]!;
    if (control < 32) {
      const length = control + 1;
      if (from + length > input.length || at + length > size) return undefined;
      out.set(input.subarray(from, from + length), at);
      from += length;
      at += length;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += input[from++] ?? Number.NaN;
    length += 2;
    const back = ((control & 31) << 8) + (input[from++] ?? Number.NaN) + 1;
    const start = at - back;
    if (!(start >= 0) || !(at + length <= size)) return undefined;
    // Byte by byte where source and target overlap: that is how runs are written.
    if (back >= length) out.copyWithin(at, start, start + length);
    else for (let i = 0; i < length; i++) out[at + i] = out[start + i]!;
    at += length;
  }
  return at === size ? out : undefined;
}
