import { type AssociationTest, STATISTICS, type StatisticName } from "../association-columns.ts";
import { lmmError } from "../errors.ts";

/** GEMMA's number of a set of tests (`-lmm`): Wald, likelihood ratio, score, all three, likelihood ratio with effects. */
export type GemmaMode = 1 | 2 | 3 | 4 | 9;

/** Tests of each mode. */
const TESTS: Readonly<Record<GemmaMode, readonly AssociationTest[]>> = {
  1: ["wald"],
  2: ["lrt"],
  3: ["score"],
  4: ["wald", "lrt", "score"],
  9: ["lrt"],
};

/** GEMMA's names of the statistics it prints. */
export const GEMMA_NAMES: Readonly<Record<StatisticName, string>> = {
  beta: "beta",
  se: "se",
  loglH1: "logl_H1",
  lRemle: "l_remle",
  lMle: "l_mle",
  pWald: "p_wald",
  pLrt: "p_lrt",
  pScore: "p_score",
  negLog10PWald: "neg_log10_p_wald",
  negLog10PLrt: "neg_log10_p_lrt",
  negLog10PScore: "neg_log10_p_score",
};

const OF_TEST: Readonly<Record<AssociationTest, readonly StatisticName[]>> = {
  wald: ["loglH1", "lRemle", "pWald", "negLog10PWald"],
  lrt: ["loglH1", "lMle", "pLrt", "negLog10PLrt"],
  score: ["pScore", "negLog10PScore"],
};

/** Statistics of which a mode leaves out what its tests would give. */
const WITHOUT: { readonly [mode in GemmaMode]?: readonly StatisticName[] } = {
  2: ["beta", "se"],
  9: ["loglH1"],
};

/** Tests of a `-lmm` number. @throws OPTION_RANGE, a usage error. */
export function testsOf(mode: number): readonly AssociationTest[] {
  if (Object.hasOwn(TESTS, mode)) return TESTS[mode as GemmaMode];
  throw lmmError("OPTION_RANGE", `-lmm is 1, 2, 3, 4 or 9; ${mode} given.`, {
    usage: true,
    details: { option: "lmm", value: mode },
  });
}

/** The mode that prints these tests, if GEMMA has one; 2 for the likelihood ratio test alone. */
export function modeOf(tests: readonly AssociationTest[]): GemmaMode | undefined {
  const same = (mode: GemmaMode): boolean =>
    TESTS[mode].length === new Set(tests).size && TESTS[mode].every((test) => tests.includes(test));
  return ([1, 2, 3, 4] as const).find(same);
}

/** Statistics that tests compute, in schema order. */
export function statisticsOf(tests: readonly AssociationTest[]): StatisticName[] {
  const present = new Set<StatisticName>(["beta", "se", ...tests.flatMap((test) => OF_TEST[test])]);
  return STATISTICS.filter((name) => present.has(name));
}

/**
 * Statistics of a text file, in order: GEMMA's columns of the mode, or of the tests where GEMMA has no mode for them;
 * with `negLog10P` those of −log₁₀ p follow.
 */
export function textStatistics(
  tests: readonly AssociationTest[],
  options: { mode?: GemmaMode | undefined; negLog10P?: boolean | undefined } = {},
): StatisticName[] {
  const mode = options.mode ?? modeOf(tests);
  const without = mode === undefined ? [] : (WITHOUT[mode] ?? []);
  return statisticsOf(mode === undefined ? tests : TESTS[mode]).filter(
    (name) => !without.includes(name) && (options.negLog10P === true || !name.startsWith("neg")),
  );
}
