import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers } from "../lib/peers.mjs";
import { markdown } from "../lib/tables.mjs";

/** Prints the table, writes benchmarks/results/`name`.json, and sets exit code 1 when a line is below its floor. */
export function verdict(name, title, { results, met }) {
  console.log(`# ${title}\n`);
  const header = ["", "what", "worst", "floor", "where"];
  const number = (value) => (value === null ? "–" : value === 0 ? "0" : value.toExponential(1));
  console.log(
    markdown(
      header,
      results.map((line) => [
        line.ok ? "ok" : "FAIL",
        line.what,
        number(line.worst),
        number(line.floor),
        line.where,
      ]),
    ),
  );
  for (const [label, { rows, beta, p }] of Object.entries(met)) {
    console.log(
      `\n${label}: of ${rows} rows ${beta} have beta within 1e-6 and ${p} have p within 1e-8 (relative) of GEMMA's print`,
    );
  }
  const failed = results.filter((line) => !line.ok).length;
  console.log(`\n${results.length - failed} of ${results.length} hold`);
  const folder = join(root, "benchmarks/results");
  mkdirSync(folder, { recursive: true });
  const machine = describeMachine(findPeers());
  const text = JSON.stringify({ name, title, machine, results, met }, null, 2);
  writeFileSync(join(folder, `${name}.json`), `${text}\n`);
  if (failed > 0) process.exitCode = 1;
}
