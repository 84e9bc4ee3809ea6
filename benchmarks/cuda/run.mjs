// node benchmarks/cuda/run.mjs: does training really run on the GPU, with the CPU's losses, and how fast?
// Needs Node, this repository's build and an NVIDIA machine; no network, no Python. Exits 1 when a check fails, 3 without a GPU.
// node benchmarks/cuda/run.mjs --cpu goes the same way on a processor: a trial of the script, not of a GPU.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adamW, compile, doctor } from "@x/onnx-train";
import * as models from "../neural/models.mjs";
import * as seq from "../seq/steps.mjs";

const STEPS = 40;
const TOLERANCE = { float32: 0.01, bfloat16: 0.05, float16: 0.05 };
const trial = process.argv.includes("--cpu");
const device = trial ? "cpu" : "cuda";
const provider = trial ? "CPUExecutionProvider" : "CUDAExecutionProvider";
const CALLS = trial ? [1, 10] : [1, 10, 50, 200];
let failed = 0;
const check = (ok, text) => {
  console.log(`${ok ? "ok  " : "FAIL"} ${text}`);
  if (!ok) failed++;
};

const findings = await doctor();
for (const { ok, name, found, advice } of findings) {
  console.log(`${ok ? "ok  " : "no  "} ${name}: ${found}`);
  if (advice) console.log(`      → ${advice}`);
}
if (trial) console.log("\n--cpu: everything below ran on the processor.");
else if (!findings.some((f) => f.ok && f.name === "training on cuda")) {
  console.log("\nNo GPU can be used here: nothing was measured. The lines above say what is missing.");
  process.exit(3);
}

const cases = {
  mlp: models.mlp(),
  vae: models.vae(),
  transformer: models.transformer(4),
  "seq-pretraining": seq.pretraining(),
  "seq-fine-tuning": seq.fineTuning(),
};
for (const [name, made] of Object.entries(cases)) {
  console.log(`\n# ${name}`);
  const cpu = await losses(made, { device: "cpu" });
  for (const precision of ["float32", "bfloat16", "float16"]) {
    const gpu = await losses(made, { device, precision });
    if (gpu.precision !== precision) {
      console.log(`·    ${precision} is not available: ${gpu.why}`);
      continue;
    }
    const far = Math.max(
      ...gpu.losses.map((l, i) => Math.abs(l - cpu.losses[i]) / Math.max(1e-3, Math.abs(cpu.losses[i]))),
    );
    check(
      far <= TOLERANCE[precision],
      `${precision}: losses of ${STEPS} steps within ${far.toExponential(2)} of the CPU's`,
    );
  }
  await profile(name, made);
  for (const k of CALLS)
    console.log(`     ${String(k).padStart(3)} steps a call: ${(await speed(made, k)).toFixed(1)} steps/s`);
}
process.exit(failed > 0 ? 1 : 0);

async function losses({ model, batch, dims }, options) {
  const trainer = await compile(model, {
    dims,
    stepsPerCall: 10,
    optimizer: adamW({ lr: 1e-3 }),
    ...options,
  });
  const found = [];
  for await (const step of trainer.run(Array(STEPS).fill(batch))) found.push(step.loss);
  await trainer[Symbol.asyncDispose]();
  return { losses: found, precision: trainer.precision.used, why: trainer.precision.why };
}

/** onnxruntime's own account of which provider ran each node, and how many copies it put in between. */
async function profile(name, { model, batch, dims }) {
  const folder = mkdtempSync(join(tmpdir(), "cuda-profile-"));
  const trainer = await compile(model, {
    dims,
    device,
    stepsPerCall: 10,
    profile: join(folder, name),
  });
  for await (const _ of trainer.run(Array(20).fill(batch)));
  await trainer[Symbol.asyncDispose]();
  const events = readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
  const nodes = events.filter((e) => e.cat === "Node" && e.args?.provider && e.name.endsWith("_kernel_time"));
  const on = (provider) => nodes.filter((e) => e.args.provider === provider);
  const there = on(provider);
  const products = nodes.filter((e) => /^(Gemm|MatMul|FusedMatMul)$/.test(e.args.op_name));
  const copies = nodes.filter((e) => /^Memcpy/.test(e.args.op_name));
  const outside = [...new Set(on("CPUExecutionProvider").map((e) => e.args.op_name))].sort();
  check(there.length > 0, `${there.length} of ${nodes.length} node runs on ${device}`);
  check(
    products.every((e) => e.args.provider === provider),
    `all ${products.length} matrix products on ${device}`,
  );
  check(
    copies.length <= 20 * 4,
    `${copies.length} memory-copy nodes in 20 steps (${(copies.length / 20).toFixed(1)} a step)`,
  );
  if (!trial) console.log(`     on the CPU: ${outside.join(", ") || "nothing"}`);
  rmSync(folder, { recursive: true });
}

async function speed({ model, batch, dims }, k) {
  const trainer = await compile(model, { dims, device, stepsPerCall: k });
  for await (const _ of trainer.run(Array(k).fill(batch)));
  const steps = trial ? 20 : Math.max(200, k);
  const started = performance.now();
  for await (const _ of trainer.run(Array(steps).fill(batch)));
  const rate = (1000 * steps) / (performance.now() - started);
  await trainer[Symbol.asyncDispose]();
  return rate;
}
