import { fromSystemError, isXError, openInput, type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { Eigen, type EigenFacts, ZERO_BELOW } from "./eigen-matrix.ts";
import { lmmError, lmmFileError } from "./errors.ts";
import { readEigenText } from "./gemma/eigen-text.ts";
import { Kinship } from "./kinship-matrix.ts";
import { center, eigenOrthogonality, type Matrix, type NativeOptions, project, subset } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { eigenParts, requireParts } from "./plan.ts";

/** A file of {@link Eigen.save}, or GEMMA's two text files (`-d` and `-u`). */
export type EigenSource = string | GemmaEigenFiles;

/** GEMMA's two text files of an eigendecomposition. */
export interface GemmaEigenFiles {
  /** Path of the `.eigenD.txt`. */
  readonly values: string;
  /** Path of the `.eigenU.txt`. */
  readonly vectors: string;
}

/** Options of {@link loadEigen}. */
export interface EigenLoadOptions extends RunOptions {
  /** The kinship that it must be of: a decomposition of another one is refused. */
  readonly kinship?: Kinship;
}

export const EIGEN_LOAD_NAMES: NamesOf<EigenLoadOptions> = { ...RUN_NAMES, kinship: true };

/** How far from the identity U′U may be: ten printed digits, or doubles. */
const ORTHOGONAL = { text: 1e-6, arrow: 1e-9 } as const;
/** How far ‖U′Kz − ΛU′z‖ may be from 0, as a share of the largest eigenvalue times ‖z‖. */
const RESIDUAL = 1e-6;
/** Vectors of ±1 that a residual is estimated with. */
const PROBES = 3;

/**
 * Reads an eigendecomposition for a cohort, and checks it: orthogonal vectors, and with `kinship` that K U = U Λ.
 * Eigenvalues below 1e-10 count as 0. An Arrow file knows its cohort; GEMMA's text does not: of it only the number of
 * people can be compared, unless `kinship` is given.
 *
 * @throws COHORT_MISMATCH for other analysed people, EIG_N, EIG_ORTHO, EIG_HASH (a changed file, or another kinship's),
 * EIG_FORMAT, EIG_PARSE, EIG_NAN, EIG_TRUNCATED, ARROW_FOOTER, MEM_PREFLIGHT, UNKNOWN_OPTION.
 */
export async function loadEigen(
  source: EigenSource,
  cohort: Cohort,
  options: EigenLoadOptions = {},
): Promise<Eigen> {
  checkNames(options, EIGEN_LOAD_NAMES, "loadEigen");
  const n = cohort.analyzed.length;
  const threads = resolveThreads(options.threads);
  const copy = options.kinship !== undefined;
  requireParts(
    eigenParts({ analyzed: n, threads, copy }).filter((part) => part.name !== "eigensolver workspace"),
    options,
  );
  const native: NativeOptions = { signal: options.signal, threads };
  const { vectors, facts } = await read(source, cohort, options);
  try {
    const path = typeof source === "string" ? source : source.vectors;
    if (!facts.values.some((v) => v > 0))
      throw lmmFileError("KIN_ZERO", path, "every eigenvalue is zero: the kinship carries no relatedness.");
    const orthogonality = await eigenOrthogonality(facts.values, vectors, native);
    if (!(orthogonality <= ORTHOGONAL[typeof source === "string" ? "arrow" : "text"]))
      throw lmmFileError(
        "EIG_ORTHO",
        path,
        `the eigenvectors are not orthogonal: U′U differs from the identity by ${orthogonality.toPrecision(3)}. The file was changed, or is no matrix of eigenvectors.`,
        { deviation: orthogonality },
      );
    const residual = options.kinship
      ? await requireKinship(path, { vectors, facts }, cohort, options.kinship, native)
      : facts.residual;
    return new Eigen(vectors, { ...facts, orthogonality, residual });
  } catch (e) {
    vectors.release();
    throw e;
  }
}

interface Loaded {
  readonly vectors: Matrix;
  readonly facts: EigenFacts;
}

async function read(source: EigenSource, cohort: Cohort, options: EigenLoadOptions): Promise<Loaded> {
  const n = cohort.analyzed.length;
  if (typeof source !== "string") {
    const { values, vectors } = await readEigenText(source, n, options);
    const smallest = values.reduce((low, v) => Math.min(low, v), 0);
    const largest = values.reduce((high, v) => Math.max(high, v), 0);
    const count = values.filter((v) => v < -1e-6 * largest).length;
    return {
      vectors,
      facts: {
        values: values.map((v) => (v < ZERO_BELOW ? 0 : v)),
        cohortHash: cohort.hash,
        residual: Number.NaN,
        orthogonality: Number.NaN,
        negative: { count, smallest },
      },
    };
  }
  await requireArrow(source);
  const { loadEigenArrow } = await import("./eigen-arrow.ts");
  const loaded = await loadEigenArrow(source, options.signal).catch((e: unknown) => {
    throw isXError(e) ? e : fromSystemError(e, source);
  });
  if (loaded.facts.cohortHash === cohort.hash) return loaded;
  loaded.vectors.release();
  const people = loaded.vectors.n || loaded.facts.values.length;
  throw lmmError(
    "COHORT_MISMATCH",
    `${source}: this eigendecomposition is of ${people} analysed people; the cohort analyses ${people === n ? `${n} others` : n}. It depends on who has a phenotype and all covariates: make it again for this cohort.`,
    { details: { path: source, eigen: loaded.facts.cohortHash, cohort: cohort.hash } },
  );
}

async function requireArrow(path: string): Promise<void> {
  await using file = openInput(path);
  const head = await file.read(0, Math.min(6, file.size));
  if (Buffer.from(head).toString("latin1") === "ARROW1") return;
  throw lmmFileError(
    "EIG_FORMAT",
    path,
    "this is no Arrow file; GEMMA's text comes in two files: give both, { values, vectors } or -d and -u.",
  );
}

/**
 * For orthogonal U, K = UΛU′ holds exactly when U′Kz = ΛU′z for every z: a few z of ±1 tell.
 * @returns the residual.
 */
async function requireKinship(
  path: string,
  { vectors, facts }: Loaded,
  cohort: Cohort,
  kinship: Kinship,
  native: NativeOptions,
): Promise<number> {
  const { kinshipHash, values } = facts;
  const { contentHash, source } = kinship.facts;
  const refuse = (why: string, details: Record<string, unknown>): never => {
    throw lmmFileError(
      "EIG_HASH",
      path,
      `this eigendecomposition is not of the kinship ${source}: ${why}.`,
      details,
    );
  };
  if (kinship.sampleHash !== cohort.sampleHash)
    throw lmmError("COHORT_MISMATCH", `the kinship (${source}) belongs to other people than the cohort.`);
  if (kinshipHash !== undefined && contentHash !== undefined && kinshipHash !== contentHash)
    refuse("their checksums differ", { found: kinshipHash, expected: contentHash });
  const n = values.length;
  const cut = await subset(Kinship.matrixOf(kinship), cohort.analyzed, native);
  try {
    await center(cut, native);
    const z = new Float64Array(PROBES * n);
    // Signs from a fixed multiplicative sequence: the same for every run.
    for (let i = 0, state = 1; i < z.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      z[i] = state & 0x80000000 ? 1 : -1;
    }
    const kz = await project(cut, z, PROBES, native);
    const rotated = await project(vectors, z, PROBES, native);
    const expected = await project(vectors, kz, PROBES, native);
    const largest = values.reduce((high, v) => Math.max(high, v), 0);
    let worst = 0;
    for (let probe = 0; probe < PROBES; probe++) {
      let square = 0;
      for (let i = 0; i < n; i++) {
        const at = probe * n + i;
        square += (expected[at]! - values[i]! * rotated[at]!) ** 2;
      }
      worst = Math.max(worst, Math.sqrt(square / n) / largest);
    }
    if (!(worst <= RESIDUAL + Math.abs(facts.negative.smallest) / largest))
      refuse(`K U and U Λ differ by ${worst.toPrecision(3)} of the largest eigenvalue`, { residual: worst });
    return worst;
  } finally {
    cut.release();
  }
}
