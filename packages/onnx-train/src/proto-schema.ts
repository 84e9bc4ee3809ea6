/** The messages of onnx.proto (ONNX 1.20) that we write and read, as tables of fields. Others are skipped on reading. */

/** `[number, kind]`; a kind ending in `[]` repeats. `ints` and `floats` are packed when written, either way when read. */
type Field = readonly [number: number, kind: string];

/** Field tables by message name. */
export const SCHEMA: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  Model: {
    irVersion: [1, "int"],
    producerName: [2, "text"],
    producerVersion: [3, "text"],
    domain: [4, "text"],
    modelVersion: [5, "int"],
    docString: [6, "text"],
    graph: [7, "Graph"],
    opsetImport: [8, "Opset[]"],
    metadataProps: [14, "Entry[]"],
  },
  Opset: { domain: [1, "text"], version: [2, "int"] },
  Entry: { key: [1, "text"], value: [2, "text"] },
  Graph: {
    node: [1, "Node[]"],
    name: [2, "text"],
    initializer: [5, "Tensor[]"],
    docString: [10, "text"],
    input: [11, "ValueInfo[]"],
    output: [12, "ValueInfo[]"],
    valueInfo: [13, "ValueInfo[]"],
  },
  Node: {
    input: [1, "text[]"],
    output: [2, "text[]"],
    name: [3, "text"],
    opType: [4, "text"],
    attribute: [5, "Attribute[]"],
    docString: [6, "text"],
    domain: [7, "text"],
  },
  Attribute: {
    name: [1, "text"],
    f: [2, "float"],
    i: [3, "int"],
    s: [4, "bytes"],
    t: [5, "Tensor"],
    g: [6, "Graph"],
    floats: [7, "floats"],
    ints: [8, "ints"],
    strings: [9, "bytes[]"],
    type: [20, "int"],
  },
  Tensor: {
    dims: [1, "ints"],
    dataType: [2, "int"],
    floatData: [4, "floats"],
    int32Data: [5, "ints"],
    int64Data: [7, "ints"],
    name: [8, "text"],
    rawData: [9, "bytes"],
    docString: [12, "text"],
    externalData: [13, "Entry[]"],
    dataLocation: [14, "int"],
  },
  ValueInfo: { name: [1, "text"], type: [2, "Type"], docString: [3, "text"] },
  Type: { tensorType: [1, "TensorType"] },
  TensorType: { elemType: [1, "int"], shape: [2, "Shape"] },
  Shape: { dim: [1, "Dim[]"] },
  Dim: { dimValue: [1, "int"], dimParam: [2, "text"] },
};

/** A whole number: a BigInt only where it does not fit a double. */
export type Int = number | bigint;

/** ModelProto. */
export interface ModelProto {
  irVersion?: Int;
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: Int;
  docString?: string;
  graph?: GraphProto;
  opsetImport?: { domain?: string; version?: Int }[];
  metadataProps?: EntryProto[];
}

/** StringStringEntryProto. */
export interface EntryProto {
  key?: string;
  value?: string;
}

/** GraphProto. */
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  docString?: string;
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
}

/** NodeProto. */
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  docString?: string;
  domain?: string;
}

/** AttributeProto. */
export interface AttributeProto {
  name?: string;
  f?: number;
  i?: Int;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: Int[];
  strings?: Uint8Array[];
  type?: Int;
}

/** TensorProto. */
export interface TensorProto {
  dims?: Int[];
  dataType?: Int;
  floatData?: number[];
  int32Data?: Int[];
  int64Data?: Int[];
  name?: string;
  rawData?: Uint8Array;
  docString?: string;
  externalData?: EntryProto[];
  dataLocation?: Int;
}

/** ValueInfoProto of a tensor. */
export interface ValueInfoProto {
  name?: string;
  type?: { tensorType?: { elemType?: Int; shape?: { dim?: { dimValue?: Int; dimParam?: string }[] } } };
  docString?: string;
}
