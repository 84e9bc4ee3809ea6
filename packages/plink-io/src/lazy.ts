// apache-arrow takes a tenth of a second to load: it is loaded when somebody asks for Arrow, not before.
import { createRequire } from "node:module";
import type { RecordBatch } from "apache-arrow";
import type { GenotypeOptions, PlinkStudy } from "./types.ts";

type Tables = typeof import("./tables.ts");

let tables: Tables | undefined;

/** The module of Arrow tables, loaded at once: what a getter needs. */
export function arrowTables(): Tables {
  const here = import.meta.url;
  tables ??= createRequire(here)(here.endsWith(".ts") ? "./tables.ts" : "./tables.js") as Tables;
  return tables;
}

/** readGenotypes, loaded with the first batch. */
export async function* lazyGenotypes(
  study: PlinkStudy,
  options: GenotypeOptions,
): AsyncGenerator<RecordBatch> {
  const { readGenotypes } = await import("./genotypes.ts");
  yield* readGenotypes(study, options);
}
