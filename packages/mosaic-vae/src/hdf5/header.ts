/** Object headers: the messages that say what an object is. */
import { mosaicFileError } from "../errors.ts";
import { type Datatype, readDatatype } from "./datatype.ts";
import { Cursor, type Storage } from "./storage.ts";

/** Types of messages. */
export const MESSAGE = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  fill: 5,
  link: 6,
  externalFiles: 7,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const;

/** One message of a header. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** More blocks than this in one header are a circle. */
const MAX_BLOCKS = 4096;

/** All messages of the object at an address, continuation blocks included. */
export async function readMessages(storage: Storage, address: number): Promise<Message[]> {
  const head = await storage.cursorUpTo(address, 64);
  const messages: Message[] = [];
  const blocks: [address: number, length: number][] = [];
  let version = 1;
  let ordered = false;
  if (Buffer.from(head.bytes.subarray(0, 4)).toString("latin1") === "OHDR") {
    head.skip(4);
    version = head.u8();
    const flags = head.u8();
    if (flags & 0x20) head.skip(16);
    if (flags & 0x10) head.skip(4);
    ordered = (flags & 4) !== 0;
    const size = head.uint(1 << (flags & 3));
    blocks.push([address + head.at, size]);
  } else {
    version = head.u8();
    head.skip(7);
    blocks.push([address + 16, head.u32()]);
  }
  if (version !== 1 && version !== 2) throw storage.fault(`object header version ${version}`, address);
  for (let i = 0; i < blocks.length; i++) {
    if (i > MAX_BLOCKS) throw storage.fault("an object header leads round in a circle", address);
    const c = await storage.cursor(...blocks[i]!);
    if (version === 2 && i > 0) {
      c.signature("OCHK");
      // Its checksum ends the block.
      readBlock(
        new Cursor(c.bytes.subarray(4, c.bytes.length - 4), storage, c.address + 4),
        true,
        ordered,
        messages,
        blocks,
      );
    } else readBlock(c, version === 2, ordered, messages, blocks);
  }
  return messages;
}

function readBlock(
  c: Cursor,
  second: boolean,
  ordered: boolean,
  messages: Message[],
  blocks: [number, number][],
): void {
  const headBytes = second ? (ordered ? 6 : 4) : 8;
  while (c.left >= headBytes) {
    const type = second ? c.u8() : c.u16();
    const size = c.u16();
    const flags = c.u8();
    c.skip(second ? (ordered ? 2 : 0) : 3);
    const address = c.address + c.at;
    const bytes = c.take(size);
    if (type === MESSAGE.continuation) {
      const at = new Cursor(bytes, c.storage, address);
      blocks.push([at.offset(), at.length()]);
    } else messages.push({ type, flags, bytes, address });
  }
}

/** A message's bytes; one that is shared stands in the header of another object. */
export async function openMessage(storage: Storage, message: Message): Promise<Cursor> {
  const c = new Cursor(message.bytes, storage, message.address);
  if ((message.flags & 2) === 0) return c;
  return openShared(storage, c, message.type);
}

async function openShared(storage: Storage, c: Cursor, type: number): Promise<Cursor> {
  const version = c.u8();
  const kind = c.u8();
  if (version === 1) c.skip(6);
  if (version === 3 && kind === 1) {
    const message = "messages in a shared table are not read; rewrite the file with h5repack";
    throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { byte: c.address });
  }
  const target = (await readMessages(storage, c.offset())).find((m) => m.type === type);
  if (!target || target.flags & 2)
    throw storage.fault("a shared message is not where it should be", c.address);
  return new Cursor(target.bytes, storage, target.address);
}

/** Lengths by a dataspace message; undefined for "no elements at all". */
export function readDataspace(c: Cursor): number[] | undefined {
  const version = c.u8();
  const rank = c.u8();
  c.skip(1);
  if (version === 1) c.skip(5);
  else if (version === 2) {
    if (c.u8() === 2) return undefined;
  } else throw c.storage.fault(`dataspace version ${version}`, c.address);
  if (rank > 32) throw c.storage.fault(`${rank} dimensions`, c.address);
  return Array.from({ length: rank }, () => c.length());
}

/** An attribute message. */
export interface RawAttribute {
  readonly name: string;
  readonly type: Datatype;
  readonly shape: readonly number[] | undefined;
  readonly bytes: Uint8Array;
}

/** Reads an attribute message. */
export async function readAttribute(storage: Storage, c: Cursor): Promise<RawAttribute> {
  const version = c.u8();
  const flags = c.u8();
  const [nameSize, typeSize, spaceSize] = [c.u16(), c.u16(), c.u16()];
  if (version === 3) c.skip(1);
  if (version < 1 || version > 3) throw storage.fault(`attribute version ${version}`, c.address);
  const padded = (n: number): number => (version === 1 ? 8 * Math.ceil(n / 8) : n);
  const part = (size: number): Cursor => new Cursor(c.take(padded(size)), storage, c.address);
  const name = part(nameSize).text();
  const typeBytes = part(typeSize);
  const shared = version > 1 && (flags & 1) !== 0;
  const type = readDatatype(shared ? await openShared(storage, typeBytes, MESSAGE.datatype) : typeBytes);
  const shape = readDataspace(part(spaceSize));
  const count = shape === undefined ? 0 : shape.reduce((a, b) => a * b, 1);
  return { name, type, shape, bytes: c.take(count * type.size) };
}
