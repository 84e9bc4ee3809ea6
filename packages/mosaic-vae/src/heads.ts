/** Losses on the fused embedding that draw groups of cells together. Each is a scalar; weights come from schedules. */
import {
  add,
  constant,
  dense,
  denseParams,
  div,
  exp,
  greater,
  log,
  logSoftmax,
  logSumExp,
  lessOrEqual,
  matmul,
  maximum,
  mean,
  mul,
  type ParamSpec,
  relu,
  slice,
  split,
  sqrt,
  stopGradient,
  sub,
  sum,
  type Tensor,
  topK,
  transpose,
  where,
} from "@x/onnx-train";
import type { NetworkPlan } from "./plan.ts";

type Weights = { readonly [name: string]: Tensor | Weights };
type Specs = { readonly [name: string]: ParamSpec | Specs };

const BANDWIDTHS = [0.5, 1, 2, 4];
const SINKHORN_STEPS = 10;
const GW_STEPS = 3;
const FAR = -1e4;

/** What heads look at. */
interface HeadInputs {
  /** Fused means, [cells, latent]. */
  readonly z: Tensor;
  readonly x: Readonly<Record<string, Tensor>>;
  readonly p: Weights | undefined;
}

/** Weights of the heads that have any. */
export function headParams(plan: NetworkPlan): Specs {
  const { adversarial, temporal } = plan.heads;
  const heads: Record<string, Specs> = {};
  if (adversarial && plan.groups > 0)
    heads.adversarial = { h: denseParams(plan.latent, 64), out: denseParams(64, plan.groups) };
  if (temporal) heads.temporal = denseParams(plan.latent, 1);
  return Object.keys(heads).length > 0 ? { heads } : {};
}

/** The heads of a plan by name; in an exported model of open length there are none. */
export function headTerms(plan: NetworkPlan, { z, x, p }: HeadInputs): Record<string, Tensor> {
  if (typeof z.shape[0] === "string") return {};
  const { heads, groups } = plan;
  const terms: Record<string, Tensor> = {};
  if (groups > 1) {
    const g = groupWeights(x.group!);
    const pairs = pairsOf(groups);
    if (heads.mmd) terms.mmd = mmd(z, g);
    if (heads.coral) terms.coral = overPairs(pairs, g, (a, b) => coral(z, a, b));
    if (heads.sinkhorn) {
      const cost = relativeCost(z);
      const epsilon = heads.sinkhorn.epsilon ?? 0.05;
      terms.sinkhorn = overPairs(pairs, g, (a, b) =>
        sub(
          transport(cost, a, b, epsilon),
          mul(add(transport(cost, a, a, epsilon), transport(cost, b, b, epsilon)), 0.5),
        ),
      );
    }
    if (heads.gw) {
      const distance = sqrt(add(relativeCost(z), 1e-6));
      const epsilon = heads.gw.epsilon ?? 0.05;
      terms.gw = overPairs(pairs, g, (a, b) => gromovWasserstein(distance, a, b, epsilon));
    }
    if (heads.adversarial) terms.adversarial = adversarial(z, x.group!, p!.adversarial as Weights);
  }
  if (heads.laplacian) terms.laplacian = laplacian(z, heads.laplacian.k ?? 15);
  if (heads.temporal) {
    const [time, known] = split(x.time!, [1, 1], -1) as [Tensor, Tensor];
    const d = sub(dense(z, p!.temporal as { w: Tensor; b: Tensor }), time);
    terms.temporal = div(sum(mul(known, mul(d, d))), maximum(sum(known), 1));
  }
  if (heads.bridge) {
    const d = sub(z, x.partner!);
    terms.bridge = div(sum(mul(x.paired!, sum(mul(d, d), [-1], true))), maximum(sum(x.paired!), 1));
  }
  return terms;
}

interface Groups {
  /** [cells, groups]; the cells of a group share its mass of 1. */
  readonly weights: Tensor;
  /** [groups, 1]: 1 where a group has cells in this batch. */
  readonly present: Tensor;
}

function groupWeights(group: Tensor): Groups {
  const count = sum(group, [0], true);
  const present = where(greater(count, 0), add(mul(count, 0), 1), 0);
  return { weights: div(group, maximum(count, 1)), present: transpose(present) };
}

/** All pairs of up to four groups; of more, each with the next, so that the cost grows with their number only. */
function pairsOf(groups: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let a = 0; a < groups; a++)
    if (groups > 4) pairs.push([a, (a + 1) % groups]);
    else for (let b = a + 1; b < groups; b++) pairs.push([a, b]);
  return pairs;
}

/** Mean over the pairs of which both groups are in the batch; 0 where there is none. */
function overPairs(
  pairs: readonly (readonly [number, number])[],
  { weights, present }: Groups,
  f: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  let total: Tensor | undefined;
  let count: Tensor | undefined;
  for (const [i, j] of pairs) {
    const both = mul(at(present, 0, i), at(present, 0, j));
    const term = where(greater(both, 0), f(at(weights, 1, i), at(weights, 1, j)), 0);
    total = total ? add(total, term) : term;
    count = count ? add(count, both) : both;
  }
  return sum(div(total!, maximum(count!, 1)));
}

function at(t: Tensor, axis: number, index: number): Tensor {
  return slice(t, axis, index, 1);
}

