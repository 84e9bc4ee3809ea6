/** What the main thread and the worker say to each other. */
import type { Data, DType } from "./dtype.ts";

/** Tensors by name. */
export type Values = Record<string, { dtype: DType; dims: readonly number[]; data: Data }>;

/** A request without its number. */
export type Ask =
  | { kind: "create"; model: Uint8Array; options: Readonly<Record<string, unknown>> }
  | {
      kind: "run";
      session: number;
      feeds: Values;
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
