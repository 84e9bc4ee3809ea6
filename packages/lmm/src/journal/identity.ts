import { createHash } from "node:crypto";
import { sha256Hex as hash } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "../cohort.ts";
import type { Eigen } from "../eigen-matrix.ts";
import type { FilterOptions } from "../filter.ts";
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
  readonly phenotype: string;
  readonly covariates: string;
  readonly environment: string;
  readonly eigenvalues: string;
  readonly tests: string;
  readonly filter: string;
  readonly lambda: string;
  /** Rows of the .bim, half-open. */
  readonly range: string;
  /** `1/1`, or which shard of how many. */
  readonly shard: string;
}

/** The identity of a run over `range`. */
export function runIdentity(
  study: PlinkStudy,
  cohort: Cohort,
  eigen: Eigen,
  options: FilterOptions & LambdaOptions & { tests?: readonly string[] },
  { range, shard }: { range: readonly [number, number]; shard: string },
): RunIdentity {
  const { miss = 0.05, maf = 0.01, hwe = 0, r2 = 0.9999, snps } = options;
  const listed = snps ? hash([...snps].sort().join("\n")) : "all";
  const { lmin = 1e-5, lmax = 1e5, regions = 10 } = options;
  return {
    version: VERSION,
    simd: simdLevel(),
    variants: variantsHash(study),
    people: cohort.hash,
    phenotype: hash(bytesOf(cohort.y)),
    covariates: hash(bytesOf(cohort.w)),
    environment: cohort.environment ? hash(bytesOf(cohort.environment)) : "none",
    eigenvalues: hash(bytesOf(eigen.values)),
    tests: [...(options.tests ?? ["wald"])].join(","),
    filter: `miss ${miss}, maf ${maf}, hwe ${hwe}, r2 ${r2}, snps ${listed}`,
    lambda: `${lmin} ${lmax} ${regions}`,
    range: range.join("-"),
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
