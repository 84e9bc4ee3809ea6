/** How good an embedding and its imputation are, beside the simple ways of doing without a model. */
import { checkOptions, checkRange, type RunOptions, type Warn } from "@x/core/base";
import { alignTo } from "./align.ts";
import { csrToDense } from "./csr.ts";
import { columnTexts, type MosaicDataset } from "./dataset.ts";
import { decodeCells } from "./decode.ts";
import { embedCells, RUN_OPTIONS } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import { leiden } from "./leiden.ts";
import type { ModelState } from "./mosaic-vae.ts";
import { nearest, type Points } from "./neighbours.ts";
import { auroc, averagePrecision, meanOf, medianOf, pearson } from "./scores-features.ts";
import { type IntegrationScores, integrationScores } from "./scores-integration.ts";
import {
  adjustedRand,
  type LabelScore,
  neighbourLabels,
  normalizedMutualInformation,
} from "./scores-labels.ts";
import { type Matching, matching } from "./scores-matching.ts";
import { lsi, truncatedSvd } from "./svd.ts";
import { log1p, normalizeTotal } from "./transform.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions extends RunOptions {
  /** Column of `obs` with the labels. */
  labels?: string;
  /** Receives warnings. */
  warn?: Warn;
  /** Cells at most for scores that compare all pairs; 3,000, evenly spaced. */
  most?: number;
}

/** Imputation of one modality, on cells where it was measured but hidden from the encoders. */
export interface ImputationScore {
  /** Median over features of the correlation (AUROC for 0 and 1) with what was measured. */
  readonly perFeature: number;
  /** Mean over features of the same. */
  readonly meanPerFeature: number;
  /** Mean over cells of the correlation, for counts. */
  readonly perCell: number;
  /** Area under the precision-recall curve, all features together, for 0 and 1. */
  readonly averagePrecision: number;
  /** Root mean squared error. */
  readonly rmse: number;
  /** The same for the mean of each feature over the cells the model was trained on; over these cells if it was not. */
  readonly rmseOfMeans: number;
  /** Features that were compared: those of the model that the data have. */
  readonly features: number;
}

/** What `evaluate` finds. */
export interface EvaluationReport {
  /** Number of cells. */
  readonly cells: number;
  /** Labels of each cell from its 15 nearest others, by modalities used: `joint`, `rna` … */
  readonly labels: Readonly<Record<string, LabelScore>>;
  /** The same without a model: SVD of RNA, LSI of ATAC. */
  readonly baselines: Readonly<Record<string, LabelScore>>;
  /** Leiden clusters of the embedding against the labels. */
  readonly clusters:
    | {
        /** How many. */
        readonly count: number;
        /** Adjusted Rand index. */
        readonly ari: number;
        /** Normalised mutual information. */
        readonly nmi: number;
      }
    | undefined;
  /** Are batches mixed, types apart? */
  readonly integration: IntegrationScores;
  /** By pair of modalities, `rna~atac`; on cells that have both. */
  readonly matching: Readonly<Record<string, Matching>>;
  /** By modality. */
  readonly imputation: Readonly<Record<string, ImputationScore>>;
  /** One sentence: does each modality beat the simple baseline, on the same cells? */
  readonly verdict: string;
}

/**
 * Evaluates a model on data with labels. `OBS_COLUMN` where there is no such column, `LABELS` where it holds none,
 * numbers with fractions, or nearly as many labels as cells.
 */
