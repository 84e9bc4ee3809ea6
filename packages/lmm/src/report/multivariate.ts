import { escapeXml } from "@x/core/base";
import type { MultivariateColumns } from "../multivariate-columns.ts";
import { triangleIndex } from "../multivariate-columns.ts";
import { leadingTest } from "../multivariate-diagnostics.ts";
import type { MultivariateNullModel } from "../multivariate-null.ts";
import { g, pageHtml, type ReportPage, TEST_NAMES, table } from "./page.ts";

/** What the page of a model of several traits shows beside what every page does. */
export interface MultivariatePage
  extends Omit<ReportPage, "subtitle" | "cards" | "nullModel" | "index" | "negLog10P" | "hits"> {
  readonly traitNames: readonly string[];
  readonly nullModel: MultivariateNullModel;
  readonly blocks: readonly MultivariateColumns[];
}

/** The page that several traits in one model leave behind. */
export function multivariateHtml(page: MultivariatePage): string {
  const { blocks, cohort, traitNames, nullModel } = page;
  const d = traitNames.length;
  const test = blocks[0] ? leadingTest(blocks[0]).test : "wald";
  const doubles = (of: (block: MultivariateColumns) => Float64Array): Float64Array =>
    Float64Array.from(blocks.flatMap((block) => Array.from(of(block))));
  const [beta, vBeta] = [doubles((block) => block.beta), doubles((block) => block.vBeta)];
  const entries = (d * (d + 1)) / 2;
  const effect = (i: number, t: number): string =>
    `${g(beta[i * d + t]!)} ± ${g(Math.sqrt(vBeta[i * entries + triangleIndex(t + 1, t + 1)]!))}`;
  const { reml } = nullModel;
  return pageHtml({
    ...page,
    subtitle: `${traitNames.map(escapeXml).join(", ")} · linear mixed model of ${d} traits together, ${TEST_NAMES[test]}${cohort.environment ? " of the interaction with the environment" : ""}`,
    cards: traitNames.map((_, t) => [
      `pve of trait ${t + 1}`,
      reml.pve[t]!.toFixed(3),
      `± ${reml.pveSe[t]!.toFixed(3)}`,
    ]),
    nullModel: nullTable(nullModel, traitNames),
    index: Uint32Array.from(blocks.flatMap((block) => Array.from(block.index))),
    negLog10P: doubles((block) => leadingTest(block).negLog10P),
    hits: {
      af: doubles((block) => block.af),
      head: traitNames.map((_, t) => `effect on trait ${t + 1} ± se`),
      cells: (i) => traitNames.map((_, t) => effect(i, t)),
    },
  });
}

function nullTable({ reml, mle }: MultivariateNullModel, names: readonly string[]): string {
  const d = names.length;
  const both = (values: Float64Array, errors: Float64Array, at: number): string =>
    `${g(values[at]!)} ± ${g(errors[at]!)}`;
  const pairs = names.flatMap((_, i) => names.slice(i).map((_n, k) => [i, i + k] as const));
  const traits = names.map((name, i) => [`trait ${i + 1}`, escapeXml(name), both(reml.pve, reml.pveSe, i)]);
  const matrices = pairs.map(([i, j]) => {
    const at = i * d + j;
    return [
      i === j ? `trait ${i + 1}` : `traits ${i + 1} and ${j + 1}`,
      both(reml.vg, reml.vgSe, at),
      both(reml.ve, reml.veSe, at),
      i === j ? "" : both(reml.geneticCorrelation, reml.geneticCorrelationSe, at),
      i === j ? "" : both(reml.residualCorrelation, reml.residualCorrelationSe, at),
    ];
  });
  const likelihoods = [
    ["log-likelihood REML", g(reml.logLik, 6)],
    ["log-likelihood ML", g(mle.logLik, 6)],
  ];
  return [
    table(["", "name", "pve ± se"], traits, "hits"),
    table(["", "V<sub>g</sub>", "V<sub>e</sub>", "r<sub>g</sub>", "r<sub>e</sub>"], matrices, "hits"),
    table([], likelihoods, "facts"),
  ].join("");
}
