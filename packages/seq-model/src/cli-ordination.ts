import {
  type CliCommand,
  type CliContext,
  type FileUse,
  option,
  type RunOptions,
  writeFileAtomic,
} from "@x/core/base";
import { runOptions, writeTsv } from "./cli-inputs.ts";
import { readDistances } from "./distance-files.ts";
import { pcoa } from "./pcoa.ts";
import { pcoaSvg } from "./pcoa-svg.ts";
import { permanova } from "./permanova.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";

/** The matrix; the names of an .npy lie beside it. */
const MATRIX_USE: FileUse = { role: "input", endings: [".ids.txt"] };

/** `seq-model pcoa`. */
export const pcoaCommand: CliCommand = {
  name: "pcoa",
  summary: "principal coordinates of a distance matrix, as a table and a picture",
  positionals: ["MATRIX"],
  files: [MATRIX_USE],
  options: [
    option.int("axes", "axes to keep", { range: { min: 1 }, default: 10, value: "N" }),
    option.output("out", "coordinates (.tsv)", { aliases: ["-o"], required: true }),
    option.output("svg", "picture of the first two axes"),
    option.input("metadata", "sample metadata, for --colour"),
    option.text("colour", "column that colours the samples", { aliases: ["--color"], value: "COLUMN" }),
  ],
  examples: [
    "seq-model pcoa unweighted.npy --out pcoa.tsv --svg pcoa.svg --metadata metadata.tsv --colour age",
  ],
  async run(context) {
    const { options, signal } = context;
    using matrix = await readDistances(context.positionals[0]!, { signal });
    const { seed: _, ...run } = runOptions(context) as RunOptions;
    const found = await pcoa(matrix, { ...run, axes: Number(options.axes) });
    const axis = (a: number): Float64Array => found.coordinates.filter((_, at) => at % found.axes === a);
    const columns = Array.from({ length: found.axes }, (_, a) => ({ name: `axis${a + 1}`, values: axis(a) }));
    await writeTsv(String(options.out), [{ name: "sample_id", values: found.ids }, ...columns], signal);
    if (options.svg !== undefined) {
      const colour = await colourOf(context, found.ids);
      await writeFileAtomic(String(options.svg), pcoaSvg(found, colour), { signal });
    }
    const explained = Array.from(found.explained);
    return {
      samples: found.ids.length,
      eigenvalues: found.eigenvalues,
      explained,
      negativeShare: found.negativeShare,
    };
  },
};

/** `seq-model permanova`. */
export const permanovaCommand: CliCommand = {
  name: "permanova",
  summary: "do groups of samples differ? a permutation test on a distance matrix",
  positionals: ["MATRIX"],
  files: [MATRIX_USE],
  random: true,
  options: [
    option.input("metadata", "sample metadata", { required: true }),
    option.text("column", "column that groups the samples", { value: "COLUMN", required: true }),
    option.int("permutations", "permutations", { range: { min: 0 }, default: 999, value: "N" }),
  ],
  examples: ["seq-model permanova unweighted.npy --metadata metadata.tsv --column body-site"],
  async run(context) {
    const { options, signal, onProgress, seed = 0, threads } = context;
    using matrix = await readDistances(context.positionals[0]!, { signal });
    const metadata = await metadataFor(context, matrix.ids);
    const groups = metadata
      .column(String(options.column))
      .values.map((v) => (v === null ? "(missing)" : String(v)));
    const permutations = Number(options.permutations);
    const found = await permanova(matrix, groups, {
      permutations,
      seed,
      signal,
      onProgress,
      ...(threads === undefined ? {} : { threads }),
    });
    const { pseudoF, r2, p } = found;
    if (!context.json)
      context.print(
        `pseudo-F ${pseudoF.toPrecision(6)}  R² ${r2.toFixed(4)}  p ${p} (${permutations} permutations)`,
      );
    return { pseudoF, r2, p, permutations, groups: Object.fromEntries(found.groups) };
  },
};

async function metadataFor({ options, signal }: CliContext, ids: readonly string[]): Promise<Metadata> {
  return (await readMetadata(String(options.metadata), { signal })).select(ids);
}

async function colourOf(context: CliContext, ids: readonly string[]): Promise<Parameters<typeof pcoaSvg>[1]> {
  const { colour, metadata } = context.options;
  if (colour === undefined || metadata === undefined) return {};
  return { colour: (await metadataFor(context, ids)).column(String(colour)), label: String(colour) };
}
