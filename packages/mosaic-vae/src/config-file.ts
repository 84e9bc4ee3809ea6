/** Configurations as files: YAML, or JSON by the same reader. */
import { readFileSync } from "node:fs";
import { fromSystemError } from "@x/core/base";
import { LineCounter, parseDocument, visit } from "yaml";
import { checkConfig, type MosaicConfig } from "./config.ts";
import { mosaicFileError } from "./errors.ts";

/**
 * Reads a configuration. Errors: `CONFIG` with line and column for what is no YAML, `UNKNOWN_OPTION` with the nearest
 * right name, `OPTION_RANGE`, and those of the file system.
 */
export function readConfig(path: string): MosaicConfig {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw fromSystemError(e, path);
  }
  if (bytes.includes(0)) {
    const what = bytes.subarray(1, 4).toString("latin1") === "HDF" ? "an HDF5 file, as cells are" : "no text";
    throw mosaicFileError("CONFIG", path, `this is ${what}; a configuration is YAML or JSON`);
  }
  const text = bytes.toString("utf8");
  const lineCounter = new LineCounter();
  // No aliases: a few of them can grow into gigabytes.
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw mosaicFileError("CONFIG", path, problem.message.split("\n")[0]!, { line, column: col });
  }
  let alias: number | undefined;
  visit(document, {
    Alias(_, node) {
      alias = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  if (alias !== undefined) {
    const { line, col } = lineCounter.linePos(alias);
    throw mosaicFileError("CONFIG", path, "aliases (*name) are not read; write the value again", {
      line,
      column: col,
    });
  }
  return checkConfig((document.toJS({ maxAliasCount: 0 }) ?? {}) as MosaicConfig);
}
