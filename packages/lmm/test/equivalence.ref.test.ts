// docs/design/gemma-equivalence.md says how far every column is from GEMMA's; here it is measured again. Run with
// X_UPDATE=1 to write the table anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ASSOC_TOLERANCES } from "../src/index.ts";
import { measure, table } from "./support/equivalence.ts";
import { runText } from "./support/matrix-cases.ts";

const path = join(import.meta.dirname, "../../../docs/design/gemma-equivalence.md");
const TABLE = /(?<=<!-- table -->\n\n)[\s\S]*(?=\n\n<!-- end of table -->)/;

it("no column is farther from GEMMA than the page says, and the page is not out of date", async () => {
  const rows = await measure();
  const page = readFileSync(path, "utf8");
  if (process.env.X_UPDATE) writeFileSync(path, page.replace(TABLE, table(rows)));
  const said = new Map(
    TABLE.exec(readFileSync(path, "utf8"))![0]
      .split("\n")
      .slice(2)
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .map(([, run, column, , ours, , own]) => [`${run} ${column}`, [Number(ours), Number(own)]]),
  );
  expect(said.size).toBe(rows.length);
  for (const { run, column, ours, own } of rows) {
    const [most, mostOwn] = said.get(`\`${runText(run)}\` ${column}`)!;
    expect(ours, `${run} ${column}`).toBeLessThanOrEqual(most!);
    expect(own, `${run} ${column}, GEMMA's own`).toBeLessThanOrEqual(mostOwn!);
    // The last printed digit may fall either way on another processor; more than that is a page out of date.
    if (most! > 1e-6) expect(ours, `${run} ${column}`).toBeGreaterThan(most! / 10);
    expect(most).toBeLessThanOrEqual(ASSOC_TOLERANCES[column]!.limit);
  }
});
