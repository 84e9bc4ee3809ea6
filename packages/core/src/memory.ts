import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";

import { xError } from "./errors.ts";

/** How much memory this process may use, and which of the limits says so. */
export interface MemoryLimit {
  /** The most this process may use. */
  bytes: number;
  /** Which limit that is, in words. */
  source: string;
}

/** One line of a memory plan. */
export interface MemoryPart {
  /** What takes the memory. */
  name: string;
  /** How much of it. */
  bytes: number;
}

/** What a call will need at its peak; `total` counts the parts that live at the same time. */
export interface MemoryPlan {
  /** All parts, also those that do not live at the same time. */
  parts: readonly MemoryPart[];
  /** Bytes at the peak. */
  total: number;
}

/** Where to look for limits; the defaults are this machine. */
export interface MemoryLimitOptions {
  /** Bytes the caller allows. It can only lower what the machine offers; `Infinity` switches the check off. */
  memoryLimit?: number | undefined;
  /** Folder that holds `proc` and `sys`; tests give a made-up one. */
  root?: string;
  /** Environment variables; those of the process by default. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** Options of `requireMemory`. */
export interface RequireMemoryOptions extends MemoryLimitOptions {
  /** The cheaper route, in one sentence. */
  hint?: string;
}

/** cgroup v1 writes "no limit" as a number near 2^63. */
const UNLIMITED = 2 ** 60;

/**
 * The smallest of: available memory, every cgroup v1 or v2 limit on the way to the root, `ulimit -v`,
 * `SLURM_MEM_PER_NODE` (MB) and `memoryLimit`. An explicit `memoryLimit: Infinity` overrides all of them.
 */
export function memoryLimit(options: MemoryLimitOptions = {}): MemoryLimit {
  const { root = "/", env = process.env } = options;
  const own = { bytes: options.memoryLimit ?? Number.NaN, source: "memoryLimit" };
  if (own.bytes === Number.POSITIVE_INFINITY) return own;
  const limits: MemoryLimit[] = [availableMemory(root), ...cgroupLimits(root)];
  if (own.bytes >= 0) limits.push(own);
  limits.push(...addressSpace(root));
  const slurm = slurmBytes(env.SLURM_MEM_PER_NODE);
  if (slurm > 0) limits.push({ bytes: slurm, source: "SLURM_MEM_PER_NODE" });
  return limits.reduce((least, limit) => (limit.bytes < least.bytes ? limit : least));
}

/** Stacks and allocator arenas that threads reserve without using them. */
const THREAD_ADDRESSES = 256 * 2 ** 20;

/**
 * `ulimit -v` bounds addresses, plans count memory: what this process has reserved beyond what it uses (V8 reserves
 * hundreds of megabytes) and what its threads will reserve is taken off.
 */
function addressSpace(root: string): MemoryLimit[] {
  const limit = /^Max address space\s+(\d+)/m.exec(read(join(root, "proc/self/limits")) ?? "");
  if (!limit) return [];
  const status = read(join(root, "proc/self/status")) ?? "";
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
  const reserved = Math.max(0, kilobytes("VmSize") - kilobytes("VmRSS")) * 1024 + THREAD_ADDRESSES;
  return [{ bytes: Math.max(0, Number(limit[1]) - reserved), source: "ulimit -v" }];
}

/**
 * Refuses a plan that does not fit before anything is allocated: `MEM_PREFLIGHT` with the table of parts, the limit
 * and where it comes from.
 */
export function requireMemory(plan: MemoryPlan, options: RequireMemoryOptions = {}): void {
  const limit = memoryLimit(options);
  if (plan.total <= limit.bytes) return;
  const rows = [...plan.parts].sort((a, b) => b.bytes - a.bytes);
  const width = Math.max(...rows.map((row) => row.name.length), 12);
  const line = (name: string, bytes: number): string =>
    `  ${name.padEnd(width)} ${gigabytes(bytes).padStart(10)} GB`;
  const lines = [
    `needs ${gigabytes(plan.total)} GB at its peak, ${gigabytes(limit.bytes)} GB may be used (${limit.source}).`,
    ...rows.map((row) => line(row.name, row.bytes)),
    line("peak", plan.total),
  ];
  if (options.hint) lines.push(options.hint);
  const details = { parts: rows, total: plan.total, limit: limit.bytes, source: limit.source };
  throw xError("MEM_PREFLIGHT", lines.join("\n"), { details });
}

/** Resident bytes of this process now: the part of a plan that Node and the loaded packages take. */
export function baselineBytes(): number {
  return process.memoryUsage.rss();
}

/**
 * A zeroed typed array of a length that was computed from data. `TYPED_ARRAY_LIMIT` when this Node cannot make arrays
 * of that length at all, `ALLOC` when the memory is not there; never the `RangeError` of the constructor.
 */
export function allocateArray<T>(type: new (length: number) => T, length: number, what: string): T {
  try {
    return new type(length);
  } catch (e) {
    const text = e instanceof Error ? e.message : String(e);
    const limit = /invalid typed array length/i.test(text);
    const why = limit ? "more than one array can hold; ask for tiles instead" : "the memory is not there";
    const message = `${what}: ${length.toLocaleString("en-US")} numbers in one array, ${why}`;
    throw xError(limit ? "TYPED_ARRAY_LIMIT" : "ALLOC", message, { details: { length }, cause: e });
  }
}

/** A size as users write it: `8G`, `500M`, `1.5GB`, `1073741824`. Units are powers of 1000, `GiB` of 1024; undefined if none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
  if (!match) return undefined;
  const power = "kmgt".indexOf(match[2]!.toLowerCase() || " ") + 1;
  return Math.floor(Number(match[1]) * (match[3] ? 1024 : 1000) ** power);
}

function gigabytes(bytes: number): string {
  const value = bytes / 1e9;
  const digits = value < 1 ? 3 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function availableMemory(root: string): MemoryLimit {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(read(join(root, "proc/meminfo")) ?? "");
  if (match) return { bytes: Number(match[1]) * 1024, source: "available memory" };
  return { bytes: totalmem(), source: "total memory" };
}

/** Limits of our cgroup and of all above it; in a container the path may be the host's, so the mount's root counts too. */
function cgroupLimits(root: string): MemoryLimit[] {
  const limits: MemoryLimit[] = [];
  for (const line of (read(join(root, "proc/self/cgroup")) ?? "").split("\n")) {
    const [id, controllers = "", ...rest] = line.split(":");
    const path = rest.join(":");
    if (id === "0" && controllers === "") {
      for (const mount of ["sys/fs/cgroup", "sys/fs/cgroup/unified"]) {
        limits.push(...limitsUpwards(join(root, mount), path, "memory.max", "cgroup v2"));
      }
    } else if (controllers.split(",").includes("memory")) {
      limits.push(
        ...limitsUpwards(join(root, "sys/fs/cgroup/memory"), path, "memory.limit_in_bytes", "cgroup v1"),
      );
    }
  }
  return limits;
}

function limitsUpwards(mount: string, path: string, file: string, kind: string): MemoryLimit[] {
  const limits: MemoryLimit[] = [];
  for (let folder = join("/", path); ; folder = dirname(folder)) {
    const bytes = Number(read(join(mount, folder, file))?.trim() || Number.NaN);
    if (bytes < UNLIMITED) limits.push({ bytes, source: `${kind} limit of ${folder}` });
    if (folder === "/") return limits;
  }
}

/** Slurm exports megabytes; some sites write a unit. 0 where nothing is set. */
function slurmBytes(text = ""): number {
  const match = /^(\d+)([KMGT]?)$/i.exec(text.trim());
  if (!match) return 0;
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }[(match[2] || "M").toUpperCase()] ?? 2 ** 20;
  return Number(match[1]) * unit;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
