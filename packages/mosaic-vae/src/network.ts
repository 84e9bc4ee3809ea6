/** The network: encoders, fusion, decoders and the masked ELBO as one model of `@x/onnx-train`. */
import {
  add,
  constant,
  div,
  exp,
  type Gaussian,
  gather,
  gaussianKl,
  graph,
  greater,
  type InputSpec,
  lgammaDelta,
  log,
  type Model,
  maximum,
  mean,
  minimum,
  mul,
  type ParamSpec,
  param,
  reshape,
  sub,
  sum,
  type Tensor,
  where,
} from "@x/onnx-train";
import type { InputTransform } from "./config.ts";
import { average, jeffreys, mixture, mixtureLogRatio, type Posterior, product } from "./fusion.ts";
import { headParams, headTerms } from "./heads.ts";
import type { BodySpec, Decoder, Encoder, Specs, Weights } from "./layers.ts";
import type { Decoded, FirstValues, HeadSpec, Likelihood } from "./likelihood.ts";
import type { NetworkPlan, PlannedModality } from "./plan.ts";

/** Bounds of log σ². */
const LOG_VARIANCE = 10;

/** What a modality is made of. */
export interface Parts {
  readonly likelihood: Likelihood;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
}

/** Builds the model of a plan; `first` gives the decoders their first biases. */
export function buildNetwork(
  plan: NetworkPlan,
  made: ReadonlyMap<string, Parts>,
  first: Readonly<Record<string, FirstValues>> = {},
): Model {
  const bodySpec = (m: PlannedModality): BodySpec => ({
    features: m.features,
    latent: plan.latent,
    hidden: plan.hidden,
    layerNorm: plan.layerNorm,
    dropout: plan.dropout,
    batches: plan.batchCovariate ? plan.batches : 0,
  });
  const spec = (m: PlannedModality): HeadSpec => ({
    features: m.features,
    hidden: made.get(m.name)!.decoder.width(bodySpec(m)),
    batches: plan.batches,
    dispersion: plan.dispersion,
    first: first[m.name],
  });
  const inputs: Record<string, InputSpec> = {
    noise: ["cells", plan.latent],
    batch: ["cells", plan.batches],
    ...(plan.fusion === "moe" && { choice: ["cells", plan.modalities.length] }),
    ...(plan.groups > 0 && { group: ["cells", plan.groups] }),
    ...(plan.heads.temporal && { time: ["cells", 2] }),
    ...(plan.heads.bridge && { partner: ["cells", plan.latent], paired: ["cells", 1] }),
  };
  for (const m of plan.modalities) {
    inputs[`x.${m.name}`] = ["cells", m.features];
    inputs[`mask.${m.name}`] = ["cells", 1];
    inputs[`seen.${m.name}`] = ["cells", 1];
    inputs[`library.${m.name}`] = ["cells", 1];
    if (m.tally > 0) {
      inputs[`tally.${m.name}`] = [m.tally, m.features];
      inputs[`tailFeature.${m.name}`] = { shape: [`tail.${m.name}`], dtype: "int64" };
      inputs[`tailCount.${m.name}`] = [`tail.${m.name}`];
    }
  }
  const params: Record<string, Specs> = {
    encoder: Object.fromEntries(
      plan.modalities.map((m) => [m.name, made.get(m.name)!.encoder.params(bodySpec(m))]),
    ),
    decoder: Object.fromEntries(
      plan.modalities.map((m) => {
        const { decoder, likelihood } = made.get(m.name)!;
        return [m.name, { ...decoder.params(bodySpec(m)), head: likelihood.params(spec(m)) as Specs }];
      }),
    ),
    ...(plan.fusion === "average" && { fusion: { weights: param([plan.modalities.length]) } }),
    ...expertParams(plan),
    ...headParams(plan),
  };

  return graph("mosaic", { inputs, params: params as never }).model((given, weights, context) => {
    const x = given as unknown as Readonly<Record<string, Tensor>>;
    const p = weights as unknown as Weights;
    const posteriors = plan.modalities.map((m): Posterior => {
      const raw = x[`x.${m.name}`]!;
      // Training is fed 0 and 1; a file for others takes the counts as they are.
      const seen = transform(m.input, m.binary && !context.training ? isAbove(raw) : raw);
      const q = made
        .get(m.name)!
        .encoder.encode(seen, within(p, "encoder", m.name), bodySpec(m), (name, h) =>
          context.dropout(`${m.name}.${name}`, h, plan.dropout),
        );
      const logVariance = maximum(minimum(q.logVariance, LOG_VARIANCE), -LOG_VARIANCE);
      const weight = m.expertLearned
        ? exp(within(p, "experts", m.name) as unknown as Tensor)
        : m.expertWeight;
      return { mean: q.mean, logVariance, mask: x[`seen.${m.name}`]!, weight };
    });
    const single = posteriors.map((q) => product([{ ...q, weight: 1 }]));
    const mixed = plan.fusion === "moe" ? mixture(posteriors, x.choice!) : undefined;
    const q: Gaussian =
      mixed?.whole ??
      (plan.fusion === "average"
        ? average(posteriors, within(p, "fusion").weights as Tensor)
        : product(posteriors));
    const drawn = mixed?.chosen ?? q;
    const z = add(drawn.mean, mul(exp(mul(drawn.logVariance, 0.5)), x.noise!));
    const kl = mixed ? mixtureLogRatio(posteriors, z) : sum(gaussianKl(q), [-1]);
    const parts: Record<string, Tensor> = {};
    const outputs: Record<string, Tensor> = {
      mean: q.mean,
      logVariance: q.logVariance,
      z,
      kl: reshape(kl, [x.noise!.shape[0]!, 1]),
    };
    const perCell = (t: Tensor): Tensor => mean(t);
    const cells = Number(x.noise!.shape[0]); // a number in training
    const klMean = perCell(kl);
    let loss = mul(klMean, context.schedule("beta", plan.finalBeta));
    parts.kl = klMean;
    plan.modalities.forEach((m, i) => {
      const { decoder, likelihood } = made.get(m.name)!;
      const weights = within(p, "decoder", m.name);
      const hidden = decoder.decode(z, weights, bodySpec(m), x.batch!);
      const logLibrary = log(x[`library.${m.name}`]!);
      const head = weights.head as Record<string, Tensor>;
      const decoded = likelihood.decode(head, { hidden, batch: x.batch!, logLibrary }, spec(m));
      outputs[`mean.${m.name}`] = single[i]!.mean;
      outputs[`logVariance.${m.name}`] = single[i]!.logVariance;
      outputs[`expert.mean.${m.name}`] = posteriors[i]!.mean;
      outputs[`expert.logVariance.${m.name}`] = posteriors[i]!.logVariance;
      outputs[`expected.${m.name}`] = decoded.mean;
      for (const [name, t] of Object.entries(decoded.parameters)) outputs[`${name}.of.${m.name}`] = t;
      const mask = greater(x[`mask.${m.name}`]!, 0);
      let nll: Tensor;
      if (m.tally > 0 && context.training) nll = talliedNll(decoded, m, { x, mask, perCell, cells });
      else {
        const given = x[`x.${m.name}`]!;
        const whole = context.training && !likelihood.factorial;
        const fast = whole ? decoded.kernelSum?.(given) : undefined;
        const logLik = where(mask, fast ?? sum(decoded.logLik(given), [-1], true), 0);
        outputs[`logLik.${m.name}`] = logLik;
        nll = mul(perCell(logLik), -1);
      }
      parts[`nll.${m.name}`] = nll;
      loss = add(loss, mul(nll, context.schedule(`weight.${m.name}`, m.finalWeight)));
    });
    const paired = pairedTerm(posteriors, plan, { x, perCell });
    if (paired) {
      parts.paired = paired;
      loss = add(loss, mul(paired, context.schedule("paired", 0)));
    }
    for (const [name, term] of Object.entries(headTerms(plan, { z: q.mean, x, p: p.heads as Weights }))) {
      parts[name] = term;
      loss = add(loss, mul(term, context.schedule(`head.${name}`, 0)));
    }
    return { loss, parts, outputs };
  });
}

