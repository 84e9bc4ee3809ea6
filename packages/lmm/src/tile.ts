import { lmmError } from "./errors.ts";

/** Older Nodes end at 2^32 bytes an array; nobody needs more of a matrix at once. */
const MOST_BYTES = 2 ** 32;

/** @throws TYPED_ARRAY_LIMIT for a tile above 4 GiB. */
export function requireTile(rows: number, columns: number): void {
  if (rows * columns * 8 <= MOST_BYTES) return;
  throw lmmError(
    "TYPED_ARRAY_LIMIT",
    `a tile of ${rows} × ${columns} doubles is above 4 GiB, the most one array may hold; ask for smaller tiles.`,
    { details: { rows, columns } },
  );
}
