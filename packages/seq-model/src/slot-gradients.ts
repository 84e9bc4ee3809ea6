/** How a prediction changes with the presence of each ASV. */
import {
  grad,
  graph,
  type InputSpec,
  type Model,
  mul,
  type ParamSpec,
  reshape,
  sum,
  type Tensor,
} from "@x/onnx-train";
import { headWidth } from "./heads.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { TargetLossConfig } from "./model-losses.ts";
import { buildNetwork } from "./network.ts";

/**
 * The sample level of one sample of so many slots with the output `slope` [1, slots]: the derivative of the prediction
 * that `chosen` [numbers] picks along `presence`; of a classifier, of log-probabilities.
 */
export function slotGradientModel(config: ModelConfig, slots: number, loss: TargetLossConfig): Model {
  const none = { target: 0, count: 0, encoder: 0, nucleotide: 0, phylogeny: 0 };
  const inner = buildNetwork(config, { part: "samples", weights: none, loss, chunk: 0 });
  const fixed: Record<string, number> = { asvs: slots, samples: 1, slots };
  const shapes = Object.entries(inner.inputs).map(([name, { shape, dtype }]) => [
    name,
    { dtype, shape: shape.map((dim) => (typeof dim === "string" ? fixed[dim]! : dim)) },
  ]);
  const inputs = { ...Object.fromEntries(shapes), chosen: [headWidth(config)] } as Record<string, InputSpec>;
  return graph("slopes", { inputs, params: inner.params as Record<string, ParamSpec> }).model(
    (given, weights, context) => {
      const tensors = given as Record<string, Tensor>;
      const { outputs } = inner.build(tensors, weights as never, context);
      const said = reshape(sum(mul(outputs!.raw!, tensors.chosen!)), []);
      const [slope] = grad(said, [tensors.presence!]);
      return { loss: said, outputs: { slope: slope! } };
    },
  );
}
