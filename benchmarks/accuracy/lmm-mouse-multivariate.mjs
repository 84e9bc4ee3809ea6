// node benchmarks/accuracy/lmm-mouse-multivariate.mjs: traits 1 and 6 of the mouse set in one model against GEMMA, run here
// with Newton steps for every variant (-pnr 1), and against the reference file, where GEMMA makes them below p = 0.001
// only; exit 1 below a floor.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mouseFolder, ours } from "../lib/paths.mjs";
import { findPeers } from "../lib/peers.mjs";
import { readText, squareText } from "./reference.mjs";
import { verdict } from "./verdict.mjs";

const folder = mouseFolder();
if (!folder || !findPeers().gemma) {
  console.log("the mouse set (X_MOUSE=folder) and gemma are needed: nothing was checked");
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), "accuracy-"));
try {
  const kinship = join(scratch, "k.txt");
  writeFileSync(kinship, squareText(join(folder, "ref/k1.cXX.lower.txt.gz")));
  const flags = ["-bfile", join(folder, "mouse_hs1940"), "-k", kinship, "-n", "1", "6", "-lmm", "4"];
  const us = run(ours("lmm", [...flags, "-o", "ours", "-outdir", scratch]), "ours");
  const newton = run(
    { command: "gemma", args: [...flags, "-pnr", "1", "-o", "newton", "-outdir", scratch] },
    "newton",
  );
  const reference = read(join(folder, "ref/mvlmm4_n1_6.assoc.txt.gz"));
  const significant = (row) => row.p_wald < 1e-3;
  verdict("accuracy-lmm-mouse-multivariate", "mouse HS1940, two traits in one model, against GEMMA 0.98.5", {
    results: [
      texts(us, newton, "GEMMA -pnr 1"),
      ...compare(us, newton, "GEMMA -pnr 1", { beta: 2e-5, p_wald: 2e-5, p_lrt: 2e-5, p_score: 2e-5 }),
      texts(us, reference, "reference"),
      ...compare(
        us,
        reference,
        "reference, p_wald < 1e-3",
        { beta: 2e-3, p_wald: 2e-3, p_score: 2e-3 },
        significant,
      ),
      below(us, reference),
      // Not ours to meet: GEMMA stops before the maximum. The distance is printed, the floor only keeps it from growing.
      ...compare(us, reference, "reference, all variants", {
        beta: 2e-2,
        p_wald: 5e-2,
        p_lrt: 1e-1,
        p_score: 2e-3,
      }),
    ],
    met: {},
  });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run({ command, args }, name) {
  const done = spawnSync(command, args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr}`);
  return read(join(scratch, `${name}.assoc.txt`));
}

function read(path) {
  const [header, ...lines] = readText(path).trimEnd().split("\n");
  const names = header.split("\t");
  const rows = lines.map((line) => {
    const cells = line.split("\t");
    return {
      key: cells.slice(0, 7).join("\t"),
      ...Object.fromEntries(names.map((n, i) => [n, Number(cells[i])])),
    };
  });
  return { header, rows };
}

function texts(a, b, where) {
  const same = a.header === b.header && a.rows.length === b.rows.length;
  const different = same ? a.rows.filter((row, i) => row.key !== b.rows[i].key).length : a.rows.length;
  return { what: "columns, variants, text columns", worst: different, floor: 0, where, ok: different === 0 };
}

/** Effects in standard errors, p values in log10 over max(1, −log10 p). */
function compare(a, b, where, floors, only = () => true) {
  const worst = Object.fromEntries(Object.keys(floors).map((name) => [name, 0]));
  const grow = (name, value) => {
    if (!(value <= worst[name])) worst[name] = value;
  };
  b.rows.forEach((theirs, i) => {
    if (!only(theirs)) return;
    const row = a.rows[i];
    for (const t of [1, 2])
      grow("beta", Math.abs(row[`beta_${t}`] - theirs[`beta_${t}`]) / Math.sqrt(theirs[`Vbeta_${t}_${t}`]));
    for (const p of ["p_wald", "p_lrt", "p_score"])
      if (p in floors)
        grow(p, Math.abs(Math.log10(row[p] / theirs[p])) / Math.max(1, -Math.log10(theirs[p])));
  });
  return Object.entries(floors).map(([what, floor]) => ({
    what,
    worst: worst[what],
    floor,
    where,
    ok: worst[what] <= floor,
  }));
}

/** Both likelihoods of the ratio are maxima: of the null model they agree, so ours is lower where our p is higher. */
function below(a, b) {
  const worst = Math.max(...b.rows.map((theirs, i) => Math.log10(a.rows[i].p_lrt / theirs.p_lrt)));
  const floor = 2e-5;
  return {
    what: "log10 of our p_lrt over GEMMA's (likelihood below GEMMA's)",
    worst: Math.max(0, worst),
    floor,
    where: "reference",
    ok: worst <= floor,
  };
}
