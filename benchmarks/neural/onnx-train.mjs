// node benchmarks/neural/onnx-train.mjs MODEL STEPS STEPS_PER_CALL [THREADS]: times training, prints one line of JSON.
import { adamW, compile } from "@x/onnx-train";
import { mlp, transformer, vae } from "./models.mjs";

const [name, steps, stepsPerCall, threads = "1"] = process.argv.slice(2);
const { model, batch, dims } = { mlp, transformer, vae }[name]();
const began = performance.now();
const trainer = await compile(model, {
  dims,
  device: "cpu",
  threads: Number(threads),
  stepsPerCall: Number(stepsPerCall),
  optimizer: adamW({ lr: 1e-3 }),
});
const createMs = performance.now() - began;
const feed = (n) => Array.from({ length: n }, () => batch);
for await (const _ of trainer.run(feed(Math.max(5, Number(stepsPerCall)))));
const cpu = process.cpuUsage();
const started = performance.now();
let loss = 0;
for await (const step of trainer.run(feed(Number(steps)))) loss = step.loss;
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    stepsPerSecond: (1000 * steps) / (performance.now() - started),
    cpuMs: (user + system) / 1000 / steps,
    createMs,
    peak: process.resourceUsage().maxRSS * 1024,
    loss,
  }),
);
await trainer[Symbol.asyncDispose]();
