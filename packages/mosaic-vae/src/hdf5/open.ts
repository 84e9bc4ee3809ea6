/**
 * A reader of HDF5 files in plain TypeScript (file format specification, version 3.0): groups, attributes and arrays,
 * old and new styles, read in slices. Nothing outside the file is ever opened.
 */
import { mosaicFileError } from "../errors.ts";
import type { ArrayNode, Attribute, Attributes, GroupNode, Tree } from "../tree.ts";
import { openArray } from "./array.ts";
import { readBtree2 } from "./btree2.ts";
import { isBool } from "./datatype.ts";
import { FractalHeap } from "./fractal-heap.ts";
import { type Link, readLinks } from "./groups.ts";
import {
  MESSAGE,
  type Message,
  openMessage,
  type RawAttribute,
  readAttribute,
  readMessages,
} from "./header.ts";
import { Cursor, NOWHERE, Storage } from "./storage.ts";
import { decodeValues } from "./values.ts";

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** Where the superblock may stand. */
const PLACES = [0, 512, 1024, 2048, 4096, 8192];

/**
 * Opens an HDF5 file. Errors: those of the file system, `HDF5_FORMAT` (no or damaged HDF5), `HDF5_TRUNCATED` (shorter
 * than it says), and on use `HDF5_EXTERNAL_LINK`, `HDF5_FILTER`, `HDF5_CHUNK`, `DECOMPRESS_LIMIT`, `HDF5_UNSUPPORTED`.
 */
