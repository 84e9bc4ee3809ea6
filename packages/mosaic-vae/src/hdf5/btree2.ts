/** Version 2 B-trees: the records of newer groups, attributes and chunk indexes. */
import { Cursor, type Storage } from "./storage.ts";

const OVERHEAD = 10;

/** Bytes that hold numbers up to `limit`. */
export function bytesFor(limit: number): number {
  return Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;
}

/** All records of a tree in order, each as a cursor over its bytes. */
export async function readBtree2(storage: Storage, address: number): Promise<Cursor[]> {
  const { offsetSize, lengthSize } = storage;
  const head = await storage.cursor(address, 16 + offsetSize + 2 + lengthSize + 4);
  head.signature("BTHD");
  head.skip(2);
  const nodeSize = head.u32();
  const recordSize = head.u16();
  const depth = head.u16();
  head.skip(2);
  const root = head.offset();
  const rootRecords = head.u16();
  const total = head.length();
  if (total === 0) return [];
  if (recordSize === 0 || depth > 16) throw storage.fault("a B-tree without records or too deep", address);
  // How many records a node of each level holds decides how long the numbers in it are.
  const leafMost = Math.floor((nodeSize - OVERHEAD) / recordSize);
  const countSize = bytesFor(leafMost);
  const all = [{ most: leafMost, cumulative: leafMost, size: 0 }];
  for (let level = 1; level <= depth; level++) {
    const below = all[level - 1]!;
    const pointer = offsetSize + countSize + below.size;
    const most = Math.floor((nodeSize - OVERHEAD - pointer) / (recordSize + pointer));
    const cumulative = (most + 1) * below.cumulative + most;
    all.push({ most, cumulative, size: bytesFor(cumulative) });
  }
  const records: Cursor[] = [];
  const walk = async (at: number, count: number, level: number): Promise<void> => {
    if (count > all[level]!.most) throw storage.fault("a B-tree node has too many records", at);
    const c = await storage.cursor(at, nodeSize);
    c.signature(level > 0 ? "BTIN" : "BTLF");
    c.skip(2);
    const own = Array.from(
      { length: count },
      () => new Cursor(c.take(recordSize), storage, c.address + c.at - recordSize),
    );
    if (level > 0) {
      for (let i = 0; i <= count; i++) {
        const child = c.offset();
        const childCount = c.uint(countSize);
        c.skip(all[level - 1]!.size);
        await walk(child, childCount, level - 1);
        if (i < count) records.push(own[i]!);
      }
    } else records.push(...own);
    if (records.length > total) throw storage.fault("a B-tree has more records than it says", address);
  };
  await walk(root, rootRecords, depth);
  return records;
}
