import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkRange, isXError, type Warning, writeFileAtomic } from "@x/core/base";
import { gamError } from "../errors.ts";
import type { FitArtifact } from "./artifact.ts";
import { artifactText, readArtifact } from "./read.ts";

/** Options of `openStore`. */
export interface StoreOptions {
  /** Bytes all entries together may take; the oldest go first. 1 GiB by default. */
  readonly maxBytes?: number;
  /** Entries older than this are not used. 30 by default; age needs `created`, entries without one do not age. */
  readonly maxAgeDays?: number;
  /** The present, in seconds since 1970; the clock by default. */
  readonly now?: () => number;
  /** Told about entries that are skipped. */
  readonly onWarning?: (warning: Warning) => void;
}

/** An entry of the store. */
export interface StoreEntry {
  /** The file. */
  readonly path: string;
  /** Its content, checked. */
  readonly artifact: FitArtifact;
}

/** A directory of artifacts: `<folder>/<key>/<number>.json`, `<folder>/exact/<key>/…` for exact matches. */
export interface ArtifactStore {
  /** Where the entries lie. */
  readonly folder: string;
  /** Adds an artifact under its descriptor key; returns its path. Atomic. The same content twice is one entry. */
  put(artifact: FitArtifact): Promise<string>;
  /** The entry that was put last under a key: the one for related rows, whose objectives cannot be compared. */
  latest(key: string): StoreEntry | undefined;
  /** The entry with the lowest objective (of two the newer): for the same rows only. */
  byObjective(key: string): StoreEntry | undefined;
  /** Keeps a converged point for exactly the same data, model and options; a namespace of its own. */
  putExact(exactKey: string, artifact: FitArtifact): Promise<string>;
  /** The point of exactly this data, model and options. */
  exact(exactKey: string): StoreEntry | undefined;
  /** All usable entries under a key, oldest first; damaged and stale ones are skipped and reported. */
  list(key: string): StoreEntry[];
}

const DAY = 86_400;

/**
 * Opens a store at an explicit place; there is no default one. Entries that cannot be used (damaged, of another version,
 * links, too old) are skipped and reported as `ARTIFACT_SKIPPED` warnings, never deleted.
 */
export function openStore(folder: string, options: StoreOptions = {}): ArtifactStore {
  const maxBytes = checkRange("maxBytes", options.maxBytes ?? 2 ** 30, { min: 1 });
  const maxAge = checkRange("maxAgeDays", options.maxAgeDays ?? 30, { min: 0 }) * DAY;
  const now = options.now ?? ((): number => Math.floor(Date.now() / 1000));
  const warn = (path: string, code: string, why: string): void =>
    options.onWarning?.({
      code: "ARTIFACT_SKIPPED",
      message: `${path}: not used: ${why}`,
      details: { path, reason: code },
    });

  const read = (path: string): StoreEntry | undefined => {
    try {
      if (lstatSync(path).isSymbolicLink())
        throw gamError("ARTIFACT_PATH", "a link; entries are plain files");
      const artifact = readArtifact(path);
      if (artifact.created !== null && now() - artifact.created > maxAge) {
        warn(path, "ARTIFACT_STALE", `older than ${maxAge / DAY} days`);
        return undefined;
      }
      return { path, artifact };
    } catch (e) {
      if (!isXError(e)) throw e;
      warn(path, e.code, e.message);
      return undefined;
    }
  };
  const listIn = (place: string): StoreEntry[] =>
    entryFiles(place)
      .map((name) => read(join(place, name)))
      .filter((entry) => entry !== undefined);
  const latestIn = (place: string): StoreEntry | undefined => {
    for (const name of entryFiles(place).reverse()) {
      const entry = read(join(place, name));
      if (entry) return entry;
    }
    return undefined;
  };
  const put = async (place: string, artifact: FitArtifact): Promise<string> => {
    const text = artifactText(artifact);
    const same = entryFiles(place).find(
      (name) => read(join(place, name))?.artifact.checksum === artifact.checksum,
    );
    if (same) rmSync(join(place, same));
    mkdirSync(place, { recursive: true });
    const path = await writeNext(place, text);
    keepBudget(folder, maxBytes, path);
    return path;
  };
  return {
    folder,
    put: async (artifact) => put(place(folder, artifact.key), artifact),
    latest: (key) => latestIn(place(folder, key)),
    byObjective(key) {
      const entries = listIn(place(folder, key)).reverse();
      return entries.reduce<StoreEntry | undefined>(
        (best, e) => (best && best.artifact.global.objective <= e.artifact.global.objective ? best : e),
        undefined,
      );
    },
    putExact: async (key, artifact) => put(place(join(folder, "exact"), key), artifact),
    exact: (key) => latestIn(place(join(folder, "exact"), key)),
    list: (key) => listIn(place(folder, key)),
  };
}

function place(folder: string, key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return join(folder, key);
  throw gamError("ARTIFACT_PATH", `a key is 64 hexadecimal digits, not "${key.slice(0, 40)}"`, {
    details: { key },
  });
}

const FILE = /^\d{8}\.json$/;

function entryFiles(place: string): string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((name) => FILE.test(name))
    .sort();
}

/** Numbers, not times, order the entries: two runs give the same names. A name taken meanwhile is tried again higher. */
async function writeNext(place: string, text: string): Promise<string> {
  for (let next = Number.parseInt(entryFiles(place).at(-1) ?? "0", 10) + 1; ; next++) {
    const path = join(place, `${String(next).padStart(8, "0")}.json`);
    try {
      await writeFileAtomic(path, text, { overwrite: false });
      return path;
    } catch (e) {
      if (!isXError(e, "OUT_EXISTS")) throw e;
    }
  }
}

/** Removes the entries written longest ago until all fit; the newest stays in any case. */
function keepBudget(folder: string, maxBytes: number, keep: string): void {
  const all = [folder, join(folder, "exact")]
    .flatMap((root) => (existsSync(root) ? readdirSync(root).map((key) => join(root, key)) : []))
    .filter((p) => /[0-9a-f]{64}$/.test(p))
    .flatMap((p) => entryFiles(p).map((name) => join(p, name)))
    .map((path) => ({ path, stat: lstatSync(path) }))
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs || (a.path < b.path ? -1 : 1));
  let total = all.reduce((sum, { stat }) => sum + stat.size, 0);
  for (const { path, stat } of all) {
    if (total <= maxBytes) return;
    if (path === keep) continue;
    rmSync(path, { force: true });
    total -= stat.size;
  }
}
