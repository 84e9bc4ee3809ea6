/** The same function on one chunk after another, computed again in the backward pass: memory of one chunk. */
import { isFloat } from "./dtype.ts";
import { pullBack } from "./grad.ts";
import { currentGraph, emit, Graph, inGraph, record, shapeError, type Tensor } from "./graph.ts";
import { zerosLike } from "./ops-shape.ts";
import { requireShared } from "./scan-layers.ts";

/** Builds a chunk's outputs from its slices and from what all chunks share. */
export type ChunkFunction = (slices: readonly Tensor[], shared: readonly Tensor[]) => readonly Tensor[];

/**
 * Runs `chunk` on each slice along the leading axis of `scanned` and stacks its outputs. Nothing inside a chunk outlives
 * it: the backward pass computes the chunk again, so that memory is that of one chunk, which also stays in the processor's
 * cache. What the function reads besides its slices must be in `shared` (`GRAPH_SCOPE`); gradients pass to floating
 * slices and shared tensors, the latter summed in the order of the chunks.
 */
export function mapChunks(
  chunk: ChunkFunction,
  scanned: readonly Tensor[],
  shared: readonly Tensor[],
): Tensor[] {
  const outer = currentGraph();
  const count = scanned[0]?.shape[0];
  if (count === undefined || scanned.some((t) => t.shape[0] !== count))
    shapeError("mapChunks", "what is cut must have leading axes of the same length");
  const body = new Graph(outer.unique(`${outer.name}/chunk`), outer);
  const slices = slicesOf(body, scanned);
  const made = inGraph(body, () => {
    const outputs = chunk(slices, shared);
    body.output(outputs.map(own));
    return outputs;
  });
  requireShared(body, outer, shared);
  const types = made.map((t) => [t.dtype, [count, ...t.shape]] as const);
  const outputs = emit("Scan", scanned, types, {
    body: { graph: body },
    num_scan_inputs: { int: scanned.length },
  });
  record("Scan", [...scanned, ...shared], outputs, (gradients) =>
    backward(chunk, scanned, shared, gradients),
  );
  return outputs;
}

function backward(
  chunk: ChunkFunction,
  scanned: readonly Tensor[],
  shared: readonly Tensor[],
  gradients: readonly (Tensor | undefined)[],
): (Tensor | undefined)[] {
  const outer = currentGraph();
  const body = new Graph(outer.unique(`${outer.name}/chunk-back`), outer);
  const moving = shared.filter((t) => isFloat(t.dtype));
  const sums = moving.map((t) => body.input(`${body.name}/sum`, t.dtype, t.shape));
  const given = gradients.filter((g) => g !== undefined);
  const above = slicesOf(body, given);
  const slices = slicesOf(body, scanned);
  const floating = slices.filter((t) => isFloat(t.dtype));
  inGraph(body, () => {
    // Stand-ins, so that the gradient stops at this chunk's own copies.
    const copies = shared.map((t) => emit("Identity", [t], [[t.dtype, t.shape]])[0]!);
    const made = chunk(slices, copies).filter((_, i) => gradients[i] !== undefined);
    const sources = [...copies.filter((t) => isFloat(t.dtype)), ...floating];
    const found = pullBack(made, above, sources).map((d, i) => d ?? zerosLike(sources[i]!));
    const totals = sums.map((s, i) => emit("Add", [s, found[i]!], [[s.dtype, s.shape]])[0]!);
    body.output([...totals, ...found.slice(sums.length)].map(own));
  });
  const through = scanned.filter((t) => isFloat(t.dtype));
  const made = emit(
    "Scan",
    [...moving.map(zerosLike), ...given, ...scanned],
    [...moving, ...through].map((t) => [t.dtype, t.shape] as const),
    { body: { graph: body }, num_scan_inputs: { int: given.length + scanned.length } },
  );
  const queue = [...made];
  const toShared = queue.splice(0, moving.length);
  return [
    ...scanned.map((t) => (isFloat(t.dtype) ? queue.shift() : undefined)),
    ...shared.map((t) => (isFloat(t.dtype) ? toShared.shift() : undefined)),
  ];
}

function slicesOf(body: Graph, scanned: readonly Tensor[]): Tensor[] {
  return scanned.map((t) => body.input(`${body.name}/${t.name}`, t.dtype, t.shape.slice(1)));
}

/** Each output of a body needs a value of its own. */
function own(t: Tensor): Tensor {
  return emit("Identity", [t], [[t.dtype, t.shape]])[0]!;
}
