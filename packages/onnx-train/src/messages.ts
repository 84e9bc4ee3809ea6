/** What the main thread and the worker say to each other. */
import type { Data, DType } from "./dtype.ts";

/** Tensors by name. */
export type Values = Record<string, { dtype: DType; dims: readonly number[]; data: Data }>;

/** Rows of a matrix, compressed: all that is left out is 0. */
export interface SparseRows {
  /** Number of columns. */
  readonly columns: number;
  /** Where each row begins in `indices` and `values`; rows + 1 numbers from 0. */
  readonly indptr: Int32Array;
  /** Column of each number. */
  readonly indices: Int32Array;
  /** The numbers. */
  readonly values: Float32Array;
  /** May the three arrays be taken away? They are copied otherwise. */
  readonly yours?: boolean;
}

/** What a run is fed: numbers, or compressed rows that the worker spreads into memory it keeps. */
export type Feeds = Record<
  string,
  | (Values[string] & { readonly sparse?: undefined })
  | { readonly dims: readonly number[]; readonly sparse: readonly SparseRows[] }
>;

/** A request without its number. */
export type Ask =
  | { kind: "create"; model: Uint8Array; options: Readonly<Record<string, unknown>> }
  | {
      kind: "run";
      session: number;
      feeds: Feeds;
      /** Inputs taken from slots, by input name. */
      read: Readonly<Record<string, string>>;
      /** Outputs that stay in slots, by output name. */
      write: Readonly<Record<string, string>>;
      outputs: readonly string[];
    }
  | { kind: "set"; values: Values }
  | { kind: "get"; names: readonly string[] }
  | { kind: "release"; session: number; slots: readonly string[] }
  | { kind: "profile"; session: number };

/** A numbered request. */
export type Request = Ask & { id: number };

/** What comes back. */
export interface Reply {
  id: number;
  session?: number;
  values?: Values;
  error?: { message: string; code?: string | undefined };
}
