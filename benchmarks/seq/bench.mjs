import { stepBenchmark, stepTables } from "./step.mjs";
import { unifracBenchmark, unifracTables } from "./unifrac.mjs";

/** `--set unifrac` or `--set step` for one part. */
export default {
  title: "UniFrac of simulated tables on a tree of 4,000 tips; training steps at AAM's dims; one thread",
  async run(input) {
    const wanted = (set) => input.only.set.length === 0 || input.only.set.includes(set);
    return {
      data: {
        ...(wanted("unifrac") && { unifrac: await unifracBenchmark(input) }),
        ...(wanted("step") && { step: await stepBenchmark(input) }),
      },
    };
  },
  tables: ({ unifrac, step }) => [
    ...(unifrac ? unifracTables(unifrac) : []),
    ...(step ? stepTables(step) : []),
  ],
};
