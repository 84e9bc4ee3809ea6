// node benchmarks/accuracy/lmm-simulated.mjs: n = 1,000 × p = 10,000, GEMMA run now on the same files; exit 1 below a floor.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareAssoc } from "@x/lmm";
import { writeFileset } from "../../fixtures/lib/fileset.mjs";
import { measure } from "../lib/measure.mjs";
import { ours } from "../lib/paths.mjs";
import { findPeers, INSTALL } from "../lib/peers.mjs";
import { result } from "./compare.mjs";
import { checkStudy } from "./study.mjs";
import { verdict } from "./verdict.mjs";

if (!findPeers().gemma) {
  // Not a failure of ours: the committed oracles of fixtures/ cover the same code in the test run.
  console.log(`gemma is not here (${INSTALL.gemma}): nothing was checked`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "accuracy-simulated-"));
try {
  const bfile = join(folder, "sim");
  writeFileset(bfile, { people: 1000, snps: 10_000, families: 100, chromosomes: 10, seed: 1000 });
  const gemma = (...args) =>
    measure({
      command: "gemma",
      args: ["-bfile", bfile, ...args, "-outdir", folder],
      env: { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" },
    });
  const at = (name) => join(folder, name);
  const covariates = `${bfile}.covar.txt`;
  await gemma("-gk", "1", "-o", "k");
  await gemma("-k", at("k.cXX.txt"), "-eigen", "-o", "eig");
  await gemma("-k", at("k.cXX.txt"), "-lmm", "1", "-o", "plain");
  await gemma("-k", at("k.cXX.txt"), "-c", covariates, "-lmm", "1", "-o", "cov");
  const found = await checkStudy({
    bfile,
    reference: {
      kinship: at("k.cXX.txt"),
      eigenD: at("eig.eigenD.txt"),
      runs: [
        { label: "lmm 1", assoc: at("plain.assoc.txt"), log: at("plain.log.txt") },
        { label: "lmm 1, covariates", assoc: at("cov.assoc.txt"), log: at("cov.log.txt"), covariates },
      ],
    },
  });
  // The p × p route over all 10,000 variants, which the test run leaves out: its eigendecomposition takes minutes.
  await gemma("-k", at("k.cXX.txt"), "-lmm", "4", "-o", "all");
  const dual = ["gwas", "--bfile", bfile, "--route", "dual", "-lmm", "4", "--without-report"];
  await measure(ours("lmm", [...dual, "--out", at("dual")]));
  const { columns, headerEqual } = await compareAssoc(at("dual.assoc.txt"), at("all.assoc.txt"));
  found.results.push(result("columns", headerEqual ? 0 : 1, 0, "lmm 4, dual route"));
  for (const { name, tolerance, worst } of columns)
    found.results.push(
      result(name, worst?.difference ?? 0, tolerance.limit, `lmm 4, dual route ${worst?.label ?? ""}`),
    );
  verdict("accuracy-lmm-simulated", "simulated n = 1,000 × p = 10,000 against GEMMA run now", found);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
