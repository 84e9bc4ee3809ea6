import { createRequire } from "node:module";

/**
 * `@x/core` with apache-arrow, loaded when the first table is asked for: apache-arrow takes a tenth of a second to
 * start, more than a whole small kinship. `require` because getters cannot wait.
 */
export function arrowCore(): typeof import("@x/core") {
  return createRequire(import.meta.url)("@x/core") as typeof import("@x/core");
}
