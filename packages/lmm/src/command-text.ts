import type { PlinkStudy } from "@x/plink-io";
import type { GwasOptions } from "./gwas-options.ts";

/** Listed variants printed one by one; of more, how many. */
const FEW = 50;

/** Options that say how a run is watched, not what it does. */
const WATCHING: ReadonlySet<string> = new Set(["signal", "onProgress", "onWarning", "command"]);

/** What repeats a run, for report and log: the command line, or the call with every option given. */
export function commandText(study: PlinkStudy, options: GwasOptions): string {
  if (options.command !== undefined) return options.command;
  const fileset = JSON.stringify(study.paths.bed.replace(/\.bed$/, ""));
  const given = Object.entries(options).filter(([name, v]) => v !== undefined && !WATCHING.has(name));
  const list = given.map(([name, value]) => `${name}: ${valueText(value)}`).join(", ");
  return list === "" ? `gwas(${fileset})` : `gwas(${fileset}, { ${list} })`;
}

function valueText(value: unknown): string {
  if (value instanceof Set)
    return value.size <= FEW
      ? `new Set(${JSON.stringify([...value])})`
      : `new Set([/* ${value.size} ids */])`;
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null && "numRows" in value)
    return `/* a table of ${value.numRows} rows */`;
  return JSON.stringify(value);
}
