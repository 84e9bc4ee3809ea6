/**
 * Made-up cells for each of the six problems of mosaic data. Types are Gaussian clusters in 8 dimensions; RNA is
 * negative binomial, ATAC Bernoulli, ADT a mixture of background and foreground. Every cell and feature draws from its
 * own stream of random numbers, so that a cell does not change when others are added.
 */
import { tableFromColumns } from "@x/core";
import { Random } from "@x/core/base";
import type { Table } from "apache-arrow";
import { denseToCsr } from "./csr.ts";
import { type MosaicDataset, mosaicDataset } from "./dataset.ts";
import { gamma, logistic, negativeBinomial, poisson } from "./draws.ts";
import { type CellPlan, planCells } from "./mock-cells.ts";
import {
  type MockModality,
  type MockOptions,
  type MockProblem,
  type MockSettings,
  mockSettings,
} from "./mock-options.ts";

/** Dimensions of the truth. */
export const MOCK_LATENT = 8;

/** What a mock data set was made from, for all cells, measured or not. */
export interface MockTruth {
  /** Position of each cell, cells × 8, batch shift included. */
  readonly latent: Float32Array;
  /** Type of each cell: `type0` … */
  readonly labels: readonly string[];
  /** Expected numbers, cells × features: shares of the library for RNA, probabilities for ATAC, means for ADT. */
  readonly expected: Readonly<Partial<Record<MockModality, Float32Array>>>;
  /** Drawn numbers, cells × features, also of cells that lack the modality. */
  readonly drawn: Readonly<Partial<Record<MockModality, Float32Array>>>;
}

/** A mock data set. */
export interface Mock {
  /** The cells; `obs` has `batch, dataset, cluster, split, has_rna, has_atac, has_adt, libsize_rna` (NaN without RNA). */
  readonly dataset: MosaicDataset;
  /** What it was made from. */
  readonly truth: MockTruth;
  /** All knobs. */
  readonly settings: MockSettings;
}

/** Streams of random numbers: the kind of thing in the upper half, which one in the lower. */
const STREAM = { centres: 1n, weights: 2n, features: 3n, batches: 4n, latent: 5n, cells: 6n } as const;
const KIND: Readonly<Record<MockModality, bigint>> = { rna: 1n, atac: 2n, adt: 3n };

/** The generator of one thing. */
function stream(seed: number, what: keyof typeof STREAM, kind: bigint, index: number): Random {
  return new Random(seed, (STREAM[what] << 56n) | (kind << 48n) | BigInt(index));
}

const CENTRE_SD = 1.5;
const WITHIN_SD = 0.5;
const WEIGHT_SD = 0.35;
const COUNTS_A_GENE = 5;

/**
 * Makes a mock data set; the same problem, knobs and seed give the same numbers on every machine. Errors: `MOCK`,
 * `OPTION_RANGE`, `UNKNOWN_OPTION`.
 *
 * ```ts
 * const { dataset, truth } = mock("bridge", { cells: 1000, seed: 7 });
 * ```
 */
export function mock(problem: MockProblem, options: MockOptions = {}): Mock {
  const settings = mockSettings(problem, options);
  const plan = planCells(settings);
  const { cells, seed, clusters } = settings;
  const centres = Array.from({ length: clusters }, (_, k) =>
    normals(stream(seed, "centres", 0n, k), CENTRE_SD),
  );
  const shifts = plan.batches.map((_, b) => normals(stream(seed, "batches", 0n, b), settings.batchShift));
  const latent = new Float32Array(cells * MOCK_LATENT);
  for (let i = 0; i < cells; i++) {
    const own = normals(stream(seed, "latent", 0n, i), WITHIN_SD);
    for (let d = 0; d < MOCK_LATENT; d++)
      latent[i * MOCK_LATENT + d] = centres[plan.cluster[i]!]![d]! + shifts[plan.batch[i]!]![d]! + own[d]!;
  }
  const expected: Partial<Record<MockModality, Float32Array>> = {};
  const drawn: Partial<Record<MockModality, Float32Array>> = {};
  for (const name of settings.modalities) {
    const made = makeModality(name, latent, plan, settings);
    expected[name] = made.expected;
    drawn[name] = made.drawn;
  }
  const labels = Array.from(plan.cluster, (k) => `type${k}`);
  const dataset = mosaicDataset({
    cellIds: Array.from(
      { length: cells },
      (_, i) => `cell${String(i).padStart(String(cells - 1).length, "0")}`,
    ),
    obs: obsTable(plan, labels, settings, drawn.rna),
    batchKey: "batch",
    modalities: Object.fromEntries(
      settings.modalities.map((name) => {
        const columns = settings.features[name];
        const seen = drawn[name]!.map((value, at) => (plan.has[name][Math.floor(at / columns)] ? value : 0));
        const values = denseToCsr(seen, cells, columns, name);
        return [
          name,
          { kind: name, features: featureNames(name, columns), values, available: plan.has[name] },
        ];
      }),
    ),
  });
  return { dataset, truth: { latent, labels, expected, drawn }, settings };
}

