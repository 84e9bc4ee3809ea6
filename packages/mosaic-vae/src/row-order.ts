/** In which order an epoch visits cells: a shuffle that a file can follow. */
import { Random } from "@x/core/base";

/** Neighbours that are read together. */
const RUN = 256;
/** Cells that are mixed with each other, about: as many as a stream holds at once. */
const WINDOW = 8192;
const ORDER = 1n << 59n;

/** Cells in a window: whole batches, so that no batch needs two windows. */
export function windowSize(batchSize: number): number {
  return Math.ceil(WINDOW / batchSize) * batchSize;
}

/**
 * Positions 0 … n − 1 for an epoch: runs of 256 neighbours in random order, then all cells of a window among each other.
 * Below one window that is a full shuffle. It depends on n, batch size, seed and epoch alone, not on what fits in memory.
 */
export function epochOrder(
  n: number,
  { batchSize, seed, epoch, shuffle }: { batchSize: number; seed: number; epoch: number; shuffle: boolean },
): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  if (!shuffle) return order;
  const random = new Random(seed, ORDER + BigInt(epoch));
  const size = windowSize(batchSize);
  if (n > size) {
    const runs = random.shuffle(Int32Array.from({ length: Math.ceil(n / RUN) }, (_, i) => i));
    let at = 0;
    for (const run of runs) for (let i = run * RUN; i < Math.min(n, (run + 1) * RUN); i++) order[at++] = i;
  }
  for (let from = 0; from < n; from += size) random.shuffle(order.subarray(from, Math.min(n, from + size)));
  return order;
}
