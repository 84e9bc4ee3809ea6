// One run of ours: what reading, computing and writing took, as a line of JSON.
import { readBiom, readNewick, unifrac, writeDistances } from "@x/seq-model";

const [prefix, metric, threads, out] = process.argv.slice(2);
const took = async (work) => {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return [value, (user + system) / 1e6];
};
const [inputs, read] = await took(async () => [
  await readBiom(`${prefix}.biom`),
  await readNewick(`${prefix}.nwk`),
]);
// The first job of a process pays for loading code: a small one comes before.
await unifrac(inputs[0].select({ samples: inputs[0].sampleIds.slice(0, 3) }), inputs[1], { metric });
const [matrix, compute] = await took(() => unifrac(...inputs, { metric, threads: Number(threads) }));
const [, write] = await took(() => (out === "-" ? undefined : writeDistances(out, matrix)));
console.log(JSON.stringify({ read, compute, write }));
