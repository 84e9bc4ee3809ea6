import { unifracBenchmark } from "./unifrac.mjs";

export default {
  title: "UniFrac of simulated tables on a tree of 4,000 tips, one thread",
  run: unifracBenchmark,
};
