/** What a sample holds of each clade: presence, which no count changes, and a power of its share of the counts. */
import {
  add,
  cast,
  concat,
  cumSum,
  type DenseParams,
  dense,
  denseParams,
  div,
  equal,
  exp,
  log,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  type ParamSpec,
  param,
  reshape,
  sigmoid,
  softplus,
  split,
  sub,
  sum,
  type Tensor,
  type TensorsOf,
} from "@x/onnx-train";

/** Weights of the memberships of ASVs in clades. */
export type CladeParams = {
  /** From the embedding of an ASV to one logit a clade. */
  readonly out: DenseParams;
  /** Logarithm of a factor of all logits: how sure a membership is taken to be. */
  readonly sharpness: ParamSpec;
  /** Powers of the shares of clades, one each. */
  readonly power: ParamSpec;
};

/** Weights of `cladePool` for so many clades. */
export function cladeParams(dim: number, clades: number): CladeParams {
  return {
    out: denseParams(dim, clades),
    sharpness: param([1], { values: [Math.LN2] }, false),
    power: param([clades], { values: new Float32Array(clades).fill(0.25) }, false),
  };
}

/** Binary cross-entropy of memberships [ASVs, clades] against 0 and 1, for each true one; `weight` [ASVs] leaves out padding. */
export function cladeLoss(asv: Tensor, p: TensorsOf<CladeParams>, targets: Tensor, weight: Tensor): Tensor {
  const logits = dense(asv, p.out);
  const each = sum(sub(softplus(logits), mul(targets, logits)), [1]);
  const total = maximum(sum(mul(sum(targets, [1]), weight)), 1);
  return div(sum(mul(each, weight)), total);
}

/**
 * Presence and mass of each clade: [samples, 2 × clades]. With m the membership of an ASV, presence is
 * 1 − Π (1 − m) over a sample's ASVs, as a maximum with slopes everywhere; mass is (Σ share × m) to a learned power,
 * ¼ at first. `mask`, `there` and `counts` are [samples, slots], `index` says which ASV a slot holds.
 */
export function cladePool(
  asv: Tensor,
  p: TensorsOf<CladeParams>,
  { index, mask, there, counts }: { index: Tensor; mask: Tensor; there: Tensor; counts: Tensor },
): Tensor {
  const [samples, slots] = index.shape as [number, number];
  const asvs = asv.shape[0]!;
  const logits = mul(dense(asv, p.out), exp(p.sharpness));
  const held = mul(counts, mask);
  // An ASV that is looked away from leaves the shares of others as they are.
  const shares = mul(div(held, maximum(sum(held, [1], true), 1e-8)), there);
  // Which ASV each slot holds, as 0 and 1: sums over slots become products of matrices.
  const ones = add(mul(mean(asv, [1]), 0), 1);
  const places = reshape(sub(cumSum(ones, 0), 1), [1, 1, asvs]);
  const which = cast(equal(reshape(cast(index, "float32"), [samples, slots, 1]), places), "float32");
  const both = concat([reshape(there, [samples, 1, slots]), reshape(shares, [samples, 1, slots])], 1);
  const [has, share] = split(matmul(both, which), [1, 1], 1) as [Tensor, Tensor];
  const rows = (t: Tensor): Tensor => reshape(t, [samples, asvs]);
  const presence = sub(1, exp(neg(matmul(minimum(rows(has), 1), softplus(logits)))));
  const mass = add(matmul(rows(share), sigmoid(logits)), 1e-5);
  return concat([presence, exp(mul(log(mass), p.power))]);
}
