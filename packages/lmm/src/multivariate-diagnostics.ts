import { formatG } from "@x/core/base";
import type { MultivariateRun } from "./multivariate.ts";
import type { MultivariateColumns, MultivariateTest } from "./multivariate-columns.ts";
import type { MultivariateEstimate } from "./multivariate-null.ts";
import type { VariantWatch } from "./variant-problems.ts";

/** −log₁₀ p of the first test that ran, in the order Wald, likelihood ratio, score. */
export function leadingTest(block: MultivariateColumns): { test: MultivariateTest; negLog10P: Float64Array } {
  const { negLog10PWald, negLog10PLrt, negLog10PScore } = block;
  if (negLog10PWald.length > 0) return { test: "wald", negLog10P: negLog10PWald };
  if (negLog10PLrt.length > 0) return { test: "lrt", negLog10P: negLog10PLrt };
  return { test: "score", negLog10P: negLog10PScore };
}

/** The same run; every block that passes is looked at, and kept where there is something to keep it in. */
export function watchedMultivariate(
  run: MultivariateRun,
  watch: VariantWatch,
  keep?: MultivariateColumns[],
): MultivariateRun {
  const { traits } = run;
  const entries = (traits * (traits + 1)) / 2;
  return {
    traits,
    tests: run.tests,
    nullModel: () => run.nullModel(),
    get filters() {
      return run.filters;
    },
    get degenerate() {
      return run.degenerate;
    },
    get unconverged() {
      return run.unconverged;
    },
    async *columns() {
      for await (const block of run.columns()) {
        // A variant has effects on all traits or on none: the first one's tells which.
        const beta = Float64Array.from(block.index, (_, i) => block.beta[i * traits]!);
        const se = Float64Array.from(block.index, (_, i) => Math.sqrt(block.vBeta[i * entries]!));
        watch.add({ index: block.index, beta, se }, leadingTest(block).negLog10P);
        keep?.push(block);
        yield block;
      }
    },
    [Symbol.asyncIterator]: () => run[Symbol.asyncIterator](),
  };
}

const g = (x: number): string => formatG(x, 6);

/** Lines for the log: each trait's share of variance, and the correlations of each pair. */
export function traitLines(e: MultivariateEstimate, names: readonly string[]): string[] {
  const pairs = names.flatMap((_, i) => names.slice(i + 1).map((_n, k) => [i, i + 1 + k] as const));
  const both = (values: Float64Array, errors: Float64Array, at: number): string =>
    `${g(values[at]!)}, se = ${g(errors[at]!)}`;
  const d = names.length;
  return [
    "Traits (REMLE):",
    ...names.map((name, i) => `trait ${i + 1} = ${name}`),
    ...names.map((_, i) => `pve of trait ${i + 1} = ${both(e.pve, e.pveSe, i)}`),
    ...pairs.map(
      ([i, j]) =>
        `genetic correlation of traits ${i + 1} and ${j + 1} = ${both(e.geneticCorrelation, e.geneticCorrelationSe, i * d + j)}`,
    ),
    ...pairs.map(
      ([i, j]) =>
        `residual correlation of traits ${i + 1} and ${j + 1} = ${both(e.residualCorrelation, e.residualCorrelationSe, i * d + j)}`,
    ),
  ];
}
