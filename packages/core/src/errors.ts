/**
 * One error class for everything a user can cause or meet. `code` is a stable string to branch on, the message says
 * what, where, expected, found and what to do.
 */

/** Numbers and texts a program can read from an error instead of parsing its message. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Options of `xError`. */
export interface XErrorOptions {
  /** Machine-readable facts: path, line, expected, found. */
  details?: ErrorDetails;
  /** The error underneath, kept for programs and never printed for users. */
  cause?: unknown;
  /** True for a mistake in the command line or the options: CLIs then exit with 2 instead of 1. */
  usage?: boolean;
}

/** Where in a file something is wrong, plus any further details. Lines and columns count from 1, bytes from 0. */
export interface FilePlace {
  /** From 1. */
  line?: number;
  /** From 1, in characters. */
  column?: number;
  /** From 0. */
  byte?: number;
  /** The error underneath. */
  cause?: unknown;
  /** Anything a program may want to read. */
  [detail: string]: unknown;
}

/** Shared by all copies of this package, so that errors are recognised across them. */
const BRAND: symbol = Symbol.for("@x/XError");

/** The error of all our packages. `String(e)` is `CODE message`; `details` and `cause` carry the rest. */
export class XError<C extends string = string> extends Error {
  /** Stable name of what went wrong, e.g. `"BED_SIZE"`. */
  readonly code: C;
  /** What a program can read; frozen. */
  readonly details: ErrorDetails;
  /** What a CLI exits with: 2 for a usage mistake, 1 for everything else. */
  readonly exitCode: 1 | 2;

  constructor(code: C, message: string, options: XErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "XError";
    this.code = code;
    this.details = Object.freeze({ ...options.details });
    this.exitCode = options.usage ? 2 : 1;
    Object.defineProperty(this, BRAND, { value: true });
  }

  override toString(): string {
    return `${this.code} ${this.message}`;
  }

  /** What `--json` prints: code, message and details, no stack. */
  toJSON(): Pick<XError<C>, "code" | "message" | "details"> {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** An `XError` with the message given without its code. */
export function xError<C extends string>(code: C, message: string, options?: XErrorOptions): XError<C> {
  return new XError(code, message, options);
}

/** True for an `XError` of any copy of this package, and of this code when one is named. */
export function isXError<C extends string = string>(e: unknown, code?: C): e is XError<C> {
  if (typeof e !== "object" || e === null || !(BRAND in e)) return false;
  return code === undefined || (e as XError).code === code;
}

/** `CODE path:line:column: message`, or `CODE path (byte n): message`; the place is repeated in `details`. */
export function fileError<C extends string>(
  code: C,
  path: string,
  message: string,
  place: FilePlace = {},
): XError<C> {
  const { cause, ...details } = place;
  let where = path;
  if (place.line !== undefined) where += `:${place.line}`;
  if (place.line !== undefined && place.column !== undefined) where += `:${place.column}`;
  if (place.line === undefined && place.byte !== undefined) where += ` (byte ${place.byte})`;
  return new XError(code, `${where}: ${message}`, { details: { path, ...details }, cause });
}

/** What each system error means to a person; codes not listed keep their own name and text. */
const SYSTEM: Record<string, readonly [code: string, text: string]> = {
  ENOENT: ["ENOENT", "no such file or folder"],
  EACCES: ["EACCES", "permission denied"],
  EPERM: ["EACCES", "operation not permitted"],
  EROFS: ["EROFS", "the file system is read-only"],
  EISDIR: ["NOT_A_FILE", "this is a folder, a file was expected"],
  ENOTDIR: ["ENOTDIR", "a part of this path is a file, not a folder"],
  ELOOP: ["ELOOP", "symbolic links lead round in a circle"],
  ENOSPC: ["ENOSPC", "no space left on the disk; nothing was kept under the final name"],
  EDQUOT: ["ENOSPC", "the disk quota is used up; nothing was kept under the final name"],
  EFBIG: ["EFBIG", "the file would be larger than the file system or `ulimit -f` allows"],
  EIO: ["EIO", "the disk reported an input/output error"],
  EMFILE: ["EMFILE", "too many open files; raise `ulimit -n`"],
  ENFILE: ["EMFILE", "too many open files on this machine"],
  EPIPE: ["EPIPE", "the reader closed the pipe"],
  EEXIST: ["OUT_EXISTS", "the file exists already"],
  ENXIO: ["NOT_SEEKABLE", "this is a socket or a device, a file was expected"],
  ENAMETOOLONG: ["ENAMETOOLONG", "the file name is too long"],
  ERR_FS_FILE_TOO_LARGE: ["EFBIG", "the file is too large to be read in one piece"],
};

/** Turns an error of `node:fs` into an `XError` with the path; an `XError` comes back unchanged. */
export function fromSystemError(e: unknown, path: string): XError {
  if (isXError(e)) return e;
  const raw = e as NodeJS.ErrnoException;
  const system = typeof raw?.code === "string" ? raw.code : "IO";
  const [code, said] = SYSTEM[system] ?? [system, raw?.message ?? String(e)];
  // What went through a pipe or to a device has no final name to be kept from.
  const straight = path === "-" || path === "standard output" || /^\/(dev|proc)\//.test(path);
  const text = straight && code === "ENOSPC" ? said.replace(/;.*/, "; what was written is cut short") : said;
  return fileError(code, path, text, { cause: e, system, syscall: raw?.syscall });
}
