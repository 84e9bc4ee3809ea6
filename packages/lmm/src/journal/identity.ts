import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { sha256Hex as hash } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "../cohort.ts";
import type { Decomposition } from "../eigen.ts";
import { type FilterOptions, filterOptions } from "../filter.ts";
import type { GwasOptions } from "../gwas-options.ts";
import { simdLevel } from "../native.ts";
import type { LambdaOptions } from "../null-model.ts";
import { VERSION } from "../version.ts";

/**
 * All that the numbers of an association run depend on, so that blocks of two runs are put together only when they
 * would be the same. Kinship and eigenvectors are recognised by the eigenvalues.
 */
export interface RunIdentity {
  readonly version: string;
  /** Instruction set: floating results may differ in the last bits between two. */
  readonly simd: string;
  readonly variants: string;
  readonly people: string;
  /** Size and parts of the genotype file. */
  readonly genotypes: string;
  readonly phenotype: string;
  readonly covariates: string;
  readonly environment: string;
  readonly eigenvalues: string;
  readonly tests: string;
  /** What the text file shows of the tests. */
  readonly text: string;
  readonly filter: string;
  readonly lambda: string;
  /** Rows of the .bim, half-open. */
  readonly range: string;
  /** What is left out of a variant's kinship. */
  readonly left: string;
  /** `1/1`, or which shard of how many. */
  readonly shard: string;
}

/** The identity of a run over `range`. */
export function runIdentity(
  study: PlinkStudy,
  cohort: Cohort,
  eigen: Decomposition,
  options: FilterOptions & LambdaOptions & Pick<GwasOptions, "tests" | "lmm" | "negLog10P">,
  {
    range,
    shard,
    left,
    genotypes,
  }: { range: readonly [number, number]; shard: string; left: string; genotypes: string },
): RunIdentity {
  const { miss, maf, hwe, r2 } = filterOptions(options);
  const { snps, lmm, negLog10P = false } = options;
  const listed = snps ? hash([...snps].sort().join("\n")) : "all";
  const { lmin = 1e-5, lmax = 1e5, regions = 10 } = options;
  return {
    version: VERSION,
    simd: simdLevel(),
    variants: variantsHash(study),
    people: cohort.hash,
    genotypes,
    phenotype: hash(bytesOf(cohort.y)),
    covariates: hash(bytesOf(cohort.w)),
    environment: cohort.environment ? hash(bytesOf(cohort.environment)) : "none",
    eigenvalues: hash(bytesOf(eigen.values)),
    tests: [...(options.tests ?? ["wald"])].join(","),
    text: `mode ${lmm ?? "by tests"}${negLog10P ? ", -log10 p" : ""}`,
    filter: `miss ${miss}, maf ${maf}, hwe ${hwe}, r2 ${r2}, snps ${listed}`,
    lambda: `${lmin} ${lmax} ${regions}`,
    range: range.join("-"),
    left,
    shard,
  };
}

/** A fingerprint of the .bim, centimorgans apart. */
export function variantsHash({ bim, p }: Pick<PlinkStudy, "bim" | "p">): string {
  const variants = createHash("sha256");
  for (let row = 0; row < p; row++)
    variants.update(`${bim.chrom[row]}\t${bim.id[row]}\t${bim.pos[row]}\t${bim.a1[row]}\t${bim.a2[row]}\n`);
  return variants.digest("hex");
}

/** Most parts of a genotype file that are read for its fingerprint, and the bytes of each. */
const PARTS = 256;
const PART_BYTES = 1 << 16;

/**
 * A fingerprint of a genotype file: its size, and up to 16 MiB of it in parts spread evenly, so that another file of the
 * same people and variants is noticed and a copy is not.
 */
export async function genotypeHash(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const parts = Math.min(PARTS, Math.ceil(size / PART_BYTES));
    const fingerprint = createHash("sha256").update(`${size}\n`);
    const buffer = Buffer.alloc(PART_BYTES);
    for (let part = 0; part < parts; part++) {
      const at = parts === 1 ? 0 : Math.floor(((size - PART_BYTES) * part) / (parts - 1));
      const { bytesRead } = await file.read(buffer, 0, PART_BYTES, Math.max(0, at));
      fingerprint.update(buffer.subarray(0, bytesRead));
    }
    return fingerprint.digest("hex");
  } finally {
    await file.close();
  }
}

/** The first field in which a stored identity differs, or undefined. */
export function differingField(
  stored: Record<string, unknown>,
  identity: RunIdentity,
  except: ReadonlyArray<keyof RunIdentity> = [],
): keyof RunIdentity | undefined {
  const names = Object.keys(identity) as Array<keyof RunIdentity>;
  return names.find((name) => !except.includes(name) && stored[name] !== identity[name]);
}

const bytesOf = (a: Float64Array): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
