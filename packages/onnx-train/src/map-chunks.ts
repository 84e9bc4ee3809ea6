/** The same function on one chunk after another, computed again in the backward pass: memory of one chunk. */
import { isFloat } from "./dtype.ts";
import { pullBack } from "./grad.ts";
import { currentGraph, emit, Graph, inGraph, record, shapeError, type Tensor } from "./graph.ts";
import { reshape, zerosLike } from "./ops-shape.ts";
import { requireShared } from "./scan-layers.ts";

/** Marks a value of a chunk that the backward pass takes from memory instead of computing it again. */
export type Keep = (t: Tensor) => Tensor;

/** Builds a chunk's outputs from its slices and from what all chunks share. */
export type ChunkFunction = (
  slices: readonly Tensor[],
  shared: readonly Tensor[],
  keep: Keep,
) => readonly Tensor[];

/**
 * Runs `chunk` on each slice along the leading axis of `scanned` and stacks its outputs. Nothing inside a chunk outlives
 * it but what it marks with `keep`: the backward pass computes the rest of the chunk again, so that memory is that of one
 * chunk and of what is kept, and a chunk's numbers stay in the processor's cache. What the function reads besides its
 * slices must be in `shared` (`GRAPH_SCOPE`); gradients pass to floating slices and shared tensors, the latter summed in
 * the order of the chunks.
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
  const kept: Tensor[] = [];
  const made = inGraph(body, () => {
    const keep: Keep = (t) => {
      kept.push(t);
      return t;
    };
    const outputs = chunk(slices, shared, beforeReshape(keep));
    body.output([...outputs.map(own), ...kept.map((t) => ownUnlessMade(t, body))]);
    return outputs;
  });
  requireShared(body, outer, shared);
  const types = [...made, ...kept].map((t) => [t.dtype, [count, ...t.shape]] as const);
  const all = emit("Scan", scanned, types, {
    body: { graph: body },
    num_scan_inputs: { int: scanned.length },
  });
  const outputs = all.slice(0, made.length);
  const memory = all.slice(made.length);
  record("Scan", [...scanned, ...shared], outputs, (gradients) =>
    backward(chunk, { scanned, shared, memory }, gradients),
  );
  return outputs;
}

function backward(
  chunk: ChunkFunction,
  { scanned, shared, memory }: { [K in "scanned" | "shared" | "memory"]: readonly Tensor[] },
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
  const remembered = slicesOf(body, memory);
  inGraph(body, () => {
    // Stand-ins, so that the gradient stops at this chunk's own copies.
    const copies = shared.map((t) => emit("Identity", [t], [[t.dtype, t.shape]])[0]!);
    let next = 0;
    const keep: Keep = (t) => {
      // The remembered numbers with the gradient of the computed ones, of which nothing is left that anybody reads.
      const [value] = emit("Identity", [remembered[next++]!], [[t.dtype, t.shape]]);
      record("Kept", [t], [value!], (g) => g);
      return value!;
    };
    const made = chunk(slices, copies, beforeReshape(keep)).filter((_, i) => gradients[i] !== undefined);
    const sources = [...copies.filter((t) => isFloat(t.dtype)), ...floating];
    const found = pullBack(made, above, sources).map((d, i) => d ?? zerosLike(sources[i]!));
    const totals = sums.map((s, i) => emit("Add", [s, found[i]!], [[s.dtype, s.shape]])[0]!);
    body.output([...totals, ...found.slice(sums.length)].map(own));
  });
  const through = scanned.filter((t) => isFloat(t.dtype));
  const made = emit(
    "Scan",
    [...moving.map(zerosLike), ...given, ...scanned, ...memory],
    [...moving, ...through].map((t) => [t.dtype, t.shape] as const),
    { body: { graph: body }, num_scan_inputs: { int: given.length + scanned.length + memory.length } },
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

/** What was only reshaped is kept as it lay before: as an output of its own it would be copied. */
function beforeReshape(keep: Keep): Keep {
  const before: Keep = (t) =>
    t.call?.op === "Reshape" ? reshape(before(t.call.inputs[0]!), t.shape) : keep(t);
  return before;
}

/** Each output of a body needs a value of its own. */
function own(t: Tensor): Tensor {
  return emit("Identity", [t], [[t.dtype, t.shape]])[0]!;
}

/** A large value that the body made is an output as it is: a copy of it would be a pass over memory. */
function ownUnlessMade(t: Tensor, body: Graph): Tensor {
  return t.graph === body && !body.inputs.includes(t) ? t : own(t);
}
