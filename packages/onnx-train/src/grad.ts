/** Reverse-mode differentiation over the recorded calls. */

import { isFloat } from "./dtype.ts";
import { trainError } from "./errors.ts";
import { type Call, currentGraph, type Tensor } from "./graph.ts";
import { add } from "./ops-elementwise.ts";
import { full, zerosLike } from "./ops-shape.ts";

/**
 * The gradients of a scalar by each of `params`, in their order; zeros for one that the scalar does not depend on. New
 * nodes are added to the current graph. `NOT_DIFFERENTIABLE` where the way leads through an operator without a
 * gradient; `stopGradient` ends a way on purpose.
 */
export function grad(loss: Tensor, params: readonly Tensor[]): Tensor[] {
  if (loss.rank !== 0 || !isFloat(loss.dtype))
    throw trainError(
      "GRAPH_SHAPE",
      `a gradient needs a scalar loss, this one is ${loss.dtype} [${loss.shape}]`,
    );
  return pullBack([loss], [full(loss.dtype, [], 1)], params).map((g, i) => g ?? zerosLike(params[i]!));
}

/** Pulls gradients of `outputs` back to `sources`; undefined for a source that no output depends on. */
export function pullBack(
  outputs: readonly Tensor[],
  upstream: readonly (Tensor | undefined)[],
  sources: readonly Tensor[],
): (Tensor | undefined)[] {
  const wanted = dependents(outputs, new Set(sources));
  const gradients = new Map<Tensor, Tensor>();
  const give = (to: Tensor, g: Tensor | undefined): void => {
    if (!g || !wanted.has(to)) return;
    const known = gradients.get(to);
    gradients.set(to, known ? add(known, g) : g);
  };
  outputs.forEach((output, i) => {
    give(output, upstream[i]);
  });
  for (const call of callsOf(wanted)) {
    const above = call.outputs.map((output) => gradients.get(output));
    if (above.every((g) => g === undefined)) continue;
    if (!call.vjp) continue;
    const below = call.vjp(above);
    call.inputs.forEach((input, i) => {
      give(input, below[i]);
    });
  }
  return sources.map((source) => gradients.get(source));
}

/** Tensors on the way from a source to an output. */
function dependents(outputs: readonly Tensor[], sources: ReadonlySet<Tensor>): Set<Tensor> {
  const graph = currentGraph();
  const wanted = new Set<Tensor>();
  const reached = new Map<Tensor, boolean>();
  // Oldest first, so that every input is decided before the call that uses it.
  const calls = reachable(outputs);
  const depends = (t: Tensor): boolean => sources.has(t) || (reached.get(t) ?? false);
  for (const call of calls) {
    const hit = call.op !== "StopGradient" && call.inputs.some((t) => isFloat(t.dtype) && depends(t));
    for (const output of call.outputs) reached.set(output, hit && isFloat(output.dtype));
    if (!hit || call.vjp || !call.outputs.some((o) => isFloat(o.dtype))) continue;
    if (STEPS.has(call.op)) {
      for (const output of call.outputs) reached.set(output, false);
      continue;
    }
    const message = `${call.outputs[0]!.name} (${call.op}) in ${graph.name} has no gradient; use stopGradient if none is wanted`;
    throw trainError("NOT_DIFFERENTIABLE", message, { details: { op: call.op } });
  }
  for (const source of sources) wanted.add(source);
  for (const [t, hit] of reached) if (hit) wanted.add(t);
  return wanted;
}

/** Piecewise constant: the gradient is zero wherever it exists. */
const STEPS: ReadonlySet<string> = new Set(["Sign", "Floor"]);

function reachable(outputs: readonly Tensor[]): Call[] {
  const seen = new Set<Call>();
  const open = [...outputs];
  for (let t = open.pop(); t; t = open.pop()) {
    if (!t.call || seen.has(t.call)) continue;
    seen.add(t.call);
    open.push(...t.call.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The calls that made these tensors, newest first. */
function callsOf(tensors: ReadonlySet<Tensor>): Call[] {
  const calls = new Set<Call>();
  for (const t of tensors) if (t.call) calls.add(t.call);
  return [...calls].sort((a, b) => b.id - a.id);
}
