/** Extensible arrays: where the newest writers keep the chunks of an array that can grow along one axis. */
import type { Cursor, Storage } from "./storage.ts";
import { NOWHERE } from "./storage.ts";

/** Takes element number `i`, which begins at the cursor. */
type Visit = (c: Cursor, i: number) => void;

/** Visits the elements 0 … count − 1 that were written. */
export async function readExtensibleArray(
  storage: Storage,
  address: number,
  count: number,
  visit: Visit,
): Promise<void> {
  const { offsetSize, lengthSize } = storage;
  const head = await storage.cursor(address, 12 + 6 * lengthSize + offsetSize);
  head.signature("EAHD");
  head.skip(2);
  const elementSize = head.u8();
  const maxBits = head.u8();
  const inIndex = head.u8();
  const leastElements = head.u8();
  const leastPointers = head.u8();
  const perPage = 2 ** head.u8();
  head.skip(6 * lengthSize);
  const indexAddress = head.offset();
  if (indexAddress === NOWHERE) return;
  const prefix = 6 + offsetSize;
  const offsetBytes = Math.ceil(maxBits / 8);
  const superBlocks = 1 + maxBits - Math.log2(leastElements);
  const direct = 2 * Math.log2(leastPointers);
  const directBlocks = 2 * (leastPointers - 1);
  const index = await storage.cursor(
    indexAddress,
    prefix + inIndex * elementSize + (directBlocks + superBlocks - direct) * offsetSize,
  );
  index.signature("EAIB");
  index.skip(prefix - 4);
  const elements = (c: Cursor, first: number, n: number): void => {
    for (let i = 0; i < n; i++) {
      const start = c.at;
      if (first + i < count) visit(c, first + i);
      c.at = start + elementSize;
    }
  };
  elements(index, 0, inIndex);

  /** A data block; a large one is cut into pages, of which a bitmap says which were written. */
  const readBlock = async (
    at: number,
    first: number,
    n: number,
    written?: (page: number) => boolean,
  ): Promise<void> => {
    if (at === NOWHERE || first >= count) return;
    const start = at + prefix + offsetBytes;
    if (n <= perPage) return elements(await storage.cursor(start, n * elementSize), first, n);
    for (let page = 0; page * perPage < n; page++) {
      if (first + page * perPage >= count || written?.(page) === false) continue;
      const place = start + 4 + page * (perPage * elementSize + 4);
      elements(await storage.cursor(place, perPage * elementSize), first + page * perPage, perPage);
    }
  };

  let first = inIndex;
  for (let s = 0; s < superBlocks && first < count; s++) {
    const blocks = 2 ** Math.floor(s / 2);
    const size = 2 ** Math.ceil(s / 2) * leastElements;
    if (s < direct) {
      for (let b = 0; b < blocks; b++, first += size) await readBlock(index.offset(), first, size);
      continue;
    }
    const at = index.offset();
    if (at === NOWHERE) {
      first += blocks * size;
      continue;
    }
    const pages = size > perPage ? size / perPage : 0;
    const bitmapBytes = Math.ceil(pages / 8);
    const c = await storage.cursor(at, prefix + offsetBytes + blocks * (bitmapBytes + offsetSize));
    c.signature("EASB");
    c.skip(prefix - 4 + offsetBytes);
    const bitmaps = Array.from({ length: blocks }, () => c.take(bitmapBytes));
    for (let b = 0; b < blocks; b++, first += size) {
      const bits = bitmaps[b]!;
      await readBlock(c.offset(), first, size, (page) => (bits[page >> 3]! & (128 >> (page & 7))) !== 0);
    }
  }
}