export async function openHdf5(path: string): Promise<Tree> {
  const storage = new Storage(path);
  try {
    const root = await readSuperblock(storage);
    const messages = await readMessages(storage, root);
    return {
      path,
      format: "HDF5",
      root: new Hdf5Group(storage, "/", messages, root),
      [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
    };
  } catch (e) {
    await storage[Symbol.asyncDispose]();
    throw e;
  }
}

/** Is there an HDF5 signature where one may stand? */
async function findSuperblock(storage: Storage): Promise<number> {
  for (const place of PLACES) {
    if (storage.size < place + 16) break;
    const found = await storage.read(place, 8);
    if (SIGNATURE.every((byte, i) => found[i] === byte)) return place;
  }
  const message = "this is no HDF5 file: it does not begin with the HDF5 signature";
  throw mosaicFileError("HDF5_FORMAT", storage.path, message, { byte: 0 });
}

async function readSuperblock(storage: Storage): Promise<number> {
  const place = await findSuperblock(storage);
  const c = await storage.cursorUpTo(place, 128);
  c.skip(8);
  const version = c.u8();
  if (version > 3) throw storage.fault(`superblock version ${version}`, place);
  c.skip(version < 2 ? 4 : 0);
  storage.offsetSize = c.u8();
  storage.lengthSize = c.u8();
  if (![4, 8].includes(storage.offsetSize) || ![4, 8].includes(storage.lengthSize))
    throw storage.fault(`addresses of ${storage.offsetSize} bytes`, place);
  c.skip(version < 2 ? 1 + 4 + 4 : 1);
  if (version === 1) c.skip(4);
  const base = c.offset();
  c.offset();
  const end = c.offset();
  if (version < 2) {
    c.offset();
    c.offset(); // name of the root entry
  }
  const root = c.offset();
  if (end > storage.size) {
    const message = `the file has ${storage.size} bytes, its header says ${end}: it was cut in transfer or is still being written`;
    throw mosaicFileError("HDF5_TRUNCATED", storage.path, message, { size: storage.size, expected: end });
  }
  // A block for the user may stand before; files exist whose base does not count it.
  storage.base = base === NOWHERE ? place : base;
  return root;
}

class Hdf5Group implements GroupNode {
  readonly type = "group";
  readonly path: string;
  /** Tells circles of soft links. */
  readonly address: number;
  readonly #storage: Storage;
  readonly #messages: readonly Message[];
  #links: Promise<ReadonlyMap<string, Link>> | undefined;

  constructor(storage: Storage, path: string, messages: readonly Message[], address: number) {
    this.#storage = storage;
    this.path = path;
    this.#messages = messages;
    this.address = address;
  }

  attributes(): Promise<Attributes> {
    return readAttributes(this.#storage, this.path, this.#messages);
  }

  async children(): Promise<readonly string[]> {
    const links = await this.#read();
    for (const [name, link] of links) if (link.kind === "external") throw this.#external(name, link.file);
    return [...links.keys()].sort();
  }

  get(path: string): Promise<GroupNode | ArrayNode | undefined> {
    return this.#follow(path, this, 0);
  }

  async #follow(path: string, root: Hdf5Group, depth: number): Promise<GroupNode | ArrayNode | undefined> {
    if (depth > 32) throw this.#storage.fault(`links of ${this.path} lead round in a circle`);
    let at: GroupNode | ArrayNode | undefined = this;
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      if (!(at instanceof Hdf5Group)) return undefined;
      at = await at.#child(name, root, depth);
    }
    return at;
  }

  async #child(name: string, root: Hdf5Group, depth: number): Promise<GroupNode | ArrayNode | undefined> {
    const link = (await this.#read()).get(name);
    if (!link) return undefined;
    if (link.kind === "external") throw this.#external(name, link.file);
    const path = `${this.path === "/" ? "" : this.path}/${name}`;
    if (link.kind === "soft") {
      const from = link.path.startsWith("/") ? await this.#root() : this;
      return from.#follow(link.path, root, depth + 1);
    }
    const messages = await readMessages(this.#storage, link.address);
    if (messages.some((m) => m.type === MESSAGE.layout)) return openArray(this.#storage, path, messages);
    if (messages.some((m) => m.type === MESSAGE.datatype)) return undefined; // a named type
    return new Hdf5Group(this.#storage, path, messages, link.address);
  }

  async #root(): Promise<Hdf5Group> {
    if (this.path === "/") return this;
    const address = await readSuperblock(this.#storage);
    return new Hdf5Group(this.#storage, "/", await readMessages(this.#storage, address), address);
  }

  #read(): Promise<ReadonlyMap<string, Link>> {
    this.#links ??= readLinks(this.#storage, this.#messages);
    return this.#links;
  }

  #external(name: string, file: string): Error {
    const message = `${this.path === "/" ? "" : this.path}/${name} is a link to another file (${file}); links out of the file are not followed`;
    return mosaicFileError("HDF5_EXTERNAL_LINK", this.#storage.path, message, { object: name, target: file });
  }
}

/** Attributes of an object, wherever its header keeps them. */
export async function readAttributes(
  storage: Storage,
  path: string,
  messages: readonly Message[],
): Promise<Attributes> {
  const raw: RawAttribute[] = [];
  for (const message of messages) {
    if (message.type === MESSAGE.attribute)
      raw.push(await readAttribute(storage, await openMessage(storage, message)));
    if (message.type !== MESSAGE.attributeInfo) continue;
    const c = await openMessage(storage, message);
    c.skip(1);
    const flags = c.u8();
    if (flags & 1) c.skip(2);
    const [heapAddress, names] = [c.offset(), c.offset()];
    if (heapAddress === NOWHERE) continue;
    const heap = await FractalHeap.open(storage, heapAddress);
    for (const record of await readBtree2(storage, names)) {
      const id = new Cursor(record.take(8), storage, record.address);
      if (record.u8() & 2) throw storage.fault(`an attribute of ${path} is shared`, record.address);
      raw.push(await readAttribute(storage, await heap.read(id)));
    }
  }
  const entries: [string, Attribute][] = [];
  for (const attribute of raw) entries.push([attribute.name, await attributeValue(storage, path, attribute)]);
  return Object.fromEntries(entries);
}

async function attributeValue(storage: Storage, path: string, a: RawAttribute): Promise<Attribute> {
  const readable = a.type.class !== "other" && a.type.class !== "vlen" && a.type.class !== "compound";
  if (a.shape === undefined || !readable) return null;
  const values = await decodeValues(storage, `attribute ${a.name} of ${path}`, a.type, a.bytes);
  if (a.shape.length > 0) return values;
  const value = values[0] ?? null;
  return isBool(a.type) ? Boolean(value) : value;
}