/**
 * −log p of the measured cells, mean over all. What depends on θ and the count alone is Σ over cells of
 * log Γ(θ + x) − log Γ(θ) − log Γ(x + 1) = Σ_k N(k) log((θ + k)/(1 + k)), with N(k) the number of cells whose count is
 * above k: one small table instead of log Γ for each count. Counts beyond the table (`tail`) are added one by one.
 */
function talliedNll(
  decoded: Decoded,
  m: PlannedModality,
  {
    x,
    mask,
    perCell,
    cells,
  }: { x: Readonly<Record<string, Tensor>>; mask: Tensor; perCell: (t: Tensor) => Tensor; cells: number },
): Tensor {
  const given = x[`x.${m.name}`]!;
  const kernel = where(mask, decoded.kernelSum?.(given) ?? sum(decoded.logLik(given, 0), [-1], true), 0);
  const theta = exp(decoded.logTheta!);
  const row = (offset: number): number[] => Array.from({ length: m.tally }, (_, k) => k + offset);
  const rising = log(add(reshape(theta, [1, m.features]), constant(row(0), [m.tally, 1])));
  const factorial = constant(
    row(1).map((k) => Math.log(k)),
    [m.tally, 1],
  );
  const table = sum(mul(x[`tally.${m.name}`]!, sub(rising, factorial)));
  const count = x[`tailCount.${m.name}`]!;
  const tailTheta = add(gather(theta, x[`tailFeature.${m.name}`]!), m.tally);
  const tail = sum(sub(lgammaDelta(tailTheta, count), lgammaDelta(add(mul(count, 0), m.tally + 1), count)));
  return mul(add(perCell(kernel), div(add(table, tail), cells)), -1);
}

