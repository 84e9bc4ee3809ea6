import type { MemoryPart } from "@x/core/base";

/** Genotypes that the test against covariates decodes at once. */
const COVARIATE_TILE_BYTES = 8 << 20;

/** Three blocks of packed genotypes (one is read, one counted, one tested) and their masks or analysed people. */
export function blockBytes(samples: number, chunk: number): number {
  return 4 * chunk * Math.ceil(samples / 4);
}

export function covariateTest(s: { covariates?: number }): MemoryPart[] {
  return (s.covariates ?? 1) > 1
    ? [{ name: "test against covariates", bytes: 3 * COVARIATE_TILE_BYTES }]
    : [];
}

/** One stage of a route: what it holds beside the process, and core-seconds by formula. */
export interface Stage {
  readonly stage: "kinship" | "eigen" | "association";
  readonly parts: MemoryPart[];
  readonly coreSeconds: number;
}
