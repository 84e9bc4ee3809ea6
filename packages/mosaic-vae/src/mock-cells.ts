/** Type, batch, data set and modalities of each mock cell. */
import { Random } from "@x/core/base";
import type { MockModality, MockSettings } from "./mock-options.ts";

/** What is known of the cells before any number is drawn. */
export interface CellPlan {
  readonly cluster: Uint8Array;
  /** Place in `batches`. */
  readonly batch: Uint8Array;
  readonly batches: readonly string[];
  readonly dataset: readonly string[];
  readonly split: readonly string[];
  readonly has: Readonly<Record<MockModality, Uint8Array>>;
}

const PLAN = 7n << 56n;

interface Cell {
  batch: number;
  dataset: string;
  split: string;
  has: readonly MockModality[];
}

/** Plans all cells; each draws from its own stream. */
export function planCells(s: MockSettings): CellPlan {
  const cluster = new Uint8Array(s.cells);
  const batch = new Uint8Array(s.cells);
  const has = { rna: new Uint8Array(s.cells), atac: new Uint8Array(s.cells), adt: new Uint8Array(s.cells) };
  const dataset: string[] = [];
  const split: string[] = [];
  for (let i = 0; i < s.cells; i++) {
    const random = new Random(s.seed, PLAN | BigInt(i));
    cluster[i] = random.int(s.clusters);
    const cell = planCell(s, i, random);
    batch[i] = cell.batch;
    dataset.push(cell.dataset);
    split.push(cell.split);
    for (const name of keep(cell.has, s, random)) has[name][i] = 1;
  }
  return { cluster, batch, batches: batchNames(s), dataset, split, has };
}

function batchNames(s: MockSettings): string[] {
  const count = { paired: 2, unpaired: 2, bridge: 3, mosaic: 1, prediction: 2, hierarchical: 3 }[s.problem];
  return Array.from({ length: count }, (_, b) => `batch${b}`);
}

function planCell(s: MockSettings, i: number, random: Random): Cell {
  const half = s.cells / 2;
  switch (s.problem) {
    case "paired":
      return { batch: random.int(2), dataset: "cite", split: "train", has: ["rna", "adt"] };
    case "unpaired":
      return i < half
        ? { batch: 0, dataset: "rna", split: "train", has: ["rna"] }
        : { batch: 1, dataset: "atac", split: "train", has: ["atac"] };
    case "bridge": {
      // RNA only, ATAC only, and a small set of its own that has both.
      const paired = Math.round(s.cells * s.bridgeShare);
      if (i < paired) return { batch: 2, dataset: "bridge", split: "train", has: ["rna", "atac"] };
      return (i - paired) % 2 === 0
        ? { batch: 0, dataset: "rna", split: "train", has: ["rna"] }
        : { batch: 1, dataset: "atac", split: "train", has: ["atac"] };
    }
    case "mosaic":
      return { batch: 0, dataset: "mosaic", split: "train", has: ["rna", "atac", "adt"] };
    case "prediction": {
      const train = i < Math.round(0.7 * s.cells);
      const has: readonly MockModality[] = train ? ["rna", "atac"] : ["rna"];
      return { batch: random.int(2), dataset: "multiome", split: train ? "train" : "eval", has };
    }
    case "hierarchical": {
      const study = Math.min(2, Math.floor((3 * i) / s.cells));
      const has = ([["rna", "atac"], ["rna", "adt"], ["atac"]] as const)[study]!;
      return { batch: study, dataset: `study${"ABC"[study]}`, split: "train", has };
    }
  }
}

/** Loses modalities by their coverage; a cell that would lose all is drawn again. */
function keep(has: readonly MockModality[], s: MockSettings, random: Random): readonly MockModality[] {
  for (;;) {
    const kept = has.filter((name) => random.uniform() < s.coverage[name]);
    if (kept.length > 0) return kept;
  }
}
