/** The six problems of mosaic data and the knobs of the generator. */
import { checkOptions, checkRange } from "@x/core/base";
import { mosaicError } from "./errors.ts";

/** Which cells lack which modality. */
export type MockProblem = "paired" | "unpaired" | "bridge" | "mosaic" | "prediction" | "hierarchical";

/** One of `rna`, `atac`, `adt`. */
export type MockModality = "rna" | "atac" | "adt";

/** Knobs of `mock`. */
export interface MockOptions {
  /** Cells, 600 by default. */
  cells?: number;
  /** Features of each modality: 200 genes, 300 peaks and 25 proteins by default. */
  features?: Partial<Record<MockModality, number>>;
  /** Types of cells, 3 to 5; 4 by default. */
  clusters?: number;
  /**
   * Share of the cells that keep each modality the problem gives them; 0.6, 0.5 and 0.4 for `mosaic`, else 1. A cell
   * that would lose all is drawn again.
   */
  coverage?: Partial<Record<MockModality, number>>;
  /** Share of `bridge` cells that have both, 0.05 by default. */
  bridgeShare?: number;
  /** Standard deviation of the shift of a batch in the latent space; 0.35 for `paired` and `hierarchical`, else 0.15. */
  batchShift?: number;
  /** Standard deviation of a batch's factor on each feature, on the log scale; 0.1 by default. */
  batchScale?: number;
  /** Noise beyond that of counting, 1 by default: it divides the dispersion parameters and flattens ATAC probabilities. */
  noise?: number;
  /** Factor on the library sizes of RNA, 1 by default: a median of about 5 counts a gene. */
  libraryScale?: number;
  /** Seed; 0 by default. */
  seed?: number;
}

/** All knobs with their values. */
export interface MockSettings {
  /** Which cells lack what. */
  readonly problem: MockProblem;
  /** Number of cells. */
  readonly cells: number;
  /** Features of each modality. */
  readonly features: Readonly<Record<MockModality, number>>;
  /** Types of cells. */
  readonly clusters: number;
  /** Share of the cells that keep each modality. */
  readonly coverage: Readonly<Record<MockModality, number>>;
  /** Share of `bridge` cells that have both. */
  readonly bridgeShare: number;
  /** Standard deviation of a batch's shift in the latent space. */
  readonly batchShift: number;
  /** Standard deviation of a batch's factor on a feature, log scale. */
  readonly batchScale: number;
  /** Noise beyond counting. */
  readonly noise: number;
  /** Factor on library sizes. */
  readonly libraryScale: number;
  /** Seed. */
  readonly seed: number;
  /** What the problem has. */
  readonly modalities: readonly MockModality[];
}

/** File names of the problems, without their ending. */
export const MOCK_FILES: Readonly<Record<MockProblem, string>> = {
  paired: "mock_paired_cite",
  unpaired: "mock_unpaired_rna_atac",
  bridge: "mock_bridge_rna_atac",
  mosaic: "mock_mosaic_multiome",
  prediction: "mock_prediction_rna_to_atac",
  hierarchical: "mock_hierarchical_multistudy",
};

const MODALITIES: Readonly<Record<MockProblem, readonly MockModality[]>> = {
  paired: ["rna", "adt"],
  unpaired: ["rna", "atac"],
  bridge: ["rna", "atac"],
  mosaic: ["rna", "atac", "adt"],
  prediction: ["rna", "atac"],
  hierarchical: ["rna", "atac", "adt"],
};

const MOSAIC_COVERAGE = { rna: 0.6, atac: 0.5, adt: 0.4 };
const KNOWN = [
  "cells",
  "features",
  "clusters",
  "coverage",
  "bridgeShare",
  "batchShift",
  "batchScale",
  "noise",
  "libraryScale",
  "seed",
];

/** Fills in what was left out. Errors: `MOCK` (unknown problem), `OPTION_RANGE`, `UNKNOWN_OPTION`. */
export function mockSettings(problem: MockProblem, options: MockOptions = {}): MockSettings {
  checkOptions(options, KNOWN, "mock");
  if (!Object.hasOwn(MOCK_FILES, problem)) {
    const message = `there is no problem ${problem}; there are ${Object.keys(MOCK_FILES).join(", ")}`;
    throw mosaicError("MOCK", message, { usage: true });
  }
  const whole = (name: string, value: number, min: number, max = 1e7): number =>
    checkRange(name, value, { min, max, integer: true });
  const real = (name: string, value: number, min: number, max = 1e6): number =>
    checkRange(name, value, { min, max });
  checkOptions(options.features, ["rna", "atac", "adt"], "features");
  checkOptions(options.coverage, ["rna", "atac", "adt"], "coverage");
  const features = { rna: 200, atac: 300, adt: 25, ...options.features };
  const coverage = {
    ...(problem === "mosaic" ? MOSAIC_COVERAGE : { rna: 1, atac: 1, adt: 1 }),
    ...options.coverage,
  };
  for (const name of ["rna", "atac", "adt"] as const) {
    whole(`features.${name}`, features[name], 1);
    real(`coverage.${name}`, coverage[name], 0.01, 1);
  }
  const shifted = problem === "paired" || problem === "hierarchical";
  return {
    problem,
    cells: whole("cells", options.cells ?? 600, 10),
    features,
    clusters: whole("clusters", options.clusters ?? 4, 3, 5),
    coverage,
    bridgeShare: real("bridgeShare", options.bridgeShare ?? 0.05, 0, 1),
    batchShift: real("batchShift", options.batchShift ?? (shifted ? 0.35 : 0.15), 0),
    batchScale: real("batchScale", options.batchScale ?? 0.1, 0, 3),
    noise: real("noise", options.noise ?? 1, 0.01),
    libraryScale: real("libraryScale", options.libraryScale ?? 1, 1e-3),
    seed: whole("seed", options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    modalities: MODALITIES[problem],
  };
}
