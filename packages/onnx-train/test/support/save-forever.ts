import { writeSafetensors } from "../../src/safetensors.ts";

const data = new Float32Array(500_000).fill(1);
const tensors = new Map([["w", { dtype: "float32" as const, shape: [500_000], data }]]);
for (let i = 0; ; i++) {
  await writeSafetensors(`${process.argv[2]}.safetensors`, { tensors, metadata: { i: String(i) } });
  if (i === 0) process.stdout.write("saved\n");
}
