import { describe, expect, it } from "vitest";

import { abortError, isAbort, throwIfAborted } from "../src/abort.ts";
import { fileError, fromSystemError, isXError, XError, xError } from "../src/errors.ts";

describe("XError", () => {
  it("prints CODE message and carries code, details, cause and exit code", () => {
    const cause = new Error("under");
    const e = xError("BED_SIZE", "cut short", { details: { found: 1 }, cause });
    expect(String(e)).toBe("BED_SIZE cut short");
    expect(e).toBeInstanceOf(Error);
    expect(e).toMatchObject({ code: "BED_SIZE", details: { found: 1 }, cause, exitCode: 1, name: "XError" });
    expect(xError("UNKNOWN_OPTION", "x", { usage: true }).exitCode).toBe(2);
    expect(JSON.parse(JSON.stringify(e))).toEqual({
      code: "BED_SIZE",
      message: "cut short",
      details: { found: 1 },
    });
    expect(Object.isFrozen(e.details)).toBe(true);
  });

  it("is recognised across copies of the package, and by code", async () => {
    const copy = (await import("../src/errors.ts?copy" as string)) as { XError: typeof XError };
    expect(copy.XError).not.toBe(XError);
    const theirs = new copy.XError("A", "b");
    expect(theirs instanceof XError).toBe(false);
    expect(isXError(theirs)).toBe(true);
    expect(isXError(theirs, "A")).toBe(true);
    expect(isXError(theirs, "B")).toBe(false);
    for (const other of [new Error("x"), { code: "A" }, null, "A", undefined])
      expect(isXError(other)).toBe(false);
  });

  it("names the place in a file", () => {
    expect(String(fileError("COLUMNS", "a.fam", "5 fields", { line: 7 }))).toBe("COLUMNS a.fam:7: 5 fields");
    expect(fileError("X", "a", "m", { line: 7, column: 3 }).message).toBe("a:7:3: m");
    expect(fileError("X", "a", "m", { byte: 12 }).message).toBe("a (byte 12): m");
    expect(fileError("X", "a", "m", { line: 7, found: 5 }).details).toEqual({ path: "a", line: 7, found: 5 });
  });

  it("translates system errors, with the path", () => {
    const system = (code: string): XError => fromSystemError(Object.assign(new Error("raw"), { code }), "p");
    expect(String(system("ENOENT"))).toBe("ENOENT p: no such file or folder");
    expect(system("EISDIR").code).toBe("NOT_A_FILE");
    expect(system("EPERM").code).toBe("EACCES");
    expect(system("EDQUOT").code).toBe("ENOSPC");
    expect(system("EWEIRD")).toMatchObject({ code: "EWEIRD", message: "p: raw" });
    expect(fromSystemError("text", "p")).toMatchObject({ code: "IO" });
    const e = xError("A", "b");
    expect(fromSystemError(e, "p")).toBe(e);
  });
});

describe("abort", () => {
  it("throws the signal's own reason", () => {
    throwIfAborted();
    throwIfAborted(new AbortController().signal);
    const reason = new Error("why");
    expect(() => throwIfAborted(AbortSignal.abort(reason))).toThrow(reason);
    expect(abortError()).toMatchObject({ code: "CANCELLED" });
    expect(isAbort(reason, AbortSignal.abort(reason))).toBe(true);
    expect(isAbort(AbortSignal.abort().reason)).toBe(true);
    expect(isAbort(abortError())).toBe(true);
    expect(isAbort(reason)).toBe(false);
  });
});
