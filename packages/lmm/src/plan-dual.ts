import type { MemoryPart } from "@x/core/base";
import { eigenBytes } from "./native.ts";
import { dualAssociationBytes, snpSetBytes } from "./native-dual.ts";
import { blockBytes, covariateTest, type Stage } from "./plan-blocks.ts";

/**
 * What the allocator and the garbage collector keep of freed blocks: covers it from 10,000 to 100,000 people, as measured
 * (`benchmarks/lmm-dual`).
 */
export const FREED: MemoryPart = { name: "freed, not yet given back", bytes: 96e6 };

/** Memory of {@link dualKinship} beyond what the process holds already; it keeps the first part. */
export function dualKinshipParts(s: {
  samples: number;
  analyzed: number;
  kinshipVariants: number;
  chunk: number;
  covariates?: number;
}): MemoryPart[] {
  return [
    variants(s),
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    ...covariateTest(s),
  ];
}

/** Memory of {@link eigen} by the p × p route beyond what the process holds already (the variants among it). */
export function dualEigenParts(s: {
  kinshipVariants: number;
  threads: number;
  /** The products stay for chromosomes to be left out in turn. Default false. */
  loco?: boolean;
}): MemoryPart[] {
  const { kinshipVariants: p, threads, loco = false } = s;
  const matrix = 8 * p * p;
  return [
    ...(loco ? [{ name: "products of all variants, 8 p²", bytes: matrix }] : []),
    { name: "products of variants, 8 p²", bytes: matrix },
    { name: "eigenvectors, 8 p²", bytes: matrix },
    { name: "eigensolver workspace", bytes: eigenBytes(p, threads) - 2 * matrix },
  ];
}

/** Memory of {@link associate} by the p × p route beyond what the process holds already (the eigenvectors among it). */
export function dualAssociationParts(s: {
  samples: number;
  analyzed: number;
  kinshipVariants: number;
  covariates: number;
  threads: number;
  chunk: number;
  traits?: number;
}): MemoryPart[] {
  const { analyzed: n, covariates: c, kinshipVariants: p, traits = 1, threads, chunk } = s;
  const size = { n, c, traits, environment: false };
  return [
    { name: "coordinates and buffers", bytes: dualAssociationBytes(size, p, chunk, threads) },
    blocks(s),
    FREED,
    ...covariateTest(s),
  ];
}

/** Beside the blocks one of the analysed people. */
function blocks(s: { samples: number; chunk: number }): MemoryPart {
  return { name: "genotype blocks", bytes: (blockBytes(s.samples, s.chunk) / 3) * 4 };
}

function variants(s: { analyzed: number; kinshipVariants: number }): MemoryPart {
  return { name: "kinship variants, n p / 4", bytes: snpSetBytes(s.analyzed, s.kinshipVariants) };
}

/** Stages of the p × p route: what each holds beside the process, and core-hours by formula. */
export function dualStages(s: {
  samples: number;
  analyzed: number;
  variants: number;
  kinshipVariants: number;
  covariates: number;
  threads: number;
  chunk: number;
  traits?: number;
  /** Chromosomes left out in turn. */
  loco: number;
}): Stage[] {
  const { analyzed: n, kinshipVariants: p, variants: all } = s;
  const kept = variants(s);
  // With everyone analysed a variant of the kinship is its own column of V; otherwise missing calls have another mean.
  const others = n === s.samples ? all - p : all;
  const product = n / PAIRS;
  const loco = s.loco > 0;
  // A chromosome's own variants are none of its kinship: all have their products with the others turned.
  const turned = loco ? all : others;
  return [
    { stage: "kinship", parts: dualKinshipParts(s), coreSeconds: (s.samples * all) / READ },
    {
      stage: "eigen",
      parts: [kept, ...dualEigenParts({ ...s, loco })],
      coreSeconds: (p * p * product) / 2 + (s.loco + 1) * p ** 3 * EIGEN + (n * n) / 2 / PEOPLE,
    },
    {
      stage: "association",
      parts: [
        kept,
        // Each chromosome's products and eigensolver have their turn inside the association.
        ...(loco ? [...dualEigenParts({ ...s, loco }).slice(0, 2), FREED] : []),
        { name: "eigenvectors, 8 p²", bytes: 8 * p * p },
        ...dualAssociationParts(s),
      ],
      coreSeconds: others * p * product + turned * 2 * p * p * FLOP + all * (p * VARIANT + s.samples / READ),
    },
  ];
}

/** Pairs of genotypes a second a core multiplied where calls are missing. */
const PAIRS = 8e10;
/** Pairs of people a second a core compared for twins. */
const PEOPLE = 5e8;
/** Genotypes read and counted a second a core. */
const READ = 2e9;
/** Seconds of the eigendecomposition over p³, of a multiply-add half, and of a variant's tests over its coordinates. */
export const EIGEN = 1.6e-10;
export const FLOP = 2.5e-11;
export const VARIANT = 2.5e-8;
