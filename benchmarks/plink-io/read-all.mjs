// Streams a whole fileset through the public API, as a user would: `read-all.mjs PREFIX int8|float32 THREADS`.
import { openPlink } from "@x/plink-io";

const [prefix, as, threads] = process.argv.slice(2);
const study = await openPlink(prefix);
let rows = 0;
for await (const batch of study.genotypes({ as, threads: Number(threads) })) rows += batch.numRows;
await study.close();
console.log(rows);
