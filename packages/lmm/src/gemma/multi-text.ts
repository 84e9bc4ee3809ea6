import { formatE6, formatFixed3, formatG } from "@x/core/base";
import type { BimColumns } from "@x/plink-io";
import {
  type MultivariateColumns,
  type MultivariateTest,
  TEST_COLUMNS,
  triangleIndex,
  upperPairs,
} from "../multivariate-columns.ts";
import type { MultivariateEstimate, MultivariateNullModel } from "../multivariate-null.ts";

/** The tests of GEMMA's `-lmm` numbers. */
export const MODE_TESTS: Readonly<Record<number, readonly MultivariateTest[]>> = {
  1: ["wald"],
  2: ["lrt"],
  3: ["score"],
  4: ["wald", "lrt", "score"],
};

/** GEMMA's header of `-lmm` with several `-n`. */
export function multiHeader(
  traits: number,
  tests: readonly MultivariateTest[],
  negLog10P: boolean = false,
): string {
  const names = [
    ..."chr rs ps n_miss allele1 allele0 af".split(" "),
    ...Array.from({ length: traits }, (_, t) => `beta_${t + 1}`),
    ...upperPairs(traits).map(([i, j]) => `Vbeta_${i}_${j}`),
    ...tests.map((test) => TEST_COLUMNS[test][2]),
    ...(negLog10P ? tests.map((test) => TEST_COLUMNS[test][3]) : []),
  ];
  return `${names.join("\t")}\n`;
}

/** Rows as GEMMA prints them: af `%.3f`, the rest `%.6e`, text columns as in the .bim. */
export function multiRows(
  bim: BimColumns,
  shown: {
    readonly traits: number;
    readonly tests: readonly MultivariateTest[];
    readonly negLog10P?: boolean;
  },
  block: MultivariateColumns,
): string {
  const { traits, tests, negLog10P = false } = shown;
  const places = upperPairs(traits).map(([i, j]) => triangleIndex(i, j));
  const p = [0, ...(negLog10P ? [1] : [])].flatMap((at) =>
    tests.map((test) => block[TEST_COLUMNS[test][at as 0 | 1]]),
  );
  let text = "";
  for (let i = 0; i < block.index.length; i++) {
    const row = block.index[i]!;
    text += `${bim.chrom[row]}\t${bim.id[row]}\t${bim.pos[row]}\t${block.nMiss[i]}\t${bim.a1[row]}\t${bim.a2[row]}\t${formatFixed3(block.af[i]!)}`;
    for (let t = 0; t < traits; t++) text += `\t${formatE6(block.beta[i * traits + t]!)}`;
    for (const at of places) text += `\t${formatE6(block.vBeta[i * places.length + at]!)}`;
    for (const column of p) text += `\t${formatE6(column[i]!)}`;
    text += "\n";
  }
  return text;
}

const g = (x: number): string => formatG(x, 6);

/**
 * GEMMA's log lines of the null model: REML's matrices as lower triangles, MLE's whole, effects of the covariates without
 * that of an environment.
 */
export function multiNullLines(h0: MultivariateNullModel, traits: number, covariates: number): string[] {
  const rows = (values: Float64Array, width: number, until: (row: number) => number): string[] =>
    Array.from({ length: traits }, (_, i) =>
      Array.from(values.subarray(i * width, i * width + until(i)), g).join("\t"),
    );
  const lower = (values: Float64Array): string[] => rows(values, traits, (i) => i + 1);
  const whole = (values: Float64Array): string[] => rows(values, traits, () => traits);
  const columns = h0.reml.beta.length / traits;
  const estimates = (name: string, e: MultivariateEstimate, print: typeof whole): string[] => [
    `## ${name} estimate for Vg in the null model: `,
    ...print(e.vg),
    "## se(Vg): ",
    ...lower(e.vgSe),
    `## ${name} estimate for Ve in the null model: `,
    ...print(e.ve),
    "## se(Ve): ",
    ...lower(e.veSe),
  ];
  return [
    `## REMLE log-likelihood in the null model = ${g(h0.reml.logLik)}`,
    `## MLE log-likelihood in the null model = ${g(h0.mle.logLik)}`,
    ...estimates("REMLE", h0.reml, lower),
    ...estimates("MLE", h0.mle, whole),
    "## estimate for B (d by c) in the null model (columns correspond to the covariates provided in the file): ",
    ...rows(h0.reml.beta, columns, () => covariates),
    "## se(B): ",
    ...rows(h0.reml.betaSe, columns, () => covariates),
  ];
}
