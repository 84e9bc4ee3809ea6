import { requireMemory } from "@x/core/base";
import type { RecordBatch } from "apache-arrow";
import { type GeneticMap, mapFor } from "./genetic-map.ts";
import { Loci } from "./loci.ts";
import { lociFromBatches } from "./loci-from-batches.ts";
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
    const { chrom, positions } = await readPositions(targets, region ?? null, {
      signal: o.signal,
      stage: "positions",
    });
    map = await mapFor(o.map, chrom, o.signal);
    await preflight(o, positions, (o.samples ?? file.samples).length, map);
    target = keep(await file.loci({ ...reading(o), ...(region === undefined ? {} : { region }) }));
  } else if (targets instanceof Loci) {
    target = targets;
  } else {
    target = keep(await lociFromBatches(targets.batches, { ...fromBatches(o), names: targets.names }));
  }
  const { chrom, positions, samples } = target;
  map ??= await mapFor(o.map, chrom, o.signal);
  if (typeof targets !== "string") await preflight(o, positions, samples.length, map);
  const region = widened({ chrom, from: positions[0]!, to: positions.at(-1)! }, 0);
  const panel = async (role: "reference" | "scaffold"): Promise<Loci | undefined> => {
    const given = o[role];
    if (given === undefined || given instanceof Loci) return given;
    const file = await openVcf(given, signalOf(o));
    const haploids = role === "scaffold" && o.haploids ? { haploids: o.haploids } : {};
    return keep(await file.loci({ ...following(o), ...haploids, region, role }));
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

/** Before genotypes are read. */
async function preflight(
  o: PhaseOptions,
  positions: Uint32Array,
  samples: number,
  map: GeneticMap,
): Promise<void> {
  const { reference, memoryLimit } = o;
  const panel = typeof reference === "string" ? await openVcf(reference, signalOf(o)) : reference;
  const cm = map.at([positions[0]!, positions.at(-1)!]);
  const size = { positions: positions.length, samples, cm: cm[1]! - cm[0]! };
  const hint = "phase pieces instead, as planChunks (phaser plan) cuts them, and ligate them.";
  const plan = phaseMemory({ ...size, referenceSamples: panel?.samples.length ?? 0 });
  requireMemory(plan, { memoryLimit, hint });
}
