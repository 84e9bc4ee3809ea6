/** What an exported model is, without running it. */
import { readFileSync } from "node:fs";
import { fromSystemError } from "@x/core/base";
import type { Dim } from "./graph.ts";
import { decodeModel } from "./proto.ts";
import type { ValueInfoProto } from "./proto-schema.ts";

/** An input or output of a model. */
export interface OnnxValue {
  /** Its name. */
  readonly name: string;
  /** Lengths; a text is one that is known only when the model runs. */
  readonly shape: readonly Dim[];
}

/** What a model takes, gives and says about itself. */
export interface OnnxInfo {
  /** What must be fed. */
  readonly inputs: readonly OnnxValue[];
  /** What comes out. */
  readonly outputs: readonly OnnxValue[];
  /** Key-value metadata, e.g. the registry. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an `.onnx` file without running it. `ONNX_FORMAT` for another kind of file, `ONNX_EXTERNAL_PATH` where its weights
 * are said to lie outside its folder.
 */
export function inspectOnnx(path: string): OnnxInfo {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw fromSystemError(e, path);
  }
  const model = decodeModel(bytes, path);
  return {
    inputs: (model.graph?.input ?? []).map(describe),
    outputs: (model.graph?.output ?? []).map(describe),
    metadata: Object.fromEntries((model.metadataProps ?? []).map(({ key = "", value = "" }) => [key, value])),
  };
}

function describe({ name = "", type }: ValueInfoProto): OnnxValue {
  const dims = type?.tensorType?.shape?.dim ?? [];
  return { name, shape: dims.map(({ dimValue, dimParam }) => dimParam ?? Number(dimValue ?? 0)) };
}
