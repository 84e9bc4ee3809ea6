/** Links of a group: old symbol tables, link messages, and links in a heap. */
import { mosaicFileError } from "../errors.ts";
import { readBtree2 } from "./btree2.ts";
import { FractalHeap } from "./fractal-heap.ts";
import { MESSAGE, type Message, openMessage } from "./header.ts";
import { Cursor, NOWHERE, type Storage } from "./storage.ts";

/** Where a name leads: an object in this file, another name in it, or another file. */
export type Link =
  | { readonly kind: "hard"; readonly address: number }
  | { readonly kind: "soft"; readonly path: string }
  | { readonly kind: "external"; readonly file: string };

/** All links of the group whose header holds these messages. */
export async function readLinks(
  storage: Storage,
  messages: readonly Message[],
): Promise<ReadonlyMap<string, Link>> {
  const links = new Map<string, Link>();
  for (const message of messages) {
    if (message.type === MESSAGE.symbolTable) {
      const c = await openMessage(storage, message);
      await readSymbolTable(storage, c.offset(), c.offset(), links);
    } else if (message.type === MESSAGE.link) readLink(await openMessage(storage, message), links);
    else if (message.type === MESSAGE.linkInfo)
      await readDense(storage, await openMessage(storage, message), links);
  }
  return links;
}

function readLink(c: Cursor, links: Map<string, Link>): void {
  const version = c.u8();
  if (version !== 1) throw c.storage.fault(`link version ${version}`, c.address);
  const flags = c.u8();
  const type = flags & 8 ? c.u8() : 0;
  if (flags & 4) c.skip(8);
  if (flags & 16) c.skip(1);
  const name = utf8(c.take(c.uint(1 << (flags & 3))));
  if (type === 0) links.set(name, { kind: "hard", address: c.offset() });
  else if (type === 1) links.set(name, { kind: "soft", path: utf8(c.take(c.u16())) });
  else if (type === 64) {
    const value = c.take(c.u16());
    const end = value.indexOf(0, 1);
    links.set(name, { kind: "external", file: utf8(value.subarray(1, end < 0 ? value.length : end)) });
  } else {
    const message = `link ${name} is of the unknown type ${type}`;
    throw mosaicFileError("HDF5_UNSUPPORTED", c.storage.path, message, { byte: c.address });
  }
}

async function readDense(storage: Storage, c: Cursor, links: Map<string, Link>): Promise<void> {
  c.skip(1);
  const flags = c.u8();
  if (flags & 1) c.skip(8);
  const [heapAddress, names] = [c.offset(), c.offset()];
  if (heapAddress === NOWHERE) return;
  const heap = await FractalHeap.open(storage, heapAddress);
  for (const record of await readBtree2(storage, names)) readLink(await heap.read(record.skip(4)), links);
}

async function readSymbolTable(
  storage: Storage,
  tree: number,
  heap: number,
  links: Map<string, Link>,
): Promise<void> {
  const { offsetSize, lengthSize } = storage;
  const head = await storage.cursor(heap, 8 + 2 * lengthSize + offsetSize);
  head.signature("HEAP");
  head.skip(4);
  const size = head.length();
  head.skip(lengthSize);
  const names = await storage.cursor(head.offset(), size);
  const nameAt = (offset: number): string => {
    names.at = Math.min(offset, size);
    return names.text();
  };
  const walk = async (address: number, depth: number): Promise<void> => {
    if (depth > 32) throw storage.fault("a group leads round in a circle", tree);
    const peek = await storage.cursor(address, 8);
    if (utf8(peek.bytes.subarray(0, 4)) === "TREE") {
      const count = peek.skip(6).u16();
      const c = await storage.cursor(
        address,
        8 + 2 * offsetSize + count * (offsetSize + lengthSize) + lengthSize,
      );
      c.skip(8 + 2 * offsetSize + lengthSize);
      for (let i = 0; i < count; i++) {
        await walk(c.offset(), depth + 1);
        c.skip(lengthSize);
      }
      return;
    }
    const count = peek.skip(6).u16();
    const c = await storage.cursor(address, 8 + count * (2 * offsetSize + 24));
    c.signature("SNOD");
    c.skip(4);
    for (let i = 0; i < count; i++) {
      const name = nameAt(c.offset());
      const object = c.offset();
      const cache = c.u32();
      c.skip(4);
      const scratch = new Cursor(c.take(16), storage, c.address);
      if (cache === 2) links.set(name, { kind: "soft", path: nameAt(scratch.u32()) });
      else links.set(name, { kind: "hard", address: object });
    }
  };
  if (tree !== NOWHERE) await walk(tree, 0);
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").replace(/\0+$/, "");
}
