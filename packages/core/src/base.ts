/** Everything that does not need apache-arrow: `@x/core/base` starts several times faster than `@x/core`. */
export * from "./abort.ts";
export * from "./bytes.ts";
export * from "./cli.ts";
export * from "./cli-options.ts";
export * from "./errors.ts";
export * from "./files.ts";
export * from "./input.ts";
export * from "./lines.ts";
export * from "./lock.ts";
export * from "./memory.ts";
export * from "./native.ts";
export * from "./numbers.ts";
export * from "./options.ts";
export * from "./progress.ts";
export * from "./tables.ts";
export { removeTemps } from "./temps.ts";
export * from "./warnings.ts";
