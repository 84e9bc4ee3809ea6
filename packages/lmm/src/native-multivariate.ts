/** Native calls of models of several traits. */
import type { MultivariateCohort } from "./multivariate-cohort.ts";
import { binding, type Matrix, type NativeOptions, now, run } from "./native.ts";

/** How far the searches of a multivariate model go. */
export type MultiSearch = Parameters<typeof binding.multiAssociation>[10];
/** Which tests of a multivariate model run. */
export type MultiTests = Parameters<InstanceType<typeof binding.MultiAssociation>["test"]>[4];
/** Results of the rows of one call, in their order. */
export type MultiColumns = Awaited<ReturnType<InstanceType<typeof binding.MultiAssociation>["test"]>>;
/** Both null models of several traits. */
export type MultiNullFit = InstanceType<typeof binding.MultiAssociation>["nullFit"];

/** The fitted null model of several traits, which tests variants. */
export interface MultiModel {
  readonly nullFit: MultiNullFit;
  test(
    packed: Uint8Array,
    rows: Uint32Array,
    means: Float64Array,
    tests: MultiTests,
    o: NativeOptions,
  ): Promise<MultiColumns>;
  testDosages(
    values: Float64Array,
    rows: Uint32Array,
    means: Float64Array,
    tests: MultiTests,
    o: NativeOptions,
  ): Promise<MultiColumns>;
}

/** Fits the null model of several traits. */
export async function newMultiAssociation(
  vectors: Matrix,
  values: Float64Array,
  cohort: Pick<MultivariateCohort, "analyzed" | "samples" | "traits" | "w" | "environment">,
  options: MultiSearch,
  o: NativeOptions,
): Promise<MultiModel> {
  const { analyzed, samples, traits, w, environment } = cohort;
  const [d, c] = [traits.length / analyzed.length, w.length / analyzed.length];
  const model = await run(
    (job) =>
      binding.multiAssociation(
        job,
        vectors,
        values,
        analyzed,
        samples,
        traits,
        d,
        w,
        c,
        environment,
        options,
      ),
    o,
  );
  return {
    nullFit: now(() => model.nullFit),
    test: (packed, rows, means, tests, native) =>
      run((job) => model.test(job, packed, rows, means, tests, native.threads), native),
    testDosages: (dosages, rows, means, tests, native) =>
      run((job) => model.testDosages(job, dosages, rows, means, tests, native.threads), native),
  };
}

/** Bytes of {@link newMultiAssociation} and its tests, eigenvectors and genotypes apart. */
export function multiAssociationBytes(
  size: { n: number; c: number; traits: number; environment: boolean },
  threads: number,
): number {
  const { n, c, traits, environment } = size;
  return binding.multiAssociationBytes(n, c, traits, environment, threads);
}
