import { type CliCommand, type CliContext, checkOutputDir, formatFixed3, OutputFiles } from "@x/core/base";
import { PHASE_CLI_OPTIONS } from "./cli-phase-options.ts";
import { readPedigree, readSampleList } from "./lists.ts";
import { phase } from "./phase.ts";
import type { PhaseOptions } from "./phase-options.ts";
import type { PhaseConflict, PhaseSummary } from "./phase-summary.ts";
import { outputByName, writeBcf, writeVcf } from "./write-vcf.ts";

/** `phaser phase`: haplotypes from genotypes. */
export const phaseCommand: CliCommand = {
  name: "phase",
  summary: "phase genotypes; rows of one position together, so that no haplotype gets two ALTs",
  random: true,
  options: PHASE_CLI_OPTIONS,
  examples: [
    "phaser phase --input x.vcf.gz --map m.gmap.gz --region 20 --output out.bcf --seed 1 --threads 2",
    "phaser phase --input x.bcf --reference panel.bcf --pedigree trios.fam --output out.vcf.gz --confidence",
  ],
  async run(context) {
    const o = context.options;
    const { signal, onProgress } = context;
    const output = String(o.output);
    const kind = outputByName(output);
    const tables = [o.conflicts, o["mendel-errors"], o.log].filter((path) => path !== undefined).map(String);
    // Hours of work should not end at a folder that is not there.
    for (const path of [output, ...tables]) checkOutputDir(path);
    await using phased = phase(String(o.input), await optionsOf(context));
    const summary = await phased.summary;
    const writing = {
      joinMultiallelic: o["join-multiallelic"] === true,
      keepExcluded: o["keep-excluded"] === true,
      signal,
      onProgress,
    };
    const written = await (kind === "bcf" ? writeBcf : writeVcf)(phased, output, writing);
    const table = async (path: unknown, lines: readonly string[]): Promise<void> => {
      if (path === undefined) return;
      await using files = new OutputFiles({ signal });
      await files.open(String(path)).write(`${lines.join("\n")}\n`);
      written.push(...(await files.commit()));
    };
    await table(o.conflicts, conflictLines(await phased.conflicts()));
    const errors = (await phased.mendelErrors()).map((e) => `${e.position}\t${e.child}`);
    await table(o["mendel-errors"], ["position\tchild", ...errors]);
    const lines = summaryLines(summary);
    await table(o.log, [...lines, "", ...iterationLines(summary)]);
    if (!context.json && !context.quiet && output !== "-") for (const line of lines) context.print(line);
    return { ...summary, written };
  },
};

/** Files named on the command line are read; numbers keep their names. */
async function optionsOf(context: CliContext): Promise<PhaseOptions> {
  const o = context.options;
  const { signal } = context;
  const given = <T>(name: string, value: (text: never) => T): T | undefined =>
    o[name] === undefined ? undefined : value(o[name] as never);
  const text = (name: string): string | undefined => given(name, String);
  const number = (name: string): number | undefined => given(name, Number);
  const list = async (name: string): Promise<string[] | undefined> => {
    const path = text(name);
    return path === undefined ? undefined : await readSampleList(path, { signal, warn: context.warn });
  };
  const pedigree = text("pedigree");
  const all = {
    map: text("map"),
    region: text("region"),
    buffer: number("buffer"),
    samples: await list("samples"),
    reference: text("reference"),
    scaffold: text("scaffold"),
    pedigree: pedigree === undefined ? undefined : await readPedigree(pedigree, { signal }),
    haploids: await list("haploids"),
    minMaf: number("filter-maf"),
    supersiteConflict: text("supersite-conflict"),
    enforceOneAlleleSupersite: o["enforce-oneallele-supersite"] !== false,
    supersitePbwt: o["supersite-pbwt"] !== false,
    supersiteImputation: text("supersite-imputation"),
    supersiteAnchor: text("supersite-anchor"),
    keepMissing: o["keep-missing"] === true,
    useGl: o["use-gl"] === true,
    confidence: o.confidence === true,
    mcmcIterations: text("mcmc-iterations"),
    mcmcPrune: number("mcmc-prune"),
    pbwtDepth: number("pbwt-depth"),
    pbwtModulo: number("pbwt-modulo"),
    pbwtMac: number("pbwt-mac"),
    pbwtMdr: number("pbwt-mdr"),
    pbwtWindow: number("pbwt-window"),
    hmmWindow: number("hmm-window"),
    hmmDonors: number("hmm-donors"),
    effectiveSize: number("hmm-ne"),
    seed: context.seed,
    threads: context.threads,
    memoryLimit: context.memoryLimit,
    signal,
    warn: context.warn,
    onProgress: context.onProgress,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as PhaseOptions;
}

function conflictLines(conflicts: readonly PhaseConflict[]): string[] {
  const rows = conflicts.map((c) => [c.source, c.position, c.sample, c.rows, c.excluded].join("\t"));
  return ["source\tposition\tsample\trows\texcluded", ...rows];
}

/** Counted by position, beside others that are counted by record. */
const POSITIONS: ReadonlySet<string> = new Set(["counts_min_maf", "counts_no_alt"]);

/** `name<TAB>value`; names of groups go before those of their members. */
function summaryLines(summary: PhaseSummary): string[] {
  const lines: string[] = [];
  const add = (prefix: string, values: object): void => {
    for (const [name, value] of Object.entries(values)) {
      const counted = `${prefix}${name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}`;
      const shown = POSITIONS.has(counted) ? `${counted}_positions` : counted;
      if (Array.isArray(value) || value === null) continue;
      if (typeof value === "object") add(`${shown}_`, value);
      else
        lines.push(
          `${shown}\t${Number.isInteger(value) || typeof value === "string" ? value : formatFixed3(value)}`,
        );
    }
  };
  add("", { ...summary, iterations: summary.iterations.length });
  return lines;
}

function iterationLines(summary: PhaseSummary): string[] {
  const rows = summary.iterations.map((i) =>
    [i.number, i.stage, formatFixed3(i.meanDonors), formatFixed3(i.meanSegments)].join("\t"),
  );
  return ["iteration\tstage\tmean_donors\tmean_segments", ...rows];
}
