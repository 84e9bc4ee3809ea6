import { Random } from "@x/core/base";
import { numericTarget, readBiom, readMetadata, readNewick, type Sequences } from "../../src/index.ts";
import type { ModelOptions } from "../../src/model-config.ts";
import { fixture } from "./files.ts";

const letters = (random: Random, n: number): string =>
  Array.from({ length: n }, () => "ACGT"[random.int(4)]).join("");

/** Sequences of 24 letters for features by name, always the same ones. */
export function sequencesFor(featureIds: readonly string[]): Sequences {
  return {
    ids: featureIds,
    sequences: featureIds.map((_, f) => letters(new Random(8, f), 24)),
    path: "rep-seqs.fasta",
  };
}

/** The same as a file's text. */
export function fastaFor(featureIds: readonly string[]): string {
  const { ids, sequences } = sequencesFor(featureIds);
  return ids.map((id, f) => `>${id}\n${sequences[f]}\n`).join("");
}

/** A network that trains in a second. */
export const TINY: ModelOptions = {
  dim: 8,
  heads: 2,
  poolHeads: 2,
  maxLength: 24,
  layers: { asv: 1, sample: 0 },
};

/** The fixtures' 14 samples with all that is known of them. */
export async function fixtureStudy() {
  const table = await readBiom(fixture("table.biom"));
  const tree = await readNewick(fixture("tree.nwk"));
  const metadata = (await readMetadata(fixture("metadata.tsv"))).select(table.sampleIds);
  const target = numericTarget(metadata, "age");
  const split = { train: table.sampleIds.slice(0, 10), test: table.sampleIds.slice(10), how: "by hand" };
  return { table, tree, metadata, target, split, sequences: sequencesFor(table.featureIds) };
}
