import { basename } from "node:path";
import {
  type CliCommand,
  type CliContext,
  type FileUse,
  option,
  type RunOptions,
  writeFileAtomic,
  xError,
} from "@x/core/base";
import { checkEndings, runOptions, writeTsv } from "./cli-inputs.ts";
import { readDistances } from "./distance-files.ts";
import { DistanceMatrix } from "./distance-matrix.ts";
import { listIds } from "./errors.ts";
import { type Pcoa, pcoa } from "./pcoa.ts";
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
    option.int("axes", "axes to keep; 10, or as many as there are", { range: { min: 1 }, value: "N" }),
    option.output("out", "coordinates (.tsv)", { aliases: ["-o"], required: true }),
    option.output("svg", "picture of the first two axes (.svg)"),
    option.input("metadata", "sample metadata, for --colour"),
    option.text("colour", "column that colours the samples", { aliases: ["--color"], value: "COLUMN" }),
  ],
  examples: [
    "seq-model pcoa unweighted.npy --out pcoa.tsv --svg pcoa.svg --metadata metadata.tsv --colour age",
  ],
  async run(context) {
    const { options, signal } = context;
    checkColour(context);
    checkEndings(context, { out: ["tsv", "txt"], svg: ["svg"] });
    using matrix = await readDistances(context.positionals[0]!, { signal });
    const { seed: _, ...run } = runOptions(context) as RunOptions;
    const found = await pcoa(matrix, { ...run, axes: Number(options.axes ?? 10) });
    tellAxes(context, found);
    const axis = (a: number): Float64Array => found.coordinates.filter((_, at) => at % found.axes === a);
    const columns = Array.from({ length: found.axes }, (_, a) => ({ name: `axis${a + 1}`, values: axis(a) }));
    await writeTsv(String(options.out), [{ name: "sample_id", values: found.ids }, ...columns], signal);
    if (options.svg !== undefined) {
      const colour = await colourOf(context, found.ids);
      // An .npy does not say its metric; its name often does.
      const of = matrix.metric === "unknown" ? basename(context.positionals[0]!) : matrix.metric;
      const svg = pcoaSvg(found, { ...colour, title: `Principal coordinates, ${of}` });
      await writeFileAtomic(String(options.svg), svg, { signal });
    }
    const explained = Array.from(found.explained);
    if (!context.json && ![options.out, options.svg].includes("-"))
      for (const line of pcoaLines(found)) context.print(line);
    return {
      samples: found.ids.length,
      eigenvalues: found.eigenvalues,
      explained,
      negativeShare: found.negativeShare,
    };
  },
};

/** Options that would have no effect are refused before anything is read. */
function checkColour({ options }: CliContext): void {
  const refuse = (code: "OPTION_MISSING" | "OPTION_CHOICE", message: string): never => {
    throw xError(code, message, { usage: true });
  };
  const { colour, metadata, svg } = options;
  if (colour !== undefined && svg === undefined)
    refuse("OPTION_MISSING", "--colour colours the picture: give --svg FILE");
  if (colour !== undefined && metadata === undefined)
    refuse("OPTION_MISSING", "--colour is a column of the metadata: give --metadata FILE");
  if (colour === undefined && metadata !== undefined)
    refuse("OPTION_CHOICE", "--metadata has no effect without --colour COLUMN");
}

/** Warns where there are fewer axes than were asked for. */
function tellAxes({ options, warn }: CliContext, { axes, ids }: Pcoa): void {
  if (options.axes === undefined || Number(options.axes) <= axes) return;
  const message = `--axes ${options.axes}: ${ids.length} samples have ${axes} axes with a positive eigenvalue; these were written`;
  warn({ code: "AXES_FEWER", message, details: { asked: Number(options.axes), axes } });
}

/** What the axes are worth. */
function pcoaLines({ ids, explained, negativeShare }: Pcoa): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const shares = Array.from(explained, (share, a) => `axis ${a + 1} ${percent(share)}`);
  return [
    `${ids.length} samples; share of the variation: ${shares.join(", ")}`,
    `negative eigenvalues: ${percent(negativeShare)} of the positive ones (0 for distances of points in space)`,
  ];
}

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
    option.int("permutations", "permutations", { range: { min: 1 }, default: 999, value: "N" }),
    option.flag("drop-missing", "leave out samples without metadata, or without a value in the column"),
  ],
  examples: ["seq-model permanova unweighted.npy --metadata metadata.tsv --column group"],
  async run(context) {
    const { options, signal, onProgress, seed = 0, threads } = context;
    using whole = await readDistances(context.positionals[0]!, { signal });
    const column = String(options.column);
    const known = await readMetadata(String(options.metadata), { signal });
    using chosen = options["drop-missing"] === true ? withValue(context, whole, known, column) : undefined;
    const matrix = chosen ?? whole;
    const { values } = known.select(matrix.ids).column(column);
    const missing = matrix.ids.filter((_, s) => values[s] === null);
    if (missing.length > 0) {
      const message = `${missing.length} samples have no ${column} and count as a group of their own, (missing): ${listIds(missing)}; --drop-missing leaves them out`;
      context.warn({ code: "GROUP_MISSING", message, details: { samples: missing } });
    }
    const groups = values.map((v) => (v === null ? "(missing)" : String(v)));
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

/** The distances of samples that have a value in the column; undefined where all have one. */
function withValue(
  { warn }: CliContext,
  matrix: DistanceMatrix,
  known: Metadata,
  column: string,
): DistanceMatrix | undefined {
  const { values } = known.column(column);
  const has = new Set(known.ids.filter((_, row) => values[row] !== null));
  const places = matrix.ids.flatMap((id, s) => (has.has(id) ? [s] : []));
  const { n } = matrix;
  if (places.length === n) return undefined;
  const dropped = matrix.ids.filter((id) => !has.has(id));
  const message = `${dropped.length} of ${n} samples have no ${column} and were left out: ${listIds(dropped)}`;
  warn({ code: "SAMPLES_DROPPED", message, details: { samples: dropped } });
  const square = new Float64Array(places.length ** 2);
  places.forEach((i, row) => {
    const distances = matrix.tile(i, 1, 0, n);
    places.forEach((j, col) => {
      square[row * places.length + col] = distances[j]!;
    });
  });
  return DistanceMatrix.fromSquare(
    square,
    places.map((s) => matrix.ids[s]!),
    matrix.metric,
  );
}

async function metadataFor({ options, signal }: CliContext, ids: readonly string[]): Promise<Metadata> {
  return (await readMetadata(String(options.metadata), { signal })).select(ids);
}

async function colourOf(context: CliContext, ids: readonly string[]): Promise<Parameters<typeof pcoaSvg>[1]> {
  const { colour, metadata } = context.options;
  if (colour === undefined || metadata === undefined) return {};
  return { colour: (await metadataFor(context, ids)).column(String(colour)), label: String(colour) };
}