export async function evaluateModel(
  state: ModelState,
  given: MosaicDataset,
  options: EvaluateOptions = {},
): Promise<EvaluationReport> {
  checkOptions(options, ["labels", "most", "warn", ...RUN_OPTIONS], "evaluate");
  const { signal, warn } = options;
  const most = checkRange("most", options.most ?? 3000, { min: 1, integer: true });
  // All that follows is in the model's order of features, whatever that of the data is.
  const { dataset } = alignTo(given, state.registry, warn ? { warn } : {});
  const passed = signal ? { signal } : {};
  const embedding = await embedCells(state, dataset, { single: true, ...passed });
  const d = embedding.latent;
  const step = Math.max(1, Math.ceil(dataset.cells / most));
  const all = Int32Array.from({ length: Math.ceil(dataset.cells / step) }, (_, i) => i * step);
  const take = (values: ArrayLike<number>, rows: Int32Array, width = d): Points => {
    const out = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      for (let c = 0; c < width; c++) out[i * width + c] = values[row * width + c]!;
    });
    return { values: out, count: rows.length, dimensions: width };
  };
  const texts = options.labels === undefined ? undefined : columnTexts(dataset.obs, options.labels);
  if (texts?.every((t) => t === null))
    throw mosaicError("LABELS", `column ${options.labels} holds no label`, { usage: true });
  if (texts) refuseMeasured(dataset, options.labels!, texts);
  const labelled = texts ? all.filter((row) => texts[row] !== null) : all;
  const labelOf = (rows: Int32Array): string[] => Array.from(rows, (row) => texts![row]!);
  const measured = (name: string, rows: Int32Array): Int32Array =>
    rows.filter((row) => dataset.modalities.get(name)?.available[row]);
  const labels: Record<string, LabelScore> = {};
  const baselines: Record<string, LabelScore> = {};
  let clusters: EvaluationReport["clusters"];
  if (texts) {
    labels.joint = neighbourLabels(take(embedding.mean, labelled), labelOf(labelled));
    for (const m of state.plan.modalities) {
      const rows = measured(m.name, labelled);
      if (rows.length < 20) continue;
      labels[m.name] = neighbourLabels(take(embedding.single[m.name]!.mean, rows), labelOf(rows));
      const modality = dataset.modalities.get(m.name)!;
      const svd =
        m.kind === "atac"
          ? await lsi(modality, passed)
          : await truncatedSvd(modality, {
              center: true,
              transform: (b) => log1p(normalizeTotal(b)),
              ...passed,
            });
      baselines[m.name] = neighbourLabels(take(svd.scores, rows, svd.components), labelOf(rows));
    }
    const points = take(embedding.mean, labelled);
    const found = leiden(nearest(points, points, { k: 15, self: false }));
    const truth = labelOf(labelled);
    clusters = {
      count: new Set(found).size,
      ari: adjustedRand([...found], truth),
      nmi: normalizedMutualInformation([...found], truth),
    };
  }
  const integration = integrationScores(take(embedding.mean, labelled), {
    batches: batchTexts(dataset, labelled),
    labels: texts ? labelOf(labelled) : undefined,
  });
  const imputation = await imputations(state, { given, dataset }, passed);
  return {
    cells: dataset.cells,
    labels,
    baselines,
    clusters,
    integration,
    matching: matchings(),
    imputation,
    verdict: verdictOf({ labels, baselines, imputation, integration }),
  };

  function matchings(): Record<string, Matching> {
    const out: Record<string, Matching> = {};
    const names = state.plan.modalities.map((m) => m.name);
    names.forEach((a, i) => {
      for (const b of names.slice(i + 1)) {
        const rows = measured(b, measured(a, all));
        if (rows.length < 10) continue;
        out[`${a}~${b}`] = matching(
          take(embedding.single[a]!.mean, rows),
          take(embedding.single[b]!.mean, rows),
        );
      }
    });
    return out;
  }
}

/** Numbers with fractions are measured; with hardly two cells a label, neighbours cannot tell it. */
function refuseMeasured({ obs }: MosaicDataset, name: string, texts: readonly (string | null)[]): void {
  const given = texts.filter((text) => text !== null);
  const different = new Set(given).size;
  const column = obs.getChild(name);
  const fractions = texts.some((text, i) => text?.includes(".") && typeof column?.get(i) === "number");
  if (!fractions && (given.length < 4 || 2 * different <= given.length)) return;
  const message = `column ${name} holds ${different} different values in ${given.length} cells: a measured number or an id, no labels; name a column with the types of cells`;
  throw mosaicError("LABELS", message, {
    usage: true,
    details: { column: name, different, cells: given.length },
  });
}

function batchTexts(dataset: MosaicDataset, rows: Int32Array): string[] {
  if (dataset.batchKey === undefined) return Array.from(rows, () => "all");
  const texts = columnTexts(dataset.obs, dataset.batchKey);
  return Array.from(rows, (row) => texts[row] ?? "");
}

/** Batches are not mixed where both scores are below this. */
const APART = 0.1;

/**
 * The line that says when a model is not worth its time. Labels are compared on the same cells: what the encoder of a
 * modality says of those that have it against SVD or LSI of it.
 */
