import type { MemoryPart } from "@x/core/base";
import { DOSAGE_BYTES } from "./bimbam.ts";
import { associationBytes, dosageGramBytes, eigenBytes, gramBytes } from "./native.ts";
import { multiAssociationBytes } from "./native-multivariate.ts";
import type { StudySize } from "./plan.ts";
import { blockBytes, covariateTest, type Stage } from "./plan-blocks.ts";
import { EIGEN, FLOP, FREED, VARIANT } from "./plan-dual.ts";

/** A tile that is made while the one before is written, and what gathers them. */
const WRITE_BYTES = 32 << 20;

/** Memory of {@link kinship} beyond what the process holds already. */
export function kinshipParts(s: {
  samples: number;
  chunk: number;
  threads: number;
  covariates?: number;
  /** Sums of real numbers, not of bit planes: dosages, or genotypes divided by their deviation. */
  real?: boolean;
}): MemoryPart[] {
  const matrix = 8 * s.samples ** 2;
  return [
    { name: "kinship, 8 n²", bytes: matrix },
    s.real
      ? {
          name: "dosages of a block",
          bytes: dosageGramBytes(s.samples) - matrix + 3 * Math.max(DOSAGE_BYTES, 8 * s.samples),
        }
      : { name: "bit planes of a block", bytes: gramBytes(s.samples) - matrix + s.threads * 320 * 1024 },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    // The buffers of real numbers are gone, and are more, when the file is written.
    ...(s.real ? [] : [{ name: "buffers of the file written", bytes: Math.min(2 * matrix, WRITE_BYTES) }]),
    ...covariateTest(s),
  ];
}

/** Memory of {@link eigen} beyond what the process holds already (the kinship itself among it). */
export function eigenParts(s: { analyzed: number; threads: number; copy: boolean }): MemoryPart[] {
  const matrix = 8 * s.analyzed ** 2;
  return [
    ...(s.copy ? [{ name: "kinship of the analysed, 8 m²", bytes: matrix }] : []),
    { name: "eigenvectors, 8 m²", bytes: matrix },
    { name: "eigensolver workspace", bytes: eigenBytes(s.analyzed, s.threads) - 2 * matrix },
  ];
}

/** Memory of {@link associate} beyond what the process holds already (the eigenvectors among it). */
export function associationParts(s: {
  samples: number;
  analyzed: number;
  covariates: number;
  threads: number;
  chunk: number;
  /** Traits of one multivariate model. Default 1. */
  jointTraits?: number;
  /** Phenotypes tested together. Default 1. */
  traits?: number;
  /** Whether an interaction is tested. */
  environment?: boolean;
}): MemoryPart[] {
  const { analyzed: n, covariates: c, traits = 1, environment = false, threads } = s;
  const joint = s.jointTraits ?? 1;
  const bytes =
    joint > 1
      ? multiAssociationBytes({ n, c, traits: joint, environment }, threads)
      : associationBytes({ n, c, traits, environment }, threads);
  return [
    { name: "rotated columns and buffers", bytes },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    ...covariateTest(s),
  ];
}

const total = (parts: readonly MemoryPart[]): number => parts.reduce((sum, p) => sum + p.bytes, 0);

/** Stages of the n × n route: what each holds beside the process, and core-hours by formula. */
export function primalStages(s: Required<Omit<StudySize, "route">>): Stage[] {
  const { samples: n, analyzed: m } = s;
  // Leaving chromosomes out keeps the kinship of all beside the one at work.
  const kept = s.loco > 0 ? [{ name: "kinship of all chromosomes, 8 n²", bytes: 8 * n * n }] : [];
  const cut = [
    { name: "kinship, 8 n²", bytes: 8 * n * n },
    { name: "kinship of the analysed, 8 m²", bytes: 8 * m * m },
  ];
  const solve = eigenParts({ ...s, copy: true });
  const eigen = n !== m && total(cut) > total(solve) ? cut : solve;
  // Every chromosome's part of the kinship is summed twice: for the whole, and when its turn comes.
  const [sums, solves] = s.loco > 0 ? [2, s.loco + 1] : [1, 1];
  const sum = kinshipParts(s);
  // A chromosome's kinship and decomposition are made inside the association, and what the ones before freed is not
  // given back at once: all of it may be there together.
  const turn = s.loco > 0 ? [...sum, ...solve.slice(0, 1), FREED] : [];
  return [
    {
      stage: "kinship",
      parts: [...kept, ...sum],
      coreSeconds: (sums * n * n * s.kinshipVariants) / 2 / 1.2e11,
    },
    { stage: "eigen", parts: [...kept, ...eigen], coreSeconds: solves * m ** 3 * EIGEN },
    {
      stage: "association",
      parts: [...kept, ...turn, { name: "eigenvectors, 8 m²", bytes: 8 * m * m }, ...associationParts(s)],
      coreSeconds: s.variants * (2 * m * m * FLOP + m * VARIANT * s.jointTraits ** 3),
    },
  ];
}
