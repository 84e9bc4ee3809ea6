/** A finished graph as ONNX messages, checked first, so that users meet our names and not onnxruntime's. */
import { bytesOf, dtypeBytes, dtypeCode } from "./dtype.ts";
import { trainError } from "./errors.ts";
import type { Attribute, Dim, Graph, GraphNode, Initializer, Tensor } from "./graph.ts";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto-schema.ts";
import { VERSION } from "./version.ts";

/** Operator set of everything we write (the first with Gelu); onnxruntime ≥ 1.17 and onnxruntime-web run it. */
const OPSET = 20;
const IR_VERSION = 9;

/** How a model is written. */
export interface ToModelOptions {
  /** Key-value metadata of the file. */
  metadata?: Readonly<Record<string, string>>;
  /** Takes an initializer out of the file; returns where its bytes are, relative to the model. */
  external?: (initializer: Initializer) => { location: string; offset: number; length: number } | undefined;
}

/** Checks a root graph and turns it into a model. `GRAPH_NAME`, `GRAPH_SCOPE` or `GRAPH_SHAPE` for a broken one. */
export function toModel(graph: Graph, options: ToModelOptions = {}): ModelProto {
  validate(graph);
  return {
    irVersion: IR_VERSION,
    producerName: "@x/onnx-train",
    producerVersion: VERSION,
    graph: graphProto(graph, options),
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
}

/** Every name once, every input made before it is used, weights as large as their shapes say. */
export function validate(graph: Graph): void {
  const names = new Set<string>();
  const define = (tensor: Tensor): void => {
    if (names.has(tensor.name)) throw trainError("GRAPH_NAME", `two values are called ${tensor.name}`);
    names.add(tensor.name);
  };
  for (const { tensor, data } of graph.initializers) {
    define(tensor);
    const size = tensor.shape.reduce<number>((n, d) => n * Number(d), 1);
    if (data.byteLength !== size * dtypeBytes(tensor.dtype))
      throw trainError(
        "GRAPH_SHAPE",
        `${tensor.name} has ${data.length} numbers, [${tensor.shape}] needs ${size}`,
      );
  }
  walk(graph, define, names);
}

function walk(graph: Graph, define: (t: Tensor) => void, known: ReadonlySet<string>): void {
  for (const input of graph.inputs) define(input);
  const use = (t: Tensor, by: string): void => {
    if (!known.has(t.name) || !graph.isWithin(t.graph))
      throw trainError("GRAPH_SCOPE", `${by} uses ${t.name}, which ${graph.name} cannot see`);
  };
  for (const node of liveNodes(graph)) {
    for (const input of node.inputs) if (input) use(input, node.name);
    for (const attribute of Object.values(node.attributes))
      if ("graph" in attribute) walk(attribute.graph, define, known);
    for (const output of node.outputs) define(output);
  }
  for (const output of graph.outputs) use(output, "the list of outputs");
}

function graphProto(graph: Graph, options: ToModelOptions): GraphProto {
  const live = liveNodes(graph);
  const used = new Set<Tensor>(graph.outputs);
  if (graph === graph.root) for (const node of live) addInputs(node, used);
  return {
    node: live.map((node) => nodeProto(node, options)),
    name: graph.name,
    initializer: graph.initializers.filter((i) => used.has(i.tensor)).map((i) => tensorProto(i, options)),
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
  };
}

/** Nodes that an output depends on: gradients nobody asked for are left out. */
function liveNodes(graph: Graph): GraphNode[] {
  const needed = new Set<Tensor>(graph.outputs);
  const live: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((t) => needed.has(t))) continue;
    live.push(node);
    addInputs(node, needed);
  }
  return live.reverse();
}

/** Inputs that an output depends on. */
export function usedInputs(graph: Graph): Tensor[] {
  const used = new Set<Tensor>(graph.outputs);
  for (const node of liveNodes(graph)) addInputs(node, used);
  return graph.inputs.filter((t) => used.has(t));
}

/** What a node reads, its bodies included. */
function addInputs(node: GraphNode, into: Set<Tensor>): void {
  for (const input of node.inputs) if (input) into.add(input);
  for (const attribute of Object.values(node.attributes)) {
    if (!("graph" in attribute)) continue;
    for (const inner of attribute.graph.nodes) addInputs(inner, into);
    for (const output of attribute.graph.outputs) into.add(output);
  }
}

function nodeProto(node: GraphNode, options: ToModelOptions): NodeProto {
  const inputs = node.inputs.map((t) => t?.name ?? "");
  while (inputs.at(-1) === "") inputs.pop();
  return {
    input: inputs,
    output: node.outputs.map((t) => t.name),
    name: node.name,
    opType: node.op,
    attribute: Object.entries(node.attributes).map(([name, a]) => attributeProto(name, a, options)),
  };
}

function attributeProto(name: string, a: Attribute, options: ToModelOptions): AttributeProto {
  if ("int" in a) return { name, i: a.int, type: 2 };
  if ("float" in a) return { name, f: a.float, type: 1 };
  if ("text" in a) return { name, s: new TextEncoder().encode(a.text), type: 3 };
  if ("ints" in a) return { name, ints: [...a.ints], type: 7 };
  return { name, g: graphProto(a.graph, options), type: 5 };
}

function tensorProto(initializer: Initializer, options: ToModelOptions): TensorProto {
  const { tensor, data } = initializer;
  const head = { dims: tensor.shape.map(Number), dataType: dtypeCode(tensor.dtype), name: tensor.name };
  const place = options.external?.(initializer);
  if (!place) return { ...head, rawData: bytesOf(data) };
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
  return { ...head, externalData, dataLocation: 1 };
}

function valueInfo(t: Tensor): ValueInfoProto {
  const dim = t.shape.map((d: Dim) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name: t.name, type: { tensorType: { elemType: dtypeCode(t.dtype), shape: { dim } } } };
}
