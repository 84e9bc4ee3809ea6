import { baselineBytes, isXError, requireMemory, resolveThreads } from "@x/core/base";
import type { RecordBatch } from "apache-arrow";
import { phaserFileError } from "./errors.ts";
import { type GeneticMap, mapFor } from "./genetic-map.ts";
import { Loci } from "./loci.ts";
import { readPositions } from "./native.ts";
import { type LociReadOptions, openVcf } from "./open-vcf.ts";
import type { PhaseOptions } from "./phase-options.ts";
import { phaseMemory } from "./plan.ts";
import { LAST_POSITION, parseRegion, widened } from "./region.ts";

/** Arrow genotype batches of one chromosome in order of position, as `@x/plink-io` makes them. */
export interface BatchTargets {
  /** `packed` or `int8`; A1 is ALT. */
  readonly batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>;
  /** Names of the people, in the order of the genotypes. */
  readonly names: readonly string[];
}

/** What can be phased: a VCF or BCF, loci that were read, or Arrow batches. Loci given are not changed. */
export type PhaseTargets = string | Loci | BatchTargets;

/** Everything a run reads. */
export interface PhaseInputs {
  readonly target: Loci;
  readonly reference: Loci | undefined;
  readonly scaffold: Loci | undefined;
  readonly map: GeneticMap;
  /** Of the target's positions. */
  readonly cm: Float64Array;
  /** First and last position of the result. */
  readonly own: readonly [number, number];
}

/** Reads them; loci opened here are added to `opened`, also when a later file fails. */
export async function readInputs(
  targets: PhaseTargets,
  o: PhaseOptions,
  opened: Loci[],
): Promise<PhaseInputs> {
  const keep = (loci: Loci): Loci => {
    opened.push(loci);
    return loci;
  };
  const own: [number, number] = [0, LAST_POSITION];
  let target: Loci;
  let map: GeneticMap | undefined;
  if (typeof targets === "string") {
    const file = await openVcf(targets, signalOf(o));
    const names = file.contigs.map((c) => c.name);
    const asked = o.region === undefined ? undefined : parseRegion(o.region, names);
    if (asked) [own[0], own[1]] = [asked.from, asked.to];
    const region = asked && widened(asked, o.buffer ?? 0);
    const found = await readPositions(targets, region ?? null, {
      signal: o.signal,
      stage: "positions",
    });
    map = await mapFor(o.map, found.chrom, o.signal);
    await preflight(o, found, file.samples.length, map);
    target = keep(await file.loci({ ...reading(o), ...(region === undefined ? {} : { region }) }));
  } else if (targets instanceof Loci) {
    target = targets;
  } else {
    const { lociFromBatches } = await import("./loci-from-batches.ts");
    target = keep(await lociFromBatches(targets.batches, { ...fromBatches(o), names: targets.names }));
  }
  const { chrom, positions, samples } = target;
  map ??= await mapFor(o.map, chrom, o.signal);
  if (typeof targets !== "string") await preflight(o, { positions }, samples.length, map);
  const region = widened({ chrom, from: positions[0]!, to: positions.at(-1)! }, 0);
  const panel = async (role: "reference" | "scaffold"): Promise<Loci | undefined> => {
    const given = o[role];
    if (given === undefined || given instanceof Loci) return given;
    const file = await openVcf(given, signalOf(o));
    const haploids = role === "scaffold" && o.haploids ? { haploids: o.haploids } : {};
    try {
      return keep(await file.loci({ ...following(o), ...haploids, region, role }));
    } catch (e) {
      if (!isXError(e, "NO_VARIANTS") || !e.details.outsideRegion) throw e;
      const what = role === "reference" ? "panel" : "scaffold";
      const place = `${chrom}:${positions[0]}-${positions.at(-1)}`;
      const message = `the ${what} has no variant that can be used in ${place}, where those to phase lie; is it of another region or build?`;
      throw phaserFileError("NO_COMMON_VARIANTS", given, message, { ...e.details, cause: e });
    }
  };
  const reference = await panel("reference");
  const scaffold = await panel("scaffold");
  return { target, reference, scaffold, map, cm: map.at(positions), own };
}

function signalOf(o: PhaseOptions): { signal?: AbortSignal } {
  return o.signal ? { signal: o.signal } : {};
}

/** Cancel, progress and warnings. */
function following(o: PhaseOptions): LociReadOptions {
  return {
    ...signalOf(o),
    ...(o.onProgress ? { onProgress: o.onProgress } : {}),
    ...(o.warn ? { warn: o.warn } : {}),
  };
}

/** How rows become loci, wherever they come from. */
function combining(o: PhaseOptions): LociReadOptions {
  return {
    ...(o.minMaf === undefined ? {} : { minMaf: o.minMaf }),
    ...(o.supersiteConflict === undefined ? {} : { supersiteConflict: o.supersiteConflict }),
    ...(o.enforceOneAlleleSupersite === false ? { splitRows: true } : {}),
    ...(o.haploids === undefined ? {} : { haploids: o.haploids }),
  };
}

function reading(o: PhaseOptions): LociReadOptions {
  return {
    ...combining(o),
    ...following(o),
    ...(o.samples === undefined ? {} : { samples: o.samples }),
    likelihoods: o.useGl ?? false,
  };
}

function fromBatches(o: PhaseOptions): LociReadOptions {
  return { ...combining(o), ...signalOf(o) };
}

/** `people` are those of the file; `open` counts genotypes before they are read. */
async function preflight(
  o: PhaseOptions,
  { positions, open }: { positions: Uint32Array; open?: Uint32Array },
  people: number,
  map: GeneticMap,
): Promise<void> {
  const { reference, memoryLimit } = o;
  const panel = typeof reference === "string" ? await openVcf(reference, signalOf(o)) : reference;
  const cm = map.at([positions[0]!, positions.at(-1)!]);
  const samples = (o.samples ?? { length: people }).length;
  const { parts, total } = phaseMemory({
    positions: positions.length,
    samples,
    referenceSamples: panel?.samples.length ?? 0,
    cm: cm[1]! - cm[0]!,
    ...(open ? { open: (open.reduce((a, b) => a + b, 0) * samples) / Math.max(people, 1) } : {}),
    threads: resolveThreads(o.threads),
  });
  const hint = "phase pieces instead, as planChunks (phaser plan) cuts them, and ligate them.";
  // What was read already is part of the process, and of the plan.
  const process = open ? [{ name: "this process so far", bytes: baselineBytes() }] : [];
  const plan = {
    parts: [...process, ...parts],
    total: process.reduce((sum, part) => sum + part.bytes, total),
  };
  requireMemory(plan, { memoryLimit, hint });
}
