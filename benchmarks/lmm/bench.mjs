import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { mouseFolder, ours, root } from "../lib/paths.mjs";
import { markdown, raceTable, ratio, seconds } from "../lib/tables.mjs";

/** GEMMA's products are OpenBLAS's: it is raced at each of these thread counts, and its best one counts. */
const GEMMA_THREADS = availableParallelism() > 1 ? [1, 2] : [1];

export default {
  title: "kinship and association, whole commands, against GEMMA",
  async run(context) {
    const { peers, note, large, scratch } = context;
    if (!peers.gemma) note("without gemma only our own times are printed");
    const tables = [];
    const data = {};
    const mouse = mouseFolder();
    if (mouse) {
      await study("mouse HS1940", join(mouse, "mouse_hs1940"), context, tables, data);
    } else {
      note("the mouse set is not here (X_MOUSE=folder); the demo set stands in, too small to time well");
      await study("demo", join(root, "fixtures/demo/demo"), context, tables, data);
    }
    if (large) {
      const prefix = join(scratch, "sim");
      const size = ["--people", "5000", "--snps", "20000", "--families", "500", "--chromosomes", "20"];
      spawnSync(process.execPath, [join(root, "fixtures/generate.mjs"), "--out", prefix, ...size], {
        stdio: "inherit",
      });
      // At this size the products decide, so GEMMA gets every core, once; the whole route is the sum of its parts.
      const large = { ...context, repeats: 1, gemmaThreads: GEMMA_THREADS.slice(-1), wholeRoute: false };
      await study("simulated n=5000 p=20,000", prefix, large, tables, data);
    }
    return { tables, data };
  },
};

/** Seconds that a log gives for the variants: rotation (GEMMA alone names it) and optimisation. */
function stage(path) {
  if (!existsSync(path)) return null;
  const times = [
    ...readFileSync(path, "utf8").matchAll(/time on (?:calculating UtX|optimization) = (\S+) min/g),
  ];
  return times.length === 0 ? null : times.reduce((sum, [, minutes]) => sum + 60 * Number(minutes), 0);
}

/** Races on one fileset: the kinship, one test and all of them from a kinship file, and everything in one go. */
async function study(title, bfile, context, tables, data) {
  const { peers, scratch, race, repeats, gemmaThreads = GEMMA_THREADS, wholeRoute = true } = context;
  const out = ["-outdir", scratch];
  const gemma = (name, commands) =>
    peers.gemma
      ? gemmaThreads.map((threads) => ({
          name: `gemma ${name}, ${threads} thread${threads > 1 ? "s" : ""}`,
          steps: commands.map((args) => ({
            command: "gemma",
            args: ["-bfile", bfile, ...args, ...out],
            env: { OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) },
          })),
        }))
      : [];
  const jamma = (name, args) =>
    peers.jamma && wholeRoute
      ? [
          {
            name: `jamma ${name}`,
            steps: [{ command: "jamma", args: ["-bfile", bfile, ...args, "--no-telemetry", ...out] }],
          },
        ]
      : [];
  const lmm = (name, ...commands) => ({
    name: `lmm ${name}`,
    steps: commands.map((args) => ours("lmm", args)),
  });

  const races = {
    kinship: [
      ...gemma("-gk 1", [["-gk", "1", "-o", "k"]]),
      ...jamma("-gk 1", ["-gk", "1", "-o", "jamma"]),
      lmm("-gk 1, text and fsync", ["-bfile", bfile, "-gk", "1", "-o", "ours", ...out]),
      lmm("-gk 1, Arrow", ["-bfile", bfile, "-gk", "1", "--format", "arrow", "-o", "ours-arrow", ...out]),
    ],
    "association from a kinship file": [
      ...gemma("-lmm 1", [["-k", join(scratch, "k.cXX.txt"), "-lmm", "1", "-o", "l"]]),
      ...jamma("-lmm 1", ["-k", join(scratch, "jamma.cXX.npy"), "-lmm", "1", "-o", "jamma"]),
      lmm("-lmm 1", [
        "-bfile",
        bfile,
        "-k",
        join(scratch, "ours.cXX.txt"),
        "-lmm",
        "1",
        "-o",
        "ours",
        ...out,
      ]),
    ],
    "all tests from a kinship file": [
      ...gemma("-lmm 4", [["-k", join(scratch, "k.cXX.txt"), "-lmm", "4", "-o", "l4"]]),
      lmm("-lmm 4", [
        "-bfile",
        bfile,
        "-k",
        join(scratch, "ours.cXX.txt"),
        "-lmm",
        "4",
        "-o",
        "ours4",
        ...out,
      ]),
    ],
  };
  if (wholeRoute) {
    races["from .bed to .assoc.txt"] = [
      ...gemma("-gk 1 + -lmm 1", [
        ["-gk", "1", "-o", "k"],
        ["-k", join(scratch, "k.cXX.txt"), "-lmm", "1", "-o", "l"],
      ]),
      lmm("gwas", ["gwas", "--bfile", bfile, "--out", join(scratch, "gwas")]),
    ];
  }
  data[title] = {};
  const best = [];
  for (const [what, contenders] of Object.entries(races)) {
    const results = await race(contenders, { repeats });
    data[title][what] = results;
    const us = Object.keys(results).filter((name) => name.startsWith("lmm"));
    tables.push(raceTable(`${title}: ${what}`, results, us));
    const walls = Object.entries(results)
      .filter(([name, { failed }]) => name.startsWith("gemma") && !failed)
      .map(([, { wall }]) => wall);
    const reference = walls.length > 0 ? Math.min(...walls) : null;
    for (const name of us)
      best.push([
        name,
        seconds(reference),
        seconds(results[name].wall),
        ratio(reference, results[name].wall),
      ]);
  }
  for (const [mode, theirs, us] of [
    ["-lmm 1", "l", "ours"],
    ["-lmm 4", "l4", "ours4"],
  ]) {
    // The last round's logs; GEMMA's stage is rotation and search, ours reads, filters and writes as well.
    const [reference, own] = [
      stage(join(scratch, `${theirs}.log.txt`)),
      stage(join(scratch, `${us}.log.txt`)),
    ];
    best.push([`lmm ${mode}, variants alone`, seconds(reference), seconds(own), ratio(reference, own)]);
    data[title][`${mode}, variants alone`] = { gemma: reference, lmm: own };
  }
  const header = ["run", "gemma", "lmm", "gemma ÷ lmm"];
  tables.push(`${title}, against GEMMA at its faster thread count\n\n${markdown(header, best)}`);
}
