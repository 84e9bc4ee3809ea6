/** Neural models written, trained and exported from TypeScript through onnxruntime-node alone. */
export { constant } from "./constants.ts";
export type { DType } from "./dtype.ts";
export { grad } from "./grad.ts";
export { type Dim, type Precision, scope, type Tensor } from "./graph.ts";
export * from "./layers.ts";
export * from "./likelihoods.ts";
export * from "./losses.ts";
export * from "./ops-elementwise.ts";
export { gather, gatherElements, oneHot, topK } from "./ops-index.ts";
export { matmul } from "./ops-linear.ts";
export { cumSum, layerNorm, logSoftmax, logSumExp, max, mean, softmax, sum, variance } from "./ops-reduce.ts";
export { concat, expand, pad, reshape, slice, split, transpose, zerosLike } from "./ops-shape.ts";
export { type Expert, productOfExperts } from "./product-of-experts.ts";
export { type ScanLayersOptions, scanLayers } from "./scan-layers.ts";
export * from "./special.ts";
export type { Tree } from "./tree.ts";
