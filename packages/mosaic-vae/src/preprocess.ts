/** The usual preparation of each modality, in one call that says what it did. */
import { checkOptions, throwIfAborted } from "@x/core/base";
import { type PassOptions, summarize } from "./counts.ts";
import type { CsrBlock } from "./csr.ts";
import type { Modality, MosaicDataset } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import {
  highlyVariable,
  inverseDocumentFrequency,
  mostFound,
  replaceModalities,
  selectFeatures,
} from "./features.ts";
import { binarize, clr, log1p, normalizeTotal, tfidf } from "./transform.ts";

/** Steps for one modality, done in this order. */
export interface PreprocessSteps {
  /** Keep this many highly variable features (`highlyVariable`; needs counts). */
  highlyVariable?: number;
  /** Keep the features found in the most cells. */
  mostFound?: number;
  /** Scale each cell to this sum; `true` is 10,000. */
  normalizeTotal?: number | boolean;
  /** ln(1 + v). */
  log1p?: boolean;
  /** 1 where there is anything. */
  binarize?: boolean;
  /** Term frequency × inverse document frequency. */
  tfidf?: boolean;
  /** Centred log-ratio of each cell. */
  clr?: boolean;
}

/** What became of one step. */
export interface PreprocessReport {
  /** Its name. */
  readonly modality: string;
  /** As in `PreprocessSteps`. */
  readonly step: string;
  /** False for a step that had nothing to work on. */
  readonly done: boolean;
  /** What was done, or why it was not. */
  readonly note: string;
}

/** Prepared data and what was done to them. */
export interface Preprocessed {
  /** The prepared data. */
  readonly dataset: MosaicDataset;
  /** One line a step. */
  readonly report: readonly PreprocessReport[];
}

const STEPS = ["highlyVariable", "mostFound", "normalizeTotal", "log1p", "binarize", "tfidf", "clr"];

/**
 * Prepares modalities by name. Matrices are not copied: transformations are applied as rows are read. A step whose
 * modality is not in the data, or has no measured cell, is reported with `done: false` and changes nothing. Errors:
 * `UNKNOWN_OPTION`, `COUNTS` (highly variable features of numbers that are no counts), and those of reading.
 *
 * ```ts
 * const { dataset, report } = await preprocess(cells, { rna: { highlyVariable: 2000 }, atac: { mostFound: 5000 } });
 * ```
 */
export async function preprocess(
  dataset: MosaicDataset,
  steps: Readonly<Record<string, PreprocessSteps>>,
  options: PassOptions = {},
): Promise<Preprocessed> {
  const report: PreprocessReport[] = [];
  let prepared = dataset;
  for (const [name, wanted] of Object.entries(steps)) {
    checkOptions(wanted, STEPS, `preprocess of ${name}`);
    const asked = STEPS.filter((step) => {
      const value = wanted[step as keyof PreprocessSteps];
      return value !== undefined && value !== false;
    });
    const modality = prepared.modalities.get(name);
    const measured = modality?.available.some((flag) => flag === 1) ?? false;
    if (!measured) {
      const note = modality ? "no cell was measured" : "the data have no such modality";
      for (const step of asked) report.push({ modality: name, step, done: false, note });
      continue;
    }
    for (const step of asked) {
      throwIfAborted(options.signal);
      const result = await apply(prepared, name, step as keyof PreprocessSteps, wanted, options);
      prepared = result.dataset;
      report.push({ modality: name, step, done: true, note: result.note });
    }
  }
  return { dataset: prepared, report };
}

async function apply(
  dataset: MosaicDataset,
  name: string,
  step: keyof PreprocessSteps,
  steps: PreprocessSteps,
  options: PassOptions,
): Promise<{ dataset: MosaicDataset; note: string }> {
  const modality = dataset.modalities.get(name)!;
  const each = (f: (block: CsrBlock) => CsrBlock, note: string): { dataset: MosaicDataset; note: string } => {
    const rows: Modality["rows"] = async (start, end, opts) => f(await modality.rows(start, end, opts));
    const modalities = new Map(dataset.modalities).set(name, { ...modality, rows });
    return { dataset: replaceModalities(dataset, modalities), note };
  };
  switch (step) {
    case "highlyVariable": {
      if (!(await summarize(modality, options)).counts) {
        const message = `${name}: highly variable features are chosen from raw counts; these numbers are none (often counts are in layers/counts or raw/X)`;
        throw mosaicError("COUNTS", message, { details: { modality: name } });
      }
      const table = await highlyVariable(modality, { ...options, top: steps.highlyVariable! });
      const places = Array.from(table.getChild("selected")!, Boolean).flatMap((yes, j) => (yes ? [j] : []));
      const note = `${places.length} of ${modality.features.length} features kept`;
      return { dataset: selectFeatures(dataset, { [name]: places }), note };
    }
    case "mostFound": {
      const places = await mostFound(modality, steps.mostFound!, options);
      const note = `${places.length} of ${modality.features.length} features kept`;
      return { dataset: selectFeatures(dataset, { [name]: places }), note };
    }
    case "normalizeTotal": {
      const target = steps.normalizeTotal === true ? 1e4 : Number(steps.normalizeTotal);
      return each((block) => normalizeTotal(block, target), `each cell scaled to ${target}`);
    }
    case "log1p":
      return each(log1p, "ln(1 + v)");
    case "binarize":
      return each(binarize, "1 where there is anything");
    case "tfidf": {
      const idf = await inverseDocumentFrequency(modality, options);
      return each((block) => tfidf(block, idf), "ln(1 + tf · idf · 10⁴)");
    }
    case "clr":
      return each(clr, "centred log-ratio of each cell");
  }
}
