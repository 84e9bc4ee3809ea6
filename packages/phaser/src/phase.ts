import type { Warn, Warning } from "@x/core/base";
import { checkPeople } from "./check-people.ts";
import { numberedFamilies } from "./lists.ts";
import { Loci, type LociCounts } from "./loci.ts";
import { now, type PhaseInfo, type PhaseLog, phaseLoci, phaseLog } from "./native.ts";
import { type PhaseInputs, type PhaseTargets, readInputs } from "./phase-inputs.ts";
import { checkPhaseOptions, type EngineOptions, type PhaseOptions } from "./phase-options.ts";
import type { PhaseConflict, PhaseIteration, PhaseSummary } from "./phase-summary.ts";
import { Phased, type PhaseResult } from "./phased.ts";

/**
 * Phases the genotypes of one chromosome: segments with up to eight haplotypes each, conditioning haplotypes chosen by the
 * positional Burrows–Wheeler transform, and a Li–Stephens model, after SHAPEIT4 (Delaneau et al. 2019, Nature
 * Communications 10:5436) and SHAPEIT5 (Hofmeister et al. 2023, Nature Genetics 55:1243). Rows of one position are one
 * locus and a haplotype carries one code of it, so no haplotype can get two ALTs. Observed genotypes keep their alleles;
 * missing ones are imputed, or kept missing. Random numbers depend on seed, iteration and sample: the same bytes for any
 * number of threads. The run begins when the result is first asked for.
 *
 * @throws OPTION_RANGE, OPTION_CHOICE, OPTION_CONFLICT, UNKNOWN_OPTION at once; later NO_VARIANTS (it says which filter
 * removed how many), NO_COMMON_VARIANTS, NO_COMMON_SAMPLES, SAMPLE_UNKNOWN, PEDIGREE, MAP_CHROM, REFERENCE_UNPHASED, PLOIDY,
 * SUPERSITE_CONFLICT, BAD_SCHEDULE, MEM_PREFLIGHT and the errors of reading.
 */
export function phase(targets: PhaseTargets, options: PhaseOptions = {}): Phased {
  const kind = typeof targets === "string" ? "file" : targets instanceof Loci ? "loci" : "batches";
  const engine = checkPhaseOptions(options, kind);
  return new Phased(() => run(targets, options, engine));
}

async function run(targets: PhaseTargets, o: PhaseOptions, engine: EngineOptions): Promise<PhaseResult> {
  const started = performance.now();
  const opened: Loci[] = [];
  try {
    const inputs = await readInputs(targets, o, opened);
    const { target, reference, scaffold, map, cm, own } = inputs;
    const samples = target.samples;
    const families = numberedFamilies(o.pedigree ?? [], samples);
    checkPeople(o, samples);
    const conflicts = listConflicts(inputs);
    const read = {
      counts: target.counts,
      reference: reference?.counts,
      scaffold: scaffold?.counts,
      seconds: (performance.now() - started) / 1000,
    };
    const log = phaseLog();
    const outcome = await phaseLoci(
      log,
      { target: target.native, reference: reference?.native, scaffold: scaffold?.native },
      cm,
      {
        ...engine,
        takeTarget: opened.includes(target),
        takeReference: reference !== undefined && opened.includes(reference),
        from: own[0],
        to: own[1],
        trios: families.flat(),
        haploids: [...(o.haploids ?? [])],
      },
      { signal: o.signal, stage: "phasing", onProgress: o.onProgress && withIterations(o.onProgress, log) },
    );
    const info = now(() => outcome.info());
    const loci = new Loci(now(() => outcome.loci()));
    const summary = summarise(loci, info, read, families, o, engine.seed);
    warnAbout(summary, conflicts, o.warn);
    const { phaseConfidence: phases, codeConfidence: codes } = info;
    const mendelErrors = Array.from(info.mendelPositions, (position, i) => ({
      position,
      child: samples[info.mendelChildren[i]!]!,
    }));
    const confidence = phases && codes ? { phase: phases, codes } : null;
    return { loci, map, summary, confidence, conflicts, mendelErrors };
  } finally {
    for (const loci of opened) loci.release();
  }
}

