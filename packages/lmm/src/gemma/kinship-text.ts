import { type AtomicWriter, atomicWriter, type OnProgress } from "@x/core/base";
import { formatRows, type Matrix, type NativeOptions } from "../native.ts";

/** Text held at once while writing. */
const TILE_BYTES = 8 << 20;
/** A number with 10 digits and its tab is 13 bytes on average. */
const BYTES_A_NUMBER = 14;

/** Writes GEMMA's square matrix: `%.10g`, tabs, no header, no ids; formatting runs while the rows before are written. */
export async function saveKinshipText(
  path: string,
  matrix: Matrix,
  options: NativeOptions & { onProgress?: OnProgress | undefined },
): Promise<void> {
  await using out = atomicWriter(path, { signal: options.signal });
  await writeMatrixText(out, matrix, { stage: "writing kinship", ...options });
  await out.commit();
}

/** The rows of a square matrix as GEMMA prints them; the commit is the caller's. */
export async function writeMatrixText(
  out: AtomicWriter,
  matrix: Matrix,
  options: NativeOptions & { stage: string; onProgress?: OnProgress | undefined },
): Promise<void> {
  const { n } = matrix;
  const { signal, threads, stage } = options;
  const rows = Math.max(1, Math.floor(TILE_BYTES / (BYTES_A_NUMBER * n)));
  let writing: Promise<void> = Promise.resolve();
  for (let row = 0; row < n; row += rows) {
    const text = await formatRows(matrix, row, Math.min(rows, n - row), { signal, threads });
    await writing;
    // Detached as soon as it is on the disk: left to the garbage collector, hundreds of megabytes would gather.
    writing = out.write(text).finally(() => (text.buffer as ArrayBuffer).transfer(0));
    // Awaited at the next turn; until then a failure must not count as unhandled.
    writing.catch(() => {});
    options.onProgress?.({ stage, done: Math.min(row + rows, n), total: n });
  }
  await writing;
}
