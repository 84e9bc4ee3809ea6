/** Zarr stores (version 2 and 3) in a folder, as a tree; chunks are decoded by zarrita. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromSystemError, throwIfAborted } from "@x/core/base";
import * as zarr from "zarrita";
import { mosaicFileError } from "./errors.ts";
import type {
  ArrayNode,
  Attribute,
  Attributes,
  ElementKind,
  GroupNode,
  Numbers,
  Tree,
  Values,
} from "./tree.ts";

/** Files of a folder by key; nothing outside the folder has a key. */
class FolderStore implements zarr.AsyncReadable {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.at(key);
    try {
      return await readFile(path);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
      throw fromSystemError(e, path);
    }
  }

  at(key: string): string {
    return join(
      this.folder,
      ...key.split("/").filter((part) => part !== "" && part !== "." && part !== ".."),
    );
  }

  /** What a folder is, by the file that describes it. */
  kind(key: string): "array" | "group" | undefined {
    const has = (name: string): boolean => existsSync(join(this.at(key), name));
    if (has(".zarray")) return "array";
    if (has(".zgroup")) return "group";
    return has("zarr.json") ? "group" : undefined; // or an array: its file says
  }
}

/** Opens a zarr store. Errors: `ENOENT`, `ZARR_FORMAT`. */
export function openZarr(path: string): Tree {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw mosaicFileError("ZARR_FORMAT", path, "there is no such folder");
  const store = new FolderStore(path);
  if (!stat.isDirectory() || store.kind("") === undefined) {
    const message = "this is no zarr store: a folder with .zgroup or zarr.json was expected";
    throw mosaicFileError("ZARR_FORMAT", path, message);
  }
  return {
    path,
    format: "zarr",
    root: new ZarrGroup(store, "/"),
    async [Symbol.asyncDispose]() {},
  };
}

class ZarrGroup implements GroupNode {
  readonly type = "group";
  readonly path: string;
  readonly #store: FolderStore;

  constructor(store: FolderStore, path: string) {
    this.#store = store;
    this.path = path;
  }

  async attributes(): Promise<Attributes> {
    const group = await guard(this.#store, this.path, () =>
      zarr.open(zarr.root(this.#store).resolve(this.path), { kind: "group" }),
    );
    return toAttributes(group.attrs);
  }

  async children(): Promise<readonly string[]> {
    const names = readdirSync(this.#store.at(this.path));
    return names.filter((name) => this.#store.kind(`${this.path}/${name}`) !== undefined).sort();
  }

  async get(path: string): Promise<GroupNode | ArrayNode | undefined> {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.length === 0) return this;
    const full = `${this.path === "/" ? "" : this.path}/${parts.join("/")}`;
    if (parts.includes("..") || this.#store.kind(full) === undefined) return undefined;
    const node = await guard(this.#store, full, () => zarr.open(zarr.root(this.#store).resolve(full)));
    return node.kind === "array" ? new ZarrArray(this.#store, full, node) : new ZarrGroup(this.#store, full);
  }
}

class ZarrArray implements ArrayNode {
  readonly type = "array";
  readonly path: string;
  readonly shape: readonly number[];
  readonly element: ElementKind;
  readonly dtype: string;
  readonly fields: readonly string[] = [];
  readonly elementBytes: number;
  readonly filters: readonly string[] = [];
  readonly #store: FolderStore;
  readonly #array: zarr.Array<zarr.DataType, FolderStore>;

  constructor(store: FolderStore, path: string, array: zarr.Array<zarr.DataType, FolderStore>) {
    this.#store = store;
    this.#array = array;
    this.path = path;
    this.shape = array.shape;
    const { dtype } = array;
    this.element = dtype === "bool" ? "boolean" : /^(string|v2:|object)/.test(dtype) ? "string" : "number";
    this.dtype = this.element === "string" ? "string" : dtype;
    this.elementBytes = Number(/\d+$/.exec(dtype)?.[0] ?? 8) / 8;
  }

  async attributes(): Promise<Attributes> {
    return toAttributes(this.#array.attrs);
  }

  async read(start = 0, end: number = this.shape[0] ?? 1, signal?: AbortSignal): Promise<Values> {
    throwIfAborted(signal);
    if (end === start) return this.element === "string" ? [] : new Float64Array(0);
    const rest = this.shape.slice(1).map(() => null);
    const selection = this.shape.length === 0 ? null : [zarr.slice(start, end), ...rest];
    const found: unknown = await guard(this.#store, this.path, () => zarr.get(this.#array, selection));
    // A single value comes bare.
    const data =
      typeof found === "object" && found !== null && "data" in found
        ? (found as { data: unknown }).data
        : [found];
    if (this.element === "string") return Array.from(data as Iterable<unknown>, String);
    if (this.element === "boolean") return Uint8Array.from(data as Iterable<boolean>, (v) => (v ? 1 : 0));
    return Array.isArray(data) ? Float64Array.from(data as number[], Number) : (data as Numbers);
  }

  async readField(name: string): Promise<Values> {
    throw mosaicFileError("ZARR_FORMAT", this.#store.folder, `${this.path} has no field ${name}`);
  }
}

/** zarrita's errors (damaged metadata, an unknown codec) with the place. */
async function guard<T>(store: FolderStore, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (e) {
    const { code } = e as { code?: unknown };
    if (typeof code === "string" && code.startsWith("E")) throw e;
    const why = e instanceof Error ? e.message : String(e);
    throw mosaicFileError("ZARR_FORMAT", store.folder, `${path} cannot be read: ${why}`, { cause: e });
  }
}

function toAttributes(json: Readonly<Record<string, unknown>>): Attributes {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, toAttribute(value)]));
}

function toAttribute(value: unknown): Attribute {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (!Array.isArray(value)) return null;
  if (value.every((v) => typeof v === "number")) return Float64Array.from(value);
  return value.map(String);
}
