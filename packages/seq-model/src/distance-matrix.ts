import { numericData } from "@x/core";
import { allocateArray, checkRange } from "@x/core/base";
import {
  Field,
  FixedSizeList,
  Float64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
} from "apache-arrow";
import { utf8Column } from "./arrow.ts";
import { duplicates, listIds, seqError } from "./errors.ts";
import { fromSquare, type NativeDistances, tileInto } from "./native.ts";

/** Numbers a block of rows may hold. */
const BLOCK = 2 ** 22;

/** Rows of a distance matrix. */
export interface DistanceRows {
  /** First row. */
  readonly row: number;
  /** Rows. */
  readonly rows: number;
  /** Row by row, all columns. */
  readonly values: Float64Array;
}

/** Symmetric distances of named samples with a zero diagonal; in native memory, each pair once. */
export class DistanceMatrix implements Disposable {
  /** Names, in the order of rows and columns. */
  readonly ids: readonly string[];
  /** The metric, as users write it. */
  readonly metric: string;
  /** @internal */
  readonly native: NativeDistances;

  /** @internal */
  constructor(native: NativeDistances, ids: readonly string[], metric: string) {
    this.native = native;
    this.ids = ids;
    this.metric = metric;
  }

  /**
   * From a square, row by row, of which the part above the diagonal is kept. `MATRIX_VALUES` where it is not symmetric
   * within 1e-9, has a diagonal other than 0, or a value that is negative or no number; `DUP_SAMPLE`.
   */
  static fromSquare(square: Float64Array, ids: readonly string[], metric = "unknown"): DistanceMatrix {
    const n = ids.length;
    const twice = duplicates(ids);
    if (twice.length > 0)
      throw seqError("DUP_SAMPLE", `samples stand more than once: ${listIds(twice)}`, { samples: twice });
    if (square.length !== n * n)
      throw seqError("MATRIX_VALUES", `${square.length} values are no ${n} × ${n} matrix`);
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) {
        const [a, b] = [square[i * n + j]!, square[j * n + i]!];
        const fine =
          i === j
            ? a === 0
            : a >= 0 && a < Number.POSITIVE_INFINITY && Math.abs(a - b) <= 1e-9 * Math.max(1, a);
        if (fine) continue;
        const message = `row ${ids[i]}, column ${ids[j]} holds ${a}, mirrored ${b}; distances are at least 0, symmetric, and 0 on the diagonal`;
        throw seqError("MATRIX_VALUES", message, { row: i, column: j });
      }
    }
    return new DistanceMatrix(fromSquare(n, square), ids, metric);
  }

  /** Samples. */
  get n(): number {
    return this.ids.length;
  }

  /** Are the distances kept as float32? */
  get float32(): boolean {
    return this.native.single;
  }

  /** A copy of a tile, row by row. `OPTION_RANGE` outside the matrix. */
  tile(row: number, rows: number, col: number, cols: number): Float64Array {
    const inside = (name: string, from: number, count: number): void => {
      checkRange(name, from, { min: 0, max: this.n, integer: true });
      checkRange(`${name} + count`, from + count, { min: from, max: this.n, integer: true });
    };
    inside("row", row, rows);
    inside("col", col, cols);
    const out = allocateArray(Float64Array, rows * cols, "a tile of distances");
    tileInto(this.native, row, rows, col, cols, out);
    return out;
  }

  /** The distance of two samples by name. `SAMPLE_UNKNOWN`. */
  between(a: string, b: string): number {
    const [i, j] = [a, b].map((id) => this.ids.indexOf(id)) as [number, number];
    if (i >= 0 && j >= 0) return this.tile(i, 1, j, 1)[0]!;
    throw seqError("SAMPLE_UNKNOWN", `the matrix has no sample ${i < 0 ? a : b}`);
  }

  /** Blocks of whole rows, all in the same buffer: it is overwritten by the next. */
  *rows(): Generator<DistanceRows> {
    const { n } = this;
    const step = Math.min(n, Math.max(1, Math.floor(BLOCK / Math.max(1, n))));
    const buffer = new Float64Array(step * n);
    for (let row = 0; row < n; row += step) {
      const rows = Math.min(step, n - row);
      const values = buffer.subarray(0, rows * n);
      tileInto(this.native, row, rows, 0, n, values);
      yield { row, rows, values };
    }
  }

  /** The whole square. `TYPED_ARRAY_LIMIT` or `ALLOC` where it does not fit one array. */
  toArray(): Float64Array {
    return this.tile(0, this.n, 0, this.n);
  }

  /**
   * `sample: Utf8`, `distances: FixedSizeList<Float64>[n]` in the order of the samples; schema metadata `metric`.
   * {@link DistanceMatrix.batches} gives the same in pieces.
   */
  toArrow(): Table {
    return new Table(this.schema, [...this.batches()]);
  }

  /** Schema of {@link DistanceMatrix.toArrow}. */
  get schema(): Schema {
    const list = new FixedSizeList(this.n, new Field("item", new Float64(), false));
    const fields = [new Field("sample", new Utf8(), false), new Field("distances", list, false)];
    return new Schema(fields, new Map([["metric", this.metric]]));
  }

  /** {@link DistanceMatrix.toArrow} in blocks of rows. */
  *batches(): Generator<RecordBatch> {
    const { schema } = this;
    const list = schema.fields[1]!.type as FixedSizeList;
    for (const { row, rows, values } of this.rows()) {
      const distances = makeData({
        type: list,
        length: rows,
        nullCount: 0,
        child: numericData(list.children[0]!.type, values.slice()),
      });
      const children = [utf8Column(this.ids.slice(row, row + rows)), distances];
      yield new RecordBatch(
        schema,
        makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }),
      );
    }
  }

  /** Frees the memory. */
  [Symbol.dispose](): void {
    this.native.release();
  }
}