/** Adds the last iteration to reports, and a report for every one that ended in between. */
function withIterations(onProgress: NonNullable<PhaseOptions["onProgress"]>, log: PhaseLog) {
  let last: PhaseIteration | undefined;
  let seen = 0;
  return (p: { stage: string; done: number; total: number }): void => {
    for (const iteration of now(() => log.after(seen))) {
      last = iteration as PhaseIteration;
      seen++;
      if (seen < last.of) onProgress({ ...p, done: (p.total / last.of) * seen, iteration: last });
    }
    onProgress(last ? { ...p, iteration: last } : p);
  };
}

function listConflicts({ target, reference, scaffold }: PhaseInputs): PhaseConflict[] {
  const of = (source: PhaseConflict["source"], loci: Loci | undefined): PhaseConflict[] =>
    loci?.conflicts().map((c) => ({ source, ...c })) ?? [];
  return [...of("target", target), ...of("reference", reference), ...of("scaffold", scaffold)];
}

interface Read {
  readonly counts: LociCounts;
  readonly reference: LociCounts | undefined;
  readonly scaffold: LociCounts | undefined;
  readonly seconds: number;
}

function summarise(
  loci: Loci,
  info: PhaseInfo,
  read: Read,
  families: readonly [number, number, number][],
  o: PhaseOptions,
  seed: number,
): PhaseSummary {
  const { supersites, supersiteRows } = loci.counts;
  const iterations = info.iterations as PhaseIteration[];
  const main = iterations.filter((i) => i.stage === "main").map((i) => i.meanDonors);
  const children = families.filter(([child]) => child >= 0);
  const parents = ([, father, mother]: [number, number, number]): number =>
    Number(father >= 0) + Number(mother >= 0);
  const { reference, scaffold } = info;
  return Object.freeze({
    chrom: loci.chrom,
    samples: loci.samples.length,
    positions: loci.length,
    rows: loci.rows,
    supersites,
    supersiteRows,
    supersitesUnordered: info.supersitesUnordered,
    orderingPositions: info.orderingLoci,
    counts: read.counts,
    reference: reference ? { ...reference, conflictPositions: read.reference?.conflictPositions ?? 0 } : null,
    scaffold: scaffold
      ? {
          samples: scaffold.samples,
          positions: scaffold.loci,
          oriented: scaffold.genotypes,
          disagree: scaffold.disagree,
          notExpressible: scaffold.notExpressible,
          turned: scaffold.turned,
          conflictPositions: read.scaffold?.conflictPositions ?? 0,
        }
      : null,
    pedigree: o.pedigree
      ? {
          trios: children.filter((f) => parents(f) === 2).length,
          duos: children.filter((f) => parents(f) === 1).length,
          oriented: info.inherited,
          filled: info.filled,
          mendelErrors: info.mendelPositions.length,
        }
      : null,
    haploidHets: info.haploidHets,
    missing: info.missing,
    stillMissing: info.stillMissing,
    weighted: info.weighted,
    recalled: info.recalled,
    ibd2: info.ibd2,
    iterations,
    meanDonors: main.reduce((sum, k) => sum + k, 0) / Math.max(1, main.length),
    seed,
    seconds: {
      reading: read.seconds,
      firstGuess: info.firstGuess,
      selection: info.selection,
      model: info.model,
    },
  });
}

/** What users should know although it did not stop the run. */
function warnAbout(s: PhaseSummary, conflicts: readonly PhaseConflict[], warn: Warn | undefined): void {
  const tell = (code: Warning["code"], count: number, message: string): void => {
    if (count > 0) warn?.({ code, message, details: { count } });
  };
  const left = new Set(conflicts.filter((c) => c.excluded).map((c) => `${c.source} ${c.position}`)).size;
  const conflict = `${left} positions were left out: a sample has more ALT alleles than haplotypes there`;
  tell("SUPERSITE_CONFLICT", left, conflict);
  tell(
    "HAPLOID_HETS",
    s.haploidHets,
    `${s.haploidHets} heterozygous genotypes of haploid samples were taken for missing`,
  );
  const mendel = s.pedigree?.mendelErrors ?? 0;
  tell("MENDEL", mendel, `${mendel} genotypes of children cannot come from their parents`);
}