function verdictOf({
  labels,
  baselines,
  imputation,
  integration,
}: Pick<EvaluationReport, "labels" | "baselines" | "imputation" | "integration">): string {
  const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
  const said: string[] = [];
  const lost: string[] = [];
  for (const [name, baseline] of Object.entries(baselines)) {
    const found = labels[name]!.accuracy;
    said.push(
      `labels from ${name}: model ${percent(found)}, ${name === "atac" ? "LSI" : "SVD"} ${percent(baseline.accuracy)}`,
    );
    if (found < baseline.accuracy) lost.push(`labels from ${name}`);
  }
  for (const [name, { rmse, rmseOfMeans }] of Object.entries(imputation)) {
    said.push(
      `${name} imputed: RMSE ${rmse.toFixed(3)}, of the mean of each feature ${rmseOfMeans.toFixed(3)}`,
    );
    if (rmse > rmseOfMeans) lost.push(`imputing ${name}`);
  }
  if (said.length === 0)
    return "no labels were given and nothing could be imputed, so nothing was compared with a baseline";
  const all = said.join("; ");
  const compared =
    lost.length === 0
      ? `the model is at least as good as the simple baseline (${all})`
      : `the simple baseline wins at ${lost.join(", ")} (${all})`;
  const { iLisi, kBet } = integration;
  if (!(iLisi < APART && kBet < APART)) return compared;
  return `${compared}; batches lie apart (iLISI ${iLisi.toFixed(3)}, kBET ${kBet.toFixed(3)}; 1 is mixed)`;
}

/** Each modality from the others, on cells that have it and another one. */
async function imputations(
  state: ModelState,
  { given, dataset }: { given: MosaicDataset; dataset: MosaicDataset },
  passed: { signal?: AbortSignal },
): Promise<Record<string, ImputationScore>> {
  const out: Record<string, ImputationScore> = {};
  const names = state.plan.modalities.map((m) => m.name);
  for (const m of state.plan.modalities) {
    const others = names.filter((name) => name !== m.name);
    const modality = dataset.modalities.get(m.name);
    if (!modality || others.length === 0) continue;
    const usable = (row: number): boolean =>
      modality.available[row] === 1 && others.some((name) => dataset.modalities.get(name)?.available[row]);
    // Nobody measured what was filled with 0.
    const there = new Set(given.modalities.get(m.name)?.features);
    const columns = Int32Array.from(modality.features.flatMap((name, f) => (there.has(name) ? [f] : [])));
    const found: Float32Array[] = [];
    const truth: Float32Array[] = [];
    for await (const part of decodeCells(state, dataset, m.name, {
      modalities: others,
      allowEmpty: true,
      ...passed,
    })) {
      const first = part.rows[0]!;
      const block = csrToDense(await modality.rows(first, first + part.rows.length));
      part.rows.forEach((row, i) => {
        if (!usable(row) || found.length >= 2000) return;
        const chosen = (from: Float32Array): Float32Array =>
          Float32Array.from(columns, (f) => from[i * part.features + f]!);
        found.push(chosen(part.mean));
        const values = chosen(block);
        truth.push(m.binary ? values.map((v) => (v > 0 ? 1 : 0)) : values);
      });
    }
    const means = state.means[m.name];
    if (found.length >= 10)
      out[m.name] = scoreImputation(found, truth, {
        binary: m.binary,
        means: means && Array.from(columns, (f) => means[f]!),
      });
  }
  return out;
}

function scoreImputation(
  found: readonly Float32Array[],
  truth: readonly Float32Array[],
  { binary, means }: { binary: boolean; means: readonly number[] | undefined },
): ImputationScore {
  const n = found.length;
  const features = found[0]!.length;
  const scale = (v: number): number => (binary ? v : Math.log1p(Math.max(0, v)));
  const column = (rows: readonly Float32Array[], f: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => scale(rows[i]![f]!));
  const each: number[] = [];
  let [error, errorOfMeans] = [0, 0];
  for (let f = 0; f < features; f++) {
    const [x, y] = [column(found, f), column(truth, f)];
    each.push(binary ? auroc(x, y) : pearson(x, y));
    const mean = means?.[f] ?? y.reduce((a, b) => a + b, 0) / n;
    for (let i = 0; i < n; i++) {
      error += (x[i]! - y[i]!) ** 2;
      errorOfMeans += (mean - y[i]!) ** 2;
    }
  }
  const flat = (rows: readonly Float32Array[]): Float32Array => {
    const out = new Float32Array(n * features);
    rows.forEach((row, i) => {
      out.set(row, i * features);
    });
    return out;
  };
  const total = n * features;
  return {
    perFeature: medianOf(each),
    meanPerFeature: meanOf(each),
    perCell: binary
      ? Number.NaN
      : meanOf(found.map((row, i) => pearson(row.map(scale), truth[i]!.map(scale)))),
    averagePrecision: binary ? averagePrecision(flat(found), flat(truth)) : Number.NaN,
    rmse: Math.sqrt(error / total),
    rmseOfMeans: Math.sqrt(errorOfMeans / total),
    features,
  };
}