/** Squared distances, [cells, cells]. */
function squaredDistances(z: Tensor): Tensor {
  const norm = sum(mul(z, z), [-1], true);
  return maximum(sub(add(norm, transpose(norm)), mul(matmul(z, transpose(z)), 2)), 0);
}

/** Squared distances relative to their mean, whose gradient is left out: the loss does not depend on the scale of z. */
function relativeCost(z: Tensor): Tensor {
  const d = squaredDistances(z);
  return div(d, maximum(stopGradient(mean(d)), 1e-6));
}

/** MMD² between all pairs of groups, with Gaussian kernels of four widths around the mean squared distance (Gretton et al. 2012). */
function mmd(z: Tensor, { weights, present }: Groups): Tensor {
  const cost = relativeCost(z);
  const kernel = BANDWIDTHS.map((s) => exp(mul(cost, -1 / s))).reduce((a, b) => add(a, b));
  const inner = matmul(matmul(transpose(weights), kernel), weights);
  const n = Number(inner.shape[0]);
  const eye = constant(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [n, n],
  );
  const own = sum(mul(inner, eye), [-1], true);
  const both = mul(matmul(present, transpose(present)), sub(1, eye));
  const apart = sub(add(own, transpose(own)), mul(inner, 2));
  return div(sum(mul(apart, both)), maximum(sum(both), 1));
}

/** ‖C_a − C_b‖² / 4d² + ‖μ_a − μ_b‖² / d (Sun and Saenko 2016, with the means). */
function coral(z: Tensor, a: Tensor, b: Tensor): Tensor {
  const d = Number(z.shape[1]);
  const moments = (w: Tensor): [Tensor, Tensor] => {
    const mu = matmul(transpose(w), z);
    return [mu, sub(matmul(transpose(mul(z, w)), z), matmul(transpose(mu), mu))];
  };
  const [[ma, ca], [mb, cb]] = [moments(a), moments(b)];
  const [dm, dc] = [sub(ma, mb), sub(ca, cb)];
  return add(div(sum(mul(dc, dc)), 4 * d * d), div(sum(mul(dm, dm)), d));
}

const logMass = (w: Tensor): Tensor => where(greater(w, 0), log(where(greater(w, 0), w, 1)), FAR);

/** Dual potentials of entropic transport in the log domain (Cuturi 2013; Peyré and Cuturi 2019). */
function potentials(cost: Tensor, a: Tensor, b: Tensor, epsilon: number): { f: Tensor; g: Tensor } {
  const [la, lb] = [logMass(a), transpose(logMass(b))];
  let f = mul(a, 0);
  let g = mul(transpose(b), 0);
  for (let i = 0; i < SINKHORN_STEPS; i++) {
    f = mul(logSumExp(add(lb, div(sub(g, cost), epsilon)), -1, true), -epsilon);
    g = mul(logSumExp(add(la, div(sub(f, cost), epsilon)), 0, true), -epsilon);
  }
  return { f, g };
}

/** ⟨a, f⟩ + ⟨b, g⟩. */
function transport(cost: Tensor, a: Tensor, b: Tensor, epsilon: number): Tensor {
  const { f, g } = potentials(cost, a, b, epsilon);
  return add(sum(mul(a, f)), sum(mul(transpose(b), g)));
}

/** Entropic Gromov–Wasserstein with squared loss (Peyré, Cuturi and Solomon 2016), a few alternations. */
function gromovWasserstein(distance: Tensor, a: Tensor, b: Tensor, epsilon: number): Tensor {
  const square = mul(distance, distance);
  const bt = transpose(b);
  const base = add(matmul(square, a), transpose(matmul(square, b)));
  let coupling = matmul(a, bt);
  let cost = base;
  for (let i = 0; i < GW_STEPS; i++) {
    cost = sub(base, mul(matmul(matmul(distance, coupling), distance), 2));
    const { f, g } = potentials(cost, a, b, epsilon);
    const log = add(add(logMass(a), transpose(logMass(b))), div(sub(add(f, g), cost), epsilon));
    coupling = where(greater(matmul(a, bt), 0), exp(log), 0);
  }
  return sum(mul(cost, coupling));
}

/** A classifier of the group behind a reversed gradient (Ganin and Lempitsky 2015). */
function adversarial(z: Tensor, group: Tensor, p: Weights): Tensor {
  const reversed = sub(mul(stopGradient(z), 2), z);
  const h = relu(dense(reversed, p.h as { w: Tensor; b: Tensor }));
  const logits = logSoftmax(dense(h, p.out as { w: Tensor; b: Tensor }));
  const known = sum(group, [-1], true);
  return div(mul(sum(mul(group, logits)), -1), maximum(sum(known), 1));
}

/** tr(Zᵀ L Z) / n over the k nearest neighbours in the batch, relative to the mean squared distance. */
function laplacian(z: Tensor, k: number): Tensor {
  const cost = relativeCost(z);
  const near = Math.min(k + 1, Number(z.shape[0]));
  const { values } = topK(stopGradient(mul(cost, -1)), near);
  const limit = mul(slice(values, 1, near - 1, 1), -1);
  const edges = where(lessOrEqual(stopGradient(cost), limit), add(mul(stopGradient(cost), 0), 1), 0);
  return div(sum(mul(cost, edges)), Number(z.shape[0]) * near);
}

