import {
  adamW,
  compile,
  dense,
  denseParams,
  exportOnnx,
  graph,
  relu,
  softmaxCrossEntropy,
} from "@x/onnx-train";

const model = graph("mlp", {
  inputs: { x: ["batch", 2], y: { shape: ["batch"], dtype: "int64" } },
  params: { h: denseParams(2, 16), out: denseParams(16, 2) },
}).model(({ x, y }, p) => {
  const logits = dense(relu(dense(x, p.h)), p.out);
  return { loss: softmaxCrossEntropy(logits, y), outputs: { logits } };
});
const trainer = await compile(model, {
  dims: { batch: 4 },
  optimizer: adamW({ lr: 0.05 }),
  stepsPerCall: 50,
});
const xor = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 1, 1, 0] };
for await (const { step, loss } of trainer.run(Array(200).fill(xor)))
  if (step % 50 === 0) console.log(step, loss);
await exportOnnx(trainer, process.argv[2] ?? "model.onnx");
await trainer[Symbol.asyncDispose]();
console.log(`trained on ${trainer.device.used}: ${trainer.device.why}`);
