// node benchmarks/accuracy/lmm-mouse.mjs: every number of the mouse set against GEMMA's; exit 1 below a floor.
import { join } from "node:path";
import { mouseFolder } from "../lib/paths.mjs";
import { checkStudy } from "./study.mjs";
import { verdict } from "./verdict.mjs";

const folder = mouseFolder();
if (!folder) {
  console.log(
    "the mouse set is not here (X_MOUSE=folder with mouse_hs1940.bed and ref/): nothing was checked",
  );
  process.exit(1);
}
const at = (name) => join(folder, name);
const found = await checkStudy({
  bfile: at("mouse_hs1940"),
  reference: {
    kinship: at("ref/k1.cXX.lower.txt.gz"),
    eigenD: at("ref/eig.eigenD.txt.gz"),
    runs: [
      { label: "lmm 1", assoc: at("ref/lmm1.assoc.txt.gz"), log: at("ref/lmm1.log.txt") },
      {
        label: "lmm 1, two covariates",
        assoc: at("ref/lmm1_cov2.assoc.txt.gz"),
        log: at("ref/lmm1_cov2.log.txt"),
        covariates: at("covar2.txt"),
      },
    ],
  },
});
verdict("accuracy-lmm-mouse", "mouse HS1940 against GEMMA 0.98.5", found);
