import type { MemoryPart } from "@x/core/base";
import { COVARIATE_TILE_BYTES } from "./covariate-r2.ts";

/** Three blocks of packed genotypes (one is read, one counted, one tested) and their masks or analysed people. */
export function blockBytes(samples: number, chunk: number): number {
  return 4 * chunk * Math.ceil(samples / 4);
}

export function covariateTest(s: { covariates?: number }): MemoryPart[] {
  return (s.covariates ?? 1) > 1
    ? [{ name: "test against covariates", bytes: 3 * COVARIATE_TILE_BYTES }]
    : [];
}
