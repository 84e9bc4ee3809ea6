import { compile } from "../../src/index.ts";
import { mlp, mlpBatches } from "./models.ts";

// Nothing is closed here: the worker alone must not keep a process alive.
const trainer = await compile(mlp(), { dims: { batch: 8 }, device: "cpu" });
for await (const _ of trainer.run(mlpBatches(0, 5)));
console.log(`${trainer.step} steps`);
