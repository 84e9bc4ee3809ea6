/** The same layer many times over stacked weights, with the layer inputs as the only memory kept for the gradient. */

import { constant } from "./constants.ts";
import { isFloat } from "./dtype.ts";
import { pullBack } from "./grad.ts";
import { currentGraph, emit, Graph, inGraph, record, shapeError, sizeOf, type Tensor } from "./graph.ts";
import { gather } from "./ops-index.ts";
import { zerosLike } from "./ops-shape.ts";
import { sameShape } from "./shapes.ts";
import { flatten, type Tree, unflatten } from "./tree.ts";

/** Options of `scanLayers`. */
export interface ScanLayersOptions {
  /**
   * True (default): one `Scan` forward and one backward that computes each layer again, so that memory and graph size do
   * not grow with depth. False: layers side by side in the graph, faster where memory is no matter.
   */
  readonly checkpoint?: boolean;
  /** Further tensors a layer reads (masks, conditions); gradients pass to floating ones. */
  readonly shared?: readonly Tensor[];
}

/**
 * x → layer(… layer(x, p₀) …, p_{L−1}): `stacked` holds each layer's weights with a leading axis of length L. `layer`
 * must return the shape it got, and read what else it needs from `shared`, not from around it (`GRAPH_SCOPE`).
 */
export function scanLayers<P extends Tree<Tensor>>(
  layer: (x: Tensor, p: P, shared: readonly Tensor[]) => Tensor,
  stacked: P,
  x: Tensor,
  { checkpoint = true, shared = [] }: ScanLayersOptions = {},
): Tensor {
  const leaves = flatten(stacked);
  const depth = sizeOf([leaves[0]?.[1].shape[0] ?? 0], "scanLayers");
  for (const [name, t] of leaves)
    if (t.shape[0] !== depth)
      shapeError("scanLayers", `${name} has ${t.shape[0]} layers, others have ${depth}`);
  const build = (at: Tensor, weights: readonly Tensor[], more: readonly Tensor[]): Tensor => {
    const out = layer(at, unflatten(stacked, weights), more);
    if (!sameShape(out.shape, x.shape) || out.dtype !== x.dtype)
      shapeError("scanLayers", `the layer turns [${x.shape}] into [${out.shape}]; they must be the same`);
    return out;
  };
  const weights = leaves.map(([, t]) => t);
  if (checkpoint) return scanned(build, weights, shared, x);
  let y = x;
  for (let i = 0; i < depth; i++)
    y = build(
      y,
      weights.map((w) => gather(w, constant(i, [], "int64"))),
      shared,
    );
  return y;
}

type Build = (x: Tensor, weights: readonly Tensor[], shared: readonly Tensor[]) => Tensor;

function scanned(build: Build, weights: readonly Tensor[], shared: readonly Tensor[], x: Tensor): Tensor {
  const outer = currentGraph();
  const depth = weights[0]!.shape[0]!;
  const body = new Graph(outer.unique(`${outer.name}/layers`), outer);
  const at = body.input(`${body.name}/x`, x.dtype, x.shape);
  const slices = sliceInputs(body, weights);
  inGraph(body, () =>
    body.output([build(at, slices, shared), emit("Identity", [at], [[at.dtype, at.shape]])[0]!]),
  );
  requireShared(body, outer, shared);
  const attributes = { body: { graph: body }, num_scan_inputs: { int: weights.length } };
  const [y, saved] = emit(
    "Scan",
    [x, ...weights],
    [
      [x.dtype, x.shape],
      [x.dtype, [depth, ...x.shape]],
    ],
    attributes,
  );
  record("Scan", [x, ...weights, ...shared], [y!], ([g]) => backward(build, weights, shared, saved!, g!));
  return y!;
}

/** From the last layer to the first: computes a layer again from its saved input, then its gradients. */
function backward(
  build: Build,
  weights: readonly Tensor[],
  shared: readonly Tensor[],
  saved: Tensor,
  g: Tensor,
): (Tensor | undefined)[] {
  const outer = currentGraph();
  const depth = weights[0]!.shape[0]!;
  const body = new Graph(outer.unique(`${outer.name}/layers-back`), outer);
  const above = body.input(`${body.name}/g`, g.dtype, g.shape);
  const moving = shared.filter((t) => isFloat(t.dtype));
  const sums = moving.map((t) => body.input(`${body.name}/sum`, t.dtype, t.shape));
  const at = body.input(`${body.name}/x`, saved.dtype, saved.shape.slice(1));
  const slices = sliceInputs(body, weights);
  const trained = weights.map((w) => isFloat(w.dtype));
  inGraph(body, () => {
    // Stand-ins, so that the gradient stops at this layer's own copies.
    const copies = shared.map((t) => emit("Identity", [t], [[t.dtype, t.shape]])[0]!);
    const out = build(at, slices, copies);
    const sources = [at, ...copies.filter((t) => isFloat(t.dtype)), ...slices.filter((_, i) => trained[i])];
    const found = pullBack([out], [above], sources).map((d, i) => d ?? zerosLike(sources[i]!));
    const totals = sums.map((s, i) => emit("Add", [s, found[1 + i]!], [[s.dtype, s.shape]])[0]!);
    const own = (t: Tensor): Tensor => emit("Identity", [t], [[t.dtype, t.shape]])[0]!;
    body.output([found[0]!, ...totals, ...found.slice(1 + sums.length)].map(own));
  });
  const reverse = Array.from({ length: 1 + weights.length }, () => 1);
  const count = trained.filter(Boolean).length;
  const made = emit(
    "Scan",
    [g, ...moving.map(zerosLike), saved, ...weights],
    [
      [g.dtype, g.shape],
      ...moving.map((t) => [t.dtype, t.shape] as const),
      ...weights.filter((_, i) => trained[i]).map((w) => [w.dtype, [depth, ...w.shape.slice(1)]] as const),
    ],
    {
      body: { graph: body },
      num_scan_inputs: { int: 1 + weights.length },
      scan_input_directions: { ints: reverse },
      ...(count > 0 && { scan_output_directions: { ints: Array.from({ length: count }, () => 1) } }),
    },
  );
  const queue = made.slice(1);
  const toShared = queue.splice(0, moving.length);
  return [
    made[0],
    ...trained.map((is) => (is ? queue.shift() : undefined)),
    ...shared.map((t) => (isFloat(t.dtype) ? toShared.shift() : undefined)),
  ];
}

function sliceInputs(body: Graph, weights: readonly Tensor[]): Tensor[] {
  return weights.map((w) => body.input(`${body.name}/${w.name}`, w.dtype, w.shape.slice(1)));
}

/** A layer that reads a computed tensor from around it would lose that tensor's gradient. */
export function requireShared(body: Graph, outer: Graph, shared: readonly Tensor[]): void {
  const known = new Set(shared);
  for (const node of body.nodes)
    for (const t of node.inputs) {
      if (!t || t.graph === body || t.graph.isWithin(body) || known.has(t) || !isFloat(t.dtype)) continue;
      if (t.graph === t.graph.root && t.graph.initializers.some((i) => i.tensor === t)) continue;
      shapeError("scanLayers", `the layer reads ${t.name} of ${outer.name}: hand it over in \`shared\``);
    }
}