function normals(random: Random, sd: number): number[] {
  return Array.from({ length: MOCK_LATENT }, () => sd * random.normal());
}

function featureNames(name: MockModality, count: number): string[] {
  const stem = { rna: "gene", atac: "peak", adt: "protein" }[name];
  return Array.from(
    { length: count },
    (_, j) => `${stem}${String(j).padStart(String(count - 1).length, "0")}`,
  );
}

/** Numbers of one modality: what is expected, and what is drawn. */
function makeModality(
  name: MockModality,
  latent: Float32Array,
  plan: CellPlan,
  s: MockSettings,
): { expected: Float32Array; drawn: Float32Array } {
  const count = s.features[name];
  const kind = KIND[name];
  const weights = Array.from({ length: count }, (_, j) =>
    normals(stream(s.seed, "weights", kind, j), WEIGHT_SD),
  );
  const features = Array.from({ length: count }, (_, j) => {
    const random = stream(s.seed, "features", kind, j);
    return [random.normal(), random.normal()] as const;
  });
  const factors = plan.batches.map((_, b) => {
    const random = stream(s.seed, "batches", kind, b);
    return Array.from({ length: count }, () => s.batchScale * random.normal());
  });
  const expected = new Float32Array(s.cells * count);
  const drawn = new Float32Array(s.cells * count);
  const score = new Float64Array(count);
  for (let i = 0; i < s.cells; i++) {
    for (let j = 0; j < count; j++) {
      let sum = factors[plan.batch[i]!]![j]!;
      for (let d = 0; d < MOCK_LATENT; d++) sum += latent[i * MOCK_LATENT + d]! * weights[j]![d]!;
      score[j] = sum;
    }
    const row = { score, features, random: stream(s.seed, "cells", kind, i), at: i * count, expected, drawn };
    if (name === "rna") drawRna(row, s);
    else if (name === "atac") drawAtac(row, s);
    else drawAdt(row, s);
  }
  return { expected, drawn };
}

interface Row {
  /** Latent part of each feature. */
  score: Float64Array;
  /** Two standard normal numbers a feature: its level, and its noise. */
  features: readonly (readonly [number, number])[];
  random: Random;
  at: number;
  expected: Float32Array;
  drawn: Float32Array;
}

/** Library × softmax shares, negative binomial. */
function drawRna({ score, features, random, at, expected, drawn }: Row, s: MockSettings): void {
  const count = score.length;
  const library = COUNTS_A_GENE * count * s.libraryScale * Math.exp(0.3 * random.normal());
  const level = score.map((x, j) => x + features[j]![0]);
  const top = level.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weight = level.map((x) => Math.exp(x - top));
  const total = weight.reduce((a, b) => a + b, 0);
  for (let j = 0; j < count; j++) {
    const share = weight[j]! / total;
    expected[at + j] = share;
    const theta = (4 * Math.exp(0.5 * features[j]![1])) / s.noise;
    drawn[at + j] = negativeBinomial(random, library * share, theta);
  }
}

/** Open or not. */
function drawAtac({ score, features, random, at, expected, drawn }: Row, s: MockSettings): void {
  for (let j = 0; j < score.length; j++) {
    const p = logistic((score[j]! + features[j]![0]) / s.noise - 1.5);
    expected[at + j] = p;
    drawn[at + j] = random.uniform() < p ? 1 : 0;
  }
}

const FOREGROUND = 8;

/** Background counts on every cell, eight times as many where the protein is there. */
function drawAdt({ score, features, random, at, expected, drawn }: Row, s: MockSettings): void {
  for (let j = 0; j < score.length; j++) {
    const background = 3 * Math.exp(0.5 * features[j]![0]);
    const p = logistic(2 * score[j]! - 0.5);
    expected[at + j] = background * (1 + (FOREGROUND - 1) * p);
    const mean = background * (random.uniform() < p ? FOREGROUND : 1);
    drawn[at + j] = poisson(random, gamma(random, 5 / s.noise, mean));
  }
}

function obsTable(
  plan: CellPlan,
  labels: readonly string[],
  s: MockSettings,
  rna: Float32Array | undefined,
): Table {
  const genes = s.features.rna;
  const library = Float32Array.from({ length: s.cells }, (_, i) =>
    rna && plan.has.rna[i] ? rna.subarray(i * genes, (i + 1) * genes).reduce((a, b) => a + b, 0) : Number.NaN,
  );
  const flags = (name: MockModality): boolean[] => Array.from(plan.has[name], Boolean);
  return tableFromColumns({
    batch: Array.from(plan.batch, (b) => plan.batches[b]!),
    dataset: plan.dataset,
    cluster: labels,
    split: plan.split,
    has_rna: flags("rna"),
    has_atac: flags("atac"),
    has_adt: flags("adt"),
    libsize_rna: library,
  });
}
