/** Graphs under construction. Operators add to the graph that `inGraph` made current; bodies of loops are graphs inside. */
import { type Data, type DType, toData } from "./dtype.ts";
import { trainError } from "./errors.ts";

/** A length, or the name of one that is known only when a model runs (exported models). */
export type Dim = number | string;

/** What floating matrix products are computed in; everything else stays float32. */
export type Precision = "float32" | "float16" | "bfloat16";

/** An attribute of an ONNX node. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly graph: Graph };

/** One operator application as it will stand in the file. */
export interface GraphNode {
  readonly op: string;
  readonly name: string;
  /** `undefined` is an optional input left out. */
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Upstream gradients by output in, gradients by input out; `undefined` is zero. */
export type Vjp = (gradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[];

/** One differentiable step: usually a node, sometimes several nodes with one hand-written gradient. */
export interface Call {
  /** Order of creation. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Undefined where no gradient passes. */
  readonly vjp: Vjp | undefined;
}

/** A value inside a graph: nothing is computed until onnxruntime runs the finished model. */
export class Tensor {
  /** Unique in the model. */
  readonly name: string;
  /** Element type. */
  readonly dtype: DType;
  /** Lengths of its axes; `[]` is a scalar. */
  readonly shape: readonly Dim[];
  /** The graph it was made in. @internal */
  readonly graph: Graph;
  /** How it came about; undefined for inputs and constants. @internal */
  call: Call | undefined;

  /** @internal */
  constructor(name: string, dtype: DType, shape: readonly Dim[], graph: Graph) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.graph = graph;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }
}

/** An initializer: weights or a constant. */
export interface Initializer {
  readonly tensor: Tensor;
  readonly data: Data;
}

/** A graph or the body of a loop. */
export class Graph {
  readonly name: string;
  readonly parent: Graph | undefined;
  readonly root: Graph;
  readonly nodes: GraphNode[] = [];
  readonly inputs: Tensor[] = [];
  readonly outputs: Tensor[] = [];
  /** Only the root has any: bodies capture them. */
  readonly initializers: Initializer[] = [];
  precision: Precision = "float32";
  readonly #names = new Map<string, number>();
  readonly #pool = new Map<string, Tensor>();
  #calls = 0;

  constructor(name: string, parent?: Graph) {
    this.name = name;
    this.parent = parent;
    this.root = parent?.root ?? this;
    this.precision = parent?.precision ?? "float32";
  }

  /** A name nobody in the model has: onnxruntime resolves names across nested graphs. */
  unique(base: string): string {
    const names = this.root.#names;
    const count = names.get(base) ?? 0;
    names.set(base, count + 1);
    if (count === 0) return base;
    return this.unique(`${base}.${count}`);
  }

  nextCall(): number {
    return this.root.#calls++;
  }

  /** Adds an input under this name. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Tensor {
    const tensor = new Tensor(this.unique(name), dtype, shape, this);
    this.inputs.push(tensor);
    return tensor;
  }

  /** Names values as outputs, in this order. */
  output(tensors: readonly Tensor[]): void {
    this.outputs.push(...tensors);
  }

  /** Adds weights. */
  initializer(name: string, dtype: DType, shape: readonly number[], data: Data): Tensor {
    const tensor = new Tensor(this.root.unique(name), dtype, shape, this.root);
    this.root.initializers.push({ tensor, data });
    return tensor;
  }

  /** Makes a value an output under exactly this name. */
  nameOutput(name: string, t: Tensor): Tensor {
    const out = new Tensor(this.unique(name), t.dtype, t.shape, this);
    if (out.name !== name) throw trainError("GRAPH_NAME", `${name} is taken; call the output something else`);
    this.nodes.push({
      op: "Identity",
      name: this.unique(`output/${name}`),
      inputs: [t],
      outputs: [out],
      attributes: {},
    });
    this.outputs.push(out);
    return out;
  }

  /** A small constant; equal ones are stored once. */
  constant(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
    const key = `${dtype} ${shape} ${values.map((v) => (Object.is(v, -0) ? "-0" : v))}`;
    const pool = this.root.#pool;
    const known = pool.get(key);
    if (known) return known;
    const tensor = this.initializer("const", dtype, shape, toData(dtype, values));
    pool.set(key, tensor);
    return tensor;
  }

  /** Is this graph the other one, or inside it? */
  isWithin(other: Graph): boolean {
    for (let g: Graph | undefined = this; g; g = g.parent) if (g === other) return true;
    return false;
  }
}

let current: Graph | undefined;
let prefix = "";

/** Runs a builder with `graph` as the graph that operators add to. */
export function inGraph<T>(graph: Graph, build: () => T): T {
  const before = current;
  current = graph;
  try {
    return build();
  } finally {
    current = before;
  }
}

/** The graph that operators add to. `GRAPH_SCOPE` outside of a model function. */
export function currentGraph(): Graph {
  if (current) return current;
  throw trainError("GRAPH_SCOPE", "operators can only be used inside a model function", { usage: true });
}

/** Puts a path in front of the names of all nodes made by `build`: `scope("enc/l0", () => …)`. Names appear in errors and profiles. */
export function scope<T>(path: string, build: () => T): T {
  const before = prefix;
  prefix = `${before}${path}/`;
  try {
    return build();
  } finally {
    prefix = before;
  }
}

/** Adds a node and returns its outputs; `outputs` gives their types. No gradient is recorded. */
export function emit(
  op: string,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly (readonly [DType, readonly Dim[]])[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Tensor[] {
  const graph = currentGraph();
  for (const input of inputs) {
    if (input === undefined || graph.isWithin(input.graph)) continue;
    const message = `${prefix}${op}: ${input.name} belongs to another graph (${input.graph.name}) and cannot be used in ${graph.name}`;
    throw trainError("GRAPH_SCOPE", message);
  }
  const name = graph.unique(`${prefix}${op}`);
  const made = outputs.map(
    ([dtype, shape], i) =>
      new Tensor(graph.unique(i === 0 ? `${name}:0` : `${name}:${i}`), dtype, shape, graph),
  );
  graph.nodes.push({ op, name, inputs, outputs: made, attributes });
  return made;
}

/** Records how a gradient passes from `outputs` to `inputs`. */
export function record(
  op: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  vjp: Vjp | undefined,
): void {
  const call: Call = { id: currentGraph().nextCall(), op, inputs, outputs, vjp };
  for (const output of outputs) output.call = call;
}

/** Number of elements; `GRAPH_SHAPE` where an axis is symbolic. */
export function sizeOf(shape: readonly Dim[], what = "this"): number {
  return shape.reduce<number>((n, dim) => {
    if (typeof dim === "number") return n * dim;
    throw trainError("GRAPH_SHAPE", `${what} needs fixed lengths, ${dim} is not known before the model runs`);
  }, 1);
}

/** The shape for a message: `[batch, 20]`. */
export function showShape(shape: readonly Dim[]): string {
  return `[${shape.join(", ")}]`;
}

/** `GRAPH_SHAPE` with the place and the shapes. */
export function shapeError(op: string, message: string): never {
  throw trainError("GRAPH_SHAPE", `${prefix}${op}: ${message}`);
}
