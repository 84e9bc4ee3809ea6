/** Which cells train, which decide when to stop, which are kept for the end. */
import { checkOptions, checkRange, Random } from "@x/core/base";
import { columnTexts, type MosaicDataset } from "./dataset.ts";
import { mosaicError } from "./errors.ts";

/** Cells of each part, as row numbers in increasing order. */
export interface Split {
  /** To train on. */
  readonly train: Int32Array;
  /** To decide when to stop. */
  readonly valid: Int32Array;
  /** Kept for the end. */
  readonly test: Int32Array;
}

/** Options of `splitCells`. */
export interface SplitOptions {
  /** Share of the cells in `valid`, 0.1 by default. */
  valid?: number;
  /** Share of the cells in `test`, 0 by default. */
  test?: number;
  /** Column of `obs` whose values keep their shares in each part; missing values are a value of their own. */
  stratify?: string;
  /** Column of `obs` that names the part itself: `train`, `valid` (or `val`), `test` (or `eval`); then nothing is drawn. */
  column?: string;
  /** Seed of the draw. */
  seed?: number;
}

const SPLIT = 1n << 60n;
const PARTS: Readonly<Record<string, keyof Split>> = {
  train: "train",
  training: "train",
  valid: "valid",
  val: "valid",
  validation: "valid",
  test: "test",
  eval: "test",
};

/**
 * Splits cells at random; the same seed gives the same parts on every machine. Shares are rounded within each stratum
 * so that the parts together have the right size. Errors: `SPLIT` (shares, or a text in `column` that names no part),
 * `OBS_COLUMN`.
 */
export function splitCells(dataset: MosaicDataset, options: SplitOptions = {}): Split {
  checkOptions(options, ["valid", "test", "stratify", "column", "seed"], "splitCells");
  if (options.column !== undefined) return splitByColumn(dataset, options.column);
  const valid = checkRange("valid", options.valid ?? 0.1, { min: 0, max: 1 });
  const test = checkRange("test", options.test ?? 0, { min: 0, max: 1 });
  if (valid + test >= 1) {
    const message = `valid (${valid}) and test (${test}) leave no cell to train on`;
    throw mosaicError("SPLIT", message, { usage: true });
  }
  const strata = new Map<string | null, number[]>();
  const texts = options.stratify === undefined ? undefined : columnTexts(dataset.obs, options.stratify);
  for (let i = 0; i < dataset.cells; i++) {
    const key = texts ? texts[i]! : null;
    const list = strata.get(key);
    if (list) list.push(i);
    else strata.set(key, [i]);
  }
  const parts: Record<keyof Split, number[]> = { train: [], valid: [], test: [] };
  const order = [...strata].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const random = new Random(options.seed ?? 0, SPLIT);
  // What rounding takes from one stratum the next one gets.
  let [seen, inValid, inTest] = [0, 0, 0];
  for (const [, rows] of order) {
    random.shuffle(rows);
    seen += rows.length;
    const forValid = Math.min(rows.length, Math.round(seen * valid) - inValid);
    const forTest = Math.min(rows.length - forValid, Math.round(seen * test) - inTest);
    parts.valid.push(...rows.slice(0, forValid));
    parts.test.push(...rows.slice(forValid, forValid + forTest));
    parts.train.push(...rows.slice(forValid + forTest));
    inValid += forValid;
    inTest += forTest;
  }
  return sorted(parts);
}

function splitByColumn(dataset: MosaicDataset, column: string): Split {
  const parts: Record<keyof Split, number[]> = { train: [], valid: [], test: [] };
  columnTexts(dataset.obs, column).forEach((text, i) => {
    const name = (text ?? "").toLowerCase();
    const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
    if (part === undefined) {
      const message = `cell ${dataset.cellIds[i]}: ${column} is ${text ?? "missing"}, but it should be train, valid or test`;
      throw mosaicError("SPLIT", message, { details: { row: i, value: text } });
    }
    parts[part].push(i);
  });
  return sorted(parts);
}

function sorted(parts: Record<keyof Split, number[]>): Split {
  const list = (rows: number[]): Int32Array => Int32Array.from(rows).sort();
  return { train: list(parts.train), valid: list(parts.valid), test: list(parts.test) };
}
