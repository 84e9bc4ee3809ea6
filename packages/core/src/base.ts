/** Everything that does not need apache-arrow: `@x/core/base` starts several times faster than `@x/core`. */
export * from "./abort.ts";
export { type ByteSource, type ReadChunksOptions, readChunks, sourceName } from "./bytes.ts";
export * from "./cli.ts";
export {
  type FileUse,
  type OptionSpec,
  type OptionType,
  type OptionValue,
  type OptionValues,
  optionsHelp,
  type ParsedOptions,
  parseOptions,
} from "./cli-options.ts";
export * from "./errors.ts";
export * from "./files.ts";
export * from "./hash.ts";
export * from "./input.ts";
export * from "./lines.ts";
export * from "./lock.ts";
export * from "./memory.ts";
export * from "./native.ts";
export { normalQuantile } from "./normal.ts";
export * from "./numbers.ts";
export { type FileExtras, type OptionExtras, type OptionMaker, option } from "./option.ts";
export {
  checkOptions,
  checkRange,
  nearestName,
  type Range,
  resolveThreads,
  unknownOption,
} from "./options.ts";
export { PAGE_STYLE } from "./page-style.ts";
export {
  type OnProgress,
  type Progress,
  type ProgressStream,
  type RunOptions,
  terminalProgress,
} from "./progress.ts";
export * from "./random.ts";
export { checkOutputs, protectInputs } from "./run-files.ts";
export * from "./svg.ts";
export * from "./tables.ts";
export { removeTemps } from "./temps.ts";
export * from "./usage.ts";
export * from "./warnings.ts";
