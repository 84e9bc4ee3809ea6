/** Sessions that compute without training: the losses and outputs of a batch, or some of them. */
import { createSession, type DeviceReport } from "./device.ts";
import { trainError } from "./errors.ts";
import { encodeModel } from "./proto.ts";
import { toModel, usedInputs } from "./to-model.ts";
import { evalGraph, named, weightInputs } from "./train-graph.ts";
import type { Plan } from "./trainer.ts";

/** A session that evaluates, and what it takes and gives. */
export interface EvaluationSession {
  session: number;
  /** Inputs of the model. */
  inputs: string[];
  /** Flat vectors of weights. */
  vectors: string[];
  outputs: string[];
  parts: string[];
}

/** In front of the names of parts, so that one may be called as an output. */
export const PART = "part.";

/** Opens one for `chosen` outputs, or for the loss, its parts and all outputs. `GRAPH_NAME` for one the model has not. */
export async function openEvaluation(
  plan: Plan,
  device: DeviceReport["used"],
  chosen?: readonly string[],
): Promise<EvaluationSession> {
  const { model, trained, frozen, threads, memory } = plan;
  const { graph, made } = evalGraph(model, weightInputs(trained, frozen), (shape) => shape);
  const known = made.outputs ?? {};
  for (const name of chosen ?? [])
    if (!Object.hasOwn(known, name))
      throw trainError(
        "GRAPH_NAME",
        `${model.name} has no output ${name}; it has ${Object.keys(known).join(", ")}`,
        {
          usage: true,
        },
      );
  const parts = Object.entries(made.parts ?? {}).map(([name, t]) => [PART + name, t] as const);
  const outputs = chosen
    ? Object.fromEntries(chosen.map((name) => [name, known[name]!]))
    : { loss: made.loss, ...Object.fromEntries(parts), ...known };
  named(outputs, graph);
  const used = usedInputs(graph);
  graph.inputs.splice(0, graph.inputs.length, ...graph.inputs.filter((t) => used.includes(t)));
  const bytes = encodeModel(toModel(graph));
  const { session } = await createSession(bytes, device, { threads, memory });
  const names = graph.inputs.map((t) => t.name);
  return {
    session,
    inputs: names.filter((name) => Object.hasOwn(model.inputs, name)),
    vectors: names.filter((name) => !Object.hasOwn(model.inputs, name)),
    outputs: Object.keys(known),
    parts: parts.map(([name]) => name),
  };
}
