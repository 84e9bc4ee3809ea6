import { open } from "node:fs/promises";
import { fileError } from "@x/core";
import { type AsyncRecordBatchFileReader, RecordBatchReader } from "apache-arrow";

/**
 * Opens an Arrow file that is read batch by batch.
 * @throws ARROW_FOOTER for a file cut short or of another kind.
 */
export async function openArrowRows(
  path: string,
): Promise<{ reader: AsyncRecordBatchFileReader; close(): Promise<void> }> {
  const handle = await open(path);
  const close = (): Promise<void> => handle.close().catch(() => {});
  try {
    const { size } = await handle.stat();
    const end = Buffer.alloc(6);
    await handle.read(end, 0, 6, Math.max(0, size - 6));
    if (size < 22 || end.toString("latin1") !== "ARROW1")
      throw fileError(
        "ARROW_FOOTER",
        path,
        "this is no complete Arrow file: it does not end with ARROW1, so it was cut.",
      );
    const reader = await RecordBatchReader.from(handle)
      .then((r) => r.open())
      .catch((cause: unknown) => {
        throw fileError("ARROW_FOOTER", path, `the Arrow file cannot be read: ${(cause as Error).message}`, {
          cause,
        });
      });
    return { reader: reader as AsyncRecordBatchFileReader, close };
  } catch (e) {
    await close();
    throw e;
  }
}

/** A file's buffers may lie at any offset; native code wants whole doubles. */
export function aligned(tile: Float64Array): Float64Array {
  return tile.byteOffset % 8 === 0 ? tile : tile.slice();
}
