import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { expect, it } from "vitest";
import { Graph, inGraph } from "../src/graph.ts";
import { relu } from "../src/ops-elementwise.ts";
import { matmul } from "../src/ops-linear.ts";
import { decodeModel, encodeModel } from "../src/proto.ts";
import { scanLayers } from "../src/scan-layers.ts";
import { toModel } from "../src/to-model.ts";

function sample(): Graph {
  const graph = new Graph("sample");
  const x = graph.input("x", "float32", ["batch", 2]);
  const w = graph.initializer(
    "w",
    "float32",
    [3, 2, 2],
    Float32Array.from({ length: 12 }, (_, i) => i),
  );
  inGraph(graph, () => {
    graph.output([scanLayers((at, p) => relu(matmul(at, p.w)), { w }, x)]);
  });
  return graph;
}

it("what is written is read back", () => {
  const model = toModel(sample(), { metadata: { task: "test" } });
  const bytes = encodeModel(model);
  expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  expect(decodeModel(bytes).graph!.node!.map((n) => n.opType)).toEqual(["Scan"]);
});

/** What the test looks at of the decoder's model. */
interface Theirs {
  readonly opsetImport: readonly { readonly version: bigint }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph?: TheirGraph;
}
interface TheirGraph {
  readonly input: readonly { readonly type?: { readonly value: { readonly case?: string } } }[];
  readonly initializer: readonly { readonly name: string; readonly dims: readonly bigint[] }[];
  readonly node: readonly {
    readonly opType: string;
    readonly attribute: readonly { readonly name: string; readonly g?: TheirGraph }[];
  }[];
}

it("an independent decoder reads the same, and we read what it writes", () => {
  const bytes = encodeModel(toModel(sample(), { metadata: { task: "test" } }));
  // Two versions of the decoder's runtime describe the schema with types of their own.
  const schema = ModelProtoSchema as never;
  const theirs = fromBinary(schema, bytes) as unknown as Theirs;
  expect(theirs.opsetImport.map((o) => Number(o.version))).toEqual([20]);
  expect(theirs.metadataProps.map((e) => `${e.key}=${e.value}`)).toEqual(["task=test"]);
  expect(theirs.graph!.input[0]!.type!.value.case).toBe("tensorType");
  expect(theirs.graph!.initializer.find((i) => i.name === "w")!.dims.map(Number)).toEqual([3, 2, 2]);
  const body = theirs.graph!.node[0]!.attribute.find((a) => a.name === "body")!.g!;
  expect(body.node.map((n) => n.opType)).toContain("Relu");
  expect(decodeModel(toBinary(schema, theirs as never))).toEqual(decodeModel(bytes));
});

it("whole numbers of any size survive, unknown fields are skipped", () => {
  for (const i of [0, 127, 128, 2 ** 31, 2 ** 40, -1, -(2 ** 33), 2n ** 62n]) {
    const model = { graph: { node: [{ attribute: [{ name: "a", i, type: 2 }] }] } };
    expect(decodeModel(encodeModel(model))).toEqual(model);
  }
  const unknown = [0x9a, 0x06, 2, 7, 7]; // field 99, two bytes
  const bytes = encodeModel({ graph: { name: "g" } });
  expect(decodeModel(Uint8Array.from([...unknown, ...bytes]))).toEqual({ graph: { name: "g" } });
});

it("a file cut anywhere, or of another kind, is refused by name", () => {
  const bytes = encodeModel(toModel(sample()));
  for (let n = 0; n < bytes.length; n += 7) {
    try {
      decodeModel(bytes.subarray(0, n));
    } catch (e) {
      expect(e).toMatchObject({ code: "ONNX_FORMAT" });
    }
  }
  for (const text of ["", "hello world", "\u0089HDF\r\n", "PK\u0003\u0004"])
    expect(() => decodeModel(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: "ONNX_FORMAT" }),
    );
});

it("weights outside the model's folder are refused", () => {
  for (const value of ["../../x", "/etc/passwd", "a/../../x", "C:\\x", "..\\x"]) {
    const initializer = [{ name: "w", externalData: [{ key: "location", value }], dataLocation: 1 }];
    const bytes = encodeModel({ graph: { initializer } });
    expect(() => decodeModel(bytes)).toThrow(expect.objectContaining({ code: "ONNX_EXTERNAL_PATH" }));
  }
  const fine = [{ name: "w", externalData: [{ key: "location", value: "model.data" }], dataLocation: 1 }];
  expect(() => decodeModel(encodeModel({ graph: { initializer: fine } }))).not.toThrow();
});
