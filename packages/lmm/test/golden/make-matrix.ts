// GEMMA 0.98.5's numbers for the test matrix: node packages/lmm/test/golden/make-matrix.ts
// Writes matrix/FILESET.DESIGN.txt.gz (the .assoc.txt of every run, each after a line "# RUN") and matrix/commands.txt.
// GEMMA makes its kinship from all people with a phenotype; one thread, because its last digits may depend on it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DESIGNS, FILESETS, gemmaArguments, names, RUNS, writeCase } from "../support/matrix-cases.ts";

const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "matrix-"));
const commands: string[] = [];

function gemma(args: readonly string[]): void {
  commands.push(`gemma ${args.join(" ")}`);
  execFileSync("gemma", args, {
    cwd: folder,
    env: { ...process.env, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" },
    stdio: "ignore",
  });
}

for (const fileset of names(FILESETS)) {
  writeCase(folder, fileset);
  gemma(["-bfile", fileset, "-gk", "1", "-o", fileset]);
  for (const design of names(DESIGNS)) {
    let text = "";
    for (const run of names(RUNS)) {
      gemma(gemmaArguments(fileset, design, run));
      text += `# ${run}\n${readFileSync(join(folder, `output/${fileset}.${design}.${run}.assoc.txt`), "utf8")}`;
    }
    writeFileSync(join(here, `matrix/${fileset}.${design}.txt.gz`), gzipSync(text, { level: 9 }));
  }
}
writeFileSync(join(here, "matrix/commands.txt"), `${commands.join("\n")}\n`);
rmSync(folder, { recursive: true });