function pairedTerm(
  posteriors: readonly Posterior[],
  plan: NetworkPlan,
  { x, perCell }: { x: Readonly<Record<string, Tensor>>; perCell: (t: Tensor) => Tensor },
): Tensor | undefined {
  if (plan.paired === "none" || posteriors.length < 2) return undefined;
  let total: Tensor | undefined;
  plan.modalities.forEach((a, i) => {
    plan.modalities.slice(i + 1).forEach((b, j) => {
      const both = mul(x[`mask.${a.name}`]!, x[`mask.${b.name}`]!);
      // Posteriors of what was measured, whether or not this step's encoder was allowed to use it.
      const p = product([{ ...posteriors[i]!, mask: x[`mask.${a.name}`]!, weight: 1 }]);
      const q = product([{ ...posteriors[i + 1 + j]!, mask: x[`mask.${b.name}`]!, weight: 1 }]);
      const d = sub(p.mean, q.mean);
      const distance = plan.paired === "jeffreys" ? jeffreys(p, q) : sum(mul(d, d), [-1], true);
      const term = perCell(where(greater(both, 0), distance, 0));
      total = total ? add(total, term) : term;
    });
  });
  return total;
}

function within(p: Weights, ...path: readonly string[]): Weights {
  return path.reduce((at, name) => at[name] as Weights, p);
}

/** Logarithms of the weights of experts that are learned. */
function expertParams(plan: NetworkPlan): Specs {
  const learned = plan.modalities.filter((m) => m.expertLearned);
  if (learned.length === 0) return {};
  const of = (weight: number): ParamSpec => param([1], { values: [Math.log(weight)] }, false);
  return { experts: Object.fromEntries(learned.map((m) => [m.name, of(m.expertWeight)])) };
}

/** 1 where there is anything. */
const isAbove = (x: Tensor): Tensor => where(greater(x, 0), add(mul(x, 0), 1), 0);

/** What the encoder sees. */
function transform(input: InputTransform, x: Tensor): Tensor {
  if (input === "none") return x;
  if (input === "binary") return isAbove(x);
  if (input === "log1p") return log(add(x, 1));
  if (input === "normalized") {
    // The cell's own sum: a library given for decoding must not change what the encoder sees.
    const total = sum(x, [-1], true);
    return log(add(mul(x, div(1e4, where(greater(total, 0), total, 1))), 1));
  }
  // Centred log-ratio as Seurat has it: ln(1 + v / g), g = exp(mean of ln(1 + v)).
  const logs = log(add(x, 1));
  const centre = exp(div(sum(logs, [-1], true), Number(x.shape.at(-1)!)));
  return log(add(div(x, centre), 1));
}
