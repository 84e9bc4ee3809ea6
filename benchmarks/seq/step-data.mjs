import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "@x/core/base";
import { batchTargets, readBiom, readNewick, sequenceBatch, sequenceCache } from "@x/seq-model";
import { root } from "../lib/paths.mjs";

const MOUSE = join(root, "../shared/data/seq/mouse-f1000");
const LAYERS = { asv: 2, sample: 2 };
const WIDTH = 151;

/** Eight samples of 64 different ASVs of 150 letters each: nothing occurs twice. */
export function plainBatch(path) {
  const random = new Random(1, 0);
  const [samples, slots] = [8, 64];
  const rows = samples * slots;
  const letters = Array.from({ length: rows * WIDTH }, (_, i) => (i % WIDTH === 0 ? 5 : 1 + random.int(4)));
  const square = new Float64Array(samples * samples);
  for (let i = 0; i < samples; i++)
    for (let j = i + 1; j < samples; j++)
      square[i * samples + j] = square[j * samples + i] = random.uniform();
  return write(path, {
    samples,
    slots,
    letters,
    index: Array.from({ length: rows }, (_, i) => i),
    mask: new Array(rows).fill(1),
    counts: Array.from({ length: rows }, () => 1 + random.int(100)),
    distances: Array.from(square),
  });
}

/** Eight samples of mouse-f1000 with all their ASVs; null where the data are not here. */
export async function mouseBatch(path) {
  if (!existsSync(MOUSE)) return null;
  const table = await readBiom(join(MOUSE, "table.biom"));
  const tree = await readNewick(join(MOUSE, "tree.nwk"));
  const cache = sequenceCache(table);
  const order = new Random(3, 0).shuffle(table.sampleIds.map((_, s) => s));
  const totals = table.totals();
  const chosen = order.filter((s) => totals[s] >= 500).slice(0, 8);
  const batch = sequenceBatch(table, cache, chosen, { tokenLimit: 1024 });
  const distances = await batchTargets(table, { metric: "unweighted", tree }).of(chosen);
  const unique = batch.unique.length;
  // Rows of padding make them divisible into chunks.
  const letters = Array.from({ length: Math.ceil(unique / 8) * 8 * WIDTH }, (_, i) => {
    const [row, at] = [Math.floor(i / WIDTH), i % WIDTH];
    return row < unique && at < batch.width ? batch.tokens[row * batch.width + at] : 0;
  });
  return write(path, {
    samples: 8,
    slots: batch.slots,
    letters,
    index: Array.from(batch.sequence),
    mask: Array.from(batch.mask),
    counts: Array.from(batch.counts),
    distances: Array.from(distances),
  });
}

/** Hides 15 % of the letters and adds what both sides need. */
function write(path, data) {
  const random = new Random(2, 0);
  const tokens = data.letters.map((t) => (t >= 1 && t <= 4 && random.uniform() < 0.15 ? 6 : t));
  const target = Array.from({ length: data.samples }, () => random.normal());
  const rest = { tokens, target, layers: LAYERS, width: WIDTH, dim: 128, vocabulary: 7 };
  writeFileSync(path, JSON.stringify({ ...data, ...rest }));
  const there = data.mask.reduce((sum, m) => sum + m, 0);
  const unique = new Set(data.index.filter((_, slot) => data.mask[slot])).size;
  return {
    path,
    samples: data.samples,
    slots: data.slots,
    asvs: there,
    unique,
    rows: tokens.length / WIDTH,
    dedup: there / unique,
  };
}
