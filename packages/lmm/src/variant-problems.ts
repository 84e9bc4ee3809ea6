import type { PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import type { AssociationRun } from "./associate.ts";
import { leadingTest } from "./association-columns.ts";
import { arrowCore } from "./lazy-arrow.ts";

/**
 * What became of a variant. The first four have no complete estimate; at a bound of λ the estimate holds, but λ is where
 * the search ended (small samples, or a trait without heritability, put most variants at the lower one).
 */
export const VARIANT_PROBLEMS = {
  /** Nothing of the variant is left beside the covariates. */
  COLLINEAR: "a combination of the covariates among the analysed people: no effect can be estimated",
  /** Nothing of the phenotype is left: what remains is rounding, and counts as 1e-12 of it. */
  PERFECT_FIT:
    "covariates and variant explain the phenotype completely: no residual variance is left, and p is no more than small",
  /** No λ was found. */
  NO_CONVERGENCE: "the search for λ found no finite likelihood",
  /** NaN or infinite. */
  NOT_FINITE: "a statistic is not a finite number",
  /** The estimate may lie below the search. */
  LAMBDA_LOW: "λ is at the lower bound of the search (lmin)",
  /** The estimate may lie above the search. */
  LAMBDA_HIGH: "λ is at the upper bound of the search (lmax)",
} as const;

/** A code of {@link VARIANT_PROBLEMS}. */
export type VariantProblem = keyof typeof VARIANT_PROBLEMS;

const CODES = Object.keys(VARIANT_PROBLEMS) as VariantProblem[];

/** Variants with each problem. */
export type ProblemCounts = Readonly<Record<VariantProblem, number>>;

/** Problems that leave a variant without a complete estimate. */
const FAILED: ReadonlySet<VariantProblem> = new Set([
  "COLLINEAR",
  "PERFECT_FIT",
  "NO_CONVERGENCE",
  "NOT_FINITE",
]);

/** What a problem shows in; columns of tests that did not run are absent. */
export interface VariantStatistics {
  /** Row of the .bim. */
  readonly index: Uint32Array;
  readonly beta?: Float64Array;
  readonly se?: Float64Array;
  readonly loglH1?: Float64Array;
  readonly lRemle?: Float64Array;
  readonly lMle?: Float64Array;
}

/** One a variant: 0 = none, else 1 + the position in {@link VARIANT_PROBLEMS}. */
export function variantProblems(
  columns: VariantStatistics,
  lambda: { readonly lmin: number; readonly lmax: number },
): Uint8Array {
  const at = (i: number): VariantProblem | undefined => {
    const lambdas = given([columns.lRemle?.[i], columns.lMle?.[i]]);
    const statistics = given([columns.beta?.[i], columns.se?.[i], columns.loglH1?.[i]]);
    // A variant without anything left beside the covariates has no statistic at all.
    if ([...lambdas, ...statistics].every(Number.isNaN)) return "COLLINEAR";
    if (given([...lambdas, columns.loglH1?.[i]]).some(Number.isNaN)) return "NO_CONVERGENCE";
    if (given([columns.se?.[i]]).some((se) => !(se > 0))) return "PERFECT_FIT";
    if (!statistics.every(Number.isFinite)) return "NOT_FINITE";
    // The kernels leave such a variant 1e-12 of the phenotype's variance at each degree of freedom.
    if (Math.abs(columns.beta?.[i] ?? 0) > PERFECT * (columns.se?.[i] ?? Number.NaN)) return "PERFECT_FIT";
    if (lambdas.some((l) => l <= lambda.lmin)) return "LAMBDA_LOW";
    return lambdas.some((l) => l >= lambda.lmax) ? "LAMBDA_HIGH" : undefined;
  };
  return Uint8Array.from(columns.index, (_, i) => {
    const problem = at(i);
    return problem === undefined ? 0 : 1 + CODES.indexOf(problem);
  });
}

/** Effect over standard error from which nothing but rounding is left of the phenotype. */
const PERFECT = 0.99e6;

const given = (values: ReadonlyArray<number | undefined>): number[] => values.filter((v) => v !== undefined);

/** How many variants have each problem. */
export function countProblems(codes: Uint8Array): ProblemCounts {
  const counts = Object.fromEntries(CODES.map((name) => [name, 0])) as Record<VariantProblem, number>;
  for (const code of codes) if (code > 0) counts[CODES[code - 1]!]++;
  return counts;
}

/** The problems that occurred, as texts for log and report. */
export function describeProblems(counts: ProblemCounts): string[] {
  return CODES.filter((name) => counts[name] > 0).map(
    (name) => `${counts[name]} variants: ${VARIANT_PROBLEMS[name]} (${name})`,
  );
}

/** The variants without a complete estimate: `index, chrom, id, pos, code, reason`. */
export function problemTable({ bim }: Pick<PlinkStudy, "bim">, index: Uint32Array, codes: Uint8Array): Table {
  const at = Array.from(codes.keys()).filter((i) => codes[i]! > 0 && FAILED.has(CODES[codes[i]! - 1]!));
  const rows = at.map((i) => index[i]!);
  const names = at.map((i) => CODES[codes[i]! - 1]!);
  return arrowCore().tableFromColumns({
    index: Int32Array.from(rows),
    chrom: rows.map((row) => bim.chrom[row]!),
    id: rows.map((row) => bim.id[row]!),
    pos: Int32Array.from(rows, (row) => bim.pos[row]!),
    code: names as string[],
    reason: names.map((name) => VARIANT_PROBLEMS[name] as string),
  });
}

/** A variant without a complete estimate. */
export interface FailedVariant {
  /** Chromosome. */
  readonly chrom: string;
  /** Variant id. */
  readonly id: string;
  /** Base pairs. */
  readonly pos: number;
  /** Why. */
  readonly code: VariantProblem;
}

/** Variants of each reason that are named; {@link problemTable} has all. */
const NAMED = 20;

/** The first 20 variants of each reason, by reason, in file order. */
export function failedVariants({ bim }: Pick<PlinkStudy, "bim">, seen: SeenVariants): FailedVariant[] {
  const found = new Map<VariantProblem, FailedVariant[]>([...FAILED].map((code) => [code, []]));
  for (const [i, at] of seen.codes.entries()) {
    const list = at > 0 ? found.get(CODES[at - 1]!) : undefined;
    if (!list || list.length >= NAMED) continue;
    const row = seen.index[i]!;
    list.push({ chrom: bim.chrom[row]!, id: bim.id[row]!, pos: bim.pos[row]!, code: CODES[at - 1]! });
  }
  return [...found.values()].flat();
}

/** Lines that name them, one a reason. */
export function describeFailed(failed: readonly FailedVariant[], counts: ProblemCounts): string[] {
  return [...FAILED].flatMap((code) => {
    const ids = failed.filter((v) => v.code === code).map((v) => v.id);
    const more = counts[code] - ids.length;
    return ids.length === 0 ? [] : [`${code}: ${ids.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
  });
}

/** Keeps of a run of variants what the diagnostics need: 13 bytes a variant. */
export class VariantWatch {
  readonly #lambda: { readonly lmin: number; readonly lmax: number };
  readonly #blocks: Array<{ index: Uint32Array; codes: Uint8Array; negLog10P: Float64Array }> = [];

  constructor(lambda: { readonly lmin?: number; readonly lmax?: number }) {
    this.#lambda = { lmin: lambda.lmin ?? 1e-5, lmax: lambda.lmax ?? 1e5 };
  }

  /** Looks at a block; `negLog10P` is that of the test that is reported first. */
  add(block: VariantStatistics, negLog10P: Float64Array): void {
    this.#blocks.push({ index: block.index, codes: variantProblems(block, this.#lambda), negLog10P });
  }

  /** Everything seen, in order. */
  finish(): SeenVariants {
    const length = this.#blocks.reduce((sum, block) => sum + block.index.length, 0);
    const seen = {
      index: new Uint32Array(length),
      codes: new Uint8Array(length),
      negLog10P: new Float64Array(length),
    };
    let at = 0;
    for (const block of this.#blocks) {
      seen.index.set(block.index, at);
      seen.codes.set(block.codes, at);
      seen.negLog10P.set(block.negLog10P, at);
      at += block.index.length;
    }
    return seen;
  }
}

/** What {@link VariantWatch} has kept. */
export interface SeenVariants {
  readonly index: Uint32Array;
  readonly codes: Uint8Array;
  readonly negLog10P: Float64Array;
}

/** The same run; every block that passes is looked at. */
export function watched(run: AssociationRun, watch: VariantWatch): AssociationRun {
  return {
    get filters() {
      return run.filters;
    },
    get degenerate() {
      return run.degenerate;
    },
    tests: run.tests,
    get work() {
      return run.work;
    },
    async *columns() {
      for await (const block of run.columns()) {
        watch.add(block, leadingTest(block).negLog10P);
        yield block;
      }
    },
    [Symbol.asyncIterator]: () => run[Symbol.asyncIterator](),
  };
}
