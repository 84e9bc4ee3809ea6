import {
  type ByteSource,
  isXError,
  type RunOptions,
  readChunks,
  sourceName,
  type XError,
  xError,
} from "@x/core/base";
import { listIds, seqFileError } from "./errors.ts";
import { type NativeTree, nodeName, parseNewick } from "./native.ts";
import { openQza, qzaFile } from "./qza.ts";
import { sniffFile } from "./sniff.ts";

/** Options of {@link readNewick}. */
export interface ReadNewickOptions extends Pick<RunOptions, "signal"> {
  /**
   * What `_` in an unquoted name is: itself (the default, since feature ids have no spaces), or a space, as the Newick
   * rules of 1986 and scikit-bio have it.
   */
  underscores?: "keep" | "space";
}

/** A rooted tree in native memory; nodes are numbered in postorder, the root is last. */
export class Tree {
  /** For messages. */
  readonly path: string;
  /** Nodes, tips included. */
  readonly nodes: number;
  /** Tips. */
  readonly tips: number;
  /** @internal */
  readonly native: NativeTree;

  /** @internal */
  constructor(native: NativeTree, path: string) {
    this.native = native;
    this.path = path;
    this.nodes = native.nodes;
    this.tips = native.tips;
  }

  /** Parent of every node; the root's is its own number. */
  parents(): Uint32Array {
    return this.native.parents();
  }

  /** Length of the branch above every node; NaN where the file gives none. */
  lengths(): Float64Array {
    return this.native.lengths();
  }

  /** Name of a node, "" where it has none. */
  name(node: number): string {
    return nodeName(this.native, node);
  }

  /** The tips of these names. `TREE_TIP` lists names that no tip has, `TREE_DUP_TIP` those that several have. */
  tipsOf(names: readonly string[]): Uint32Array {
    const found = this.native.find(names as string[]);
    const missing = names.filter((_, at) => found[at] === -1);
    if (missing.length > 0) {
      const spaced = missing.some((name) => name.includes(" "))
        ? '; names with spaces need underscores: "space" (--underscores space)'
        : "";
      const message = `${missing.length} of ${names.length} features have no tip in the tree: ${listIds(missing)}; drop them from the table (missingTips: "drop", --missing-tips drop) or use the tree of these sequences${spaced}`;
      throw seqFileError("TREE_TIP", this.path, message, { features: missing });
    }
    const twice = names.filter((_, at) => found[at] === -2);
    if (twice.length > 0) {
      const message = `several tips of the tree have the same name: ${listIds(twice)}`;
      throw seqFileError("TREE_DUP_TIP", this.path, message, { features: twice });
    }
    return Uint32Array.from(found);
  }

  /** Which of these names are those of a tip. */
  has(names: readonly string[]): boolean[] {
    return Array.from(this.native.find(names as string[]), (tip) => tip !== -1);
  }
}

/**
 * Reads a Newick tree (also gzipped) or a `.qza` with one, of up to 2³¹ nodes and any depth. Accepted: quoted names,
 * comments, a root with three or more children, nodes with one child, names inside, missing lengths (refused later
 * where they matter). Refused: negative lengths and those that are not finite (`TREE_LENGTH`), anything that is no tree,
 * a file of several (`TREE_PARSE` with byte and line).
 */
export async function readNewick(source: ByteSource, options: ReadNewickOptions = {}): Promise<Tree> {
  const path = sourceName(source);
  const zipped = typeof source === "string" && source !== "-" && (await sniffFile(source)) === "zip";
  const spaces = options.underscores === "space";
  const bytes = zipped
    ? qzaFile(await openQza(source), ".nwk", "a Phylogeny")
    : await allBytes(source, options);
  const mark = MARK.every((byte, at) => bytes[at] === byte) ? MARK.length : 0;
  try {
    return new Tree(parseNewick(bytes.subarray(mark), spaces), path);
  } catch (e) {
    throw isXError(e) ? named(e, path, mark) : e;
  }
}

/** A tree from its text; see {@link readNewick}. */
export function parseTree(text: string, options: Pick<ReadNewickOptions, "underscores"> = {}): Tree {
  return new Tree(
    parseNewick(Buffer.from(text.replace(/^\uFEFF/, "")), options.underscores === "space"),
    "tree",
  );
}

async function allBytes(source: ByteSource, options: ReadNewickOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(source, { signal: options.signal }))
    chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** UTF-8's byte order mark, which some editors write. */
const MARK = [0xef, 0xbb, 0xbf];

function named(e: XError, path: string, skipped: number): XError {
  const { line, byte } = e.details as { line?: number; byte?: number };
  const at = byte === undefined ? {} : { byte: byte + skipped };
  const where = line === undefined ? path : `${path}:${line} (byte ${at.byte})`;
  return xError(e.code, `${where}: ${e.message}`, { details: { path, ...e.details, ...at }, cause: e });
}
