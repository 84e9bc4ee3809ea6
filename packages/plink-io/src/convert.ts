import { statSync } from "node:fs";
import { fileError, isXError, lockOutput, OutputFiles, requireMemory, xError } from "@x/core/base";
import type { Table } from "apache-arrow";
import { arrowTables } from "./lazy.ts";
import { openPlink } from "./open.ts";
import { checkRunning, silently, WRITE_OPTIONS } from "./run-options.ts";
import { hashSamples } from "./sample-hash.ts";
import type { GenotypeEncoding, GenotypeOptions, PlinkPaths } from "./types.ts";
import { type WriteOptions, type Written, writeFileset } from "./write.ts";

/** Options of {@link convert}. */
export interface ConvertOptions extends WriteOptions {
  /** How genotypes stand in the Arrow file; default `packed`, a fourth of int8. */
  as?: GenotypeEncoding;
  /** Variants a record batch. */
  chunk?: number;
}

/** The two Arrow files of a study. */
export interface ArrowPaths {
  /** Genotypes and variants: the `.arrow` or `.feather` file itself. */
  genotypes: string;
  /** The people: `.samples` before its ending. */
  samples: string;
}

/**
 * Turns a fileset into an Arrow IPC file, or back. The direction is told by the ending: `.arrow` or `.feather`. The
 * people stand beside the genotypes in `<name>.samples.arrow`. All files appear under their names, or none.
 *
 * @returns The files written: two Arrow files, or the three of a fileset.
 * @throws XError CONVERT_DIRECTION (usage: none or both ends are Arrow, or `as` or `chunk` for a fileset), ARROW_FOOTER, ARROW_OFFSETS, SAMPLE_HASH (the
 * two Arrow files are not of one study), LOCKED, OUT_EXISTS, MEM_PREFLIGHT, and the codes of openPlink and writePlink.
 */
export async function convert(
  from: string | PlinkPaths,
  to: string,
  options: ConvertOptions = {},
): Promise<Written<PlinkPaths | ArrowPaths>> {
  checkRunning(options, ["as", "chunk", ...WRITE_OPTIONS], "convert");
  const [fromArrow, toArrow] = [typeof from === "string" && isArrowPath(from), isArrowPath(to)];
  if (fromArrow === toArrow)
    throw xError(
      "CONVERT_DIRECTION",
      "convert goes between a fileset and an .arrow file: exactly one of the two names must end in .arrow or .feather.",
      { usage: true },
    );
  const shape = (["as", "chunk"] as const).find((name) => options[name] !== undefined);
  if (fromArrow && shape)
    throw xError(
      "CONVERT_DIRECTION",
      `${shape} says how an Arrow file is written; a fileset has one form only. Leave it out.`,
      {
        usage: true,
        details: { option: shape },
      },
    );
  return fromArrow ? arrowToPlink(from as string, to, options) : plinkToArrow(from, to, options);
}

/** Whether a path names an Arrow file. */
export function isArrowPath(path: string): boolean {
  return /\.(arrow|feather)$/.test(path);
}

function samplesPath(path: string): string {
  return path.replace(/(\.arrow|\.feather)$/, ".samples$1");
}

async function plinkToArrow(
  from: string | PlinkPaths,
  to: string,
  options: ConvertOptions,
): Promise<Written<ArrowPaths>> {
  const { signal, as, chunk, overwrite, onProgress } = options;
  await using study = await openPlink(from, silently(options));
  const reading: GenotypeOptions = {
    ...silently(options),
    ...(as && { as }),
    ...(chunk !== undefined && { chunk }),
  };
  const batches = async function* (): ReturnType<typeof study.genotypes> extends AsyncIterable<infer B>
    ? AsyncGenerator<B>
    : never {
    let done = 0;
    for await (const batch of study.genotypes(reading)) {
      yield batch;
      done += batch.numRows;
      onProgress?.({ stage: "writing", done, total: study.p });
    }
  };
  const { toIpc, writeIpc } = await import("@x/core");
  const writing = { overwrite: overwrite ?? true, signal };
  await using _lock = lockOutput(to);
  await using files = new OutputFiles(writing);
  await writeIpc(files.open(to), batches());
  await files.open(samplesPath(to)).write(toIpc(study.samples, "file"));
  await files.commit();
  return { paths: { genotypes: to, samples: samplesPath(to) }, samples: study.n, variants: study.p };
}

async function arrowToPlink(from: string, to: string, options: ConvertOptions): Promise<Written> {
  const { readIpcFile } = await import("@x/core");
  checkMemory([from, samplesPath(from)], options.memoryLimit);
  const genotypes = await readIpcFile(from);
  const samples = await readIpcFile(samplesPath(from));
  await checkPair(from, genotypes, samples);
  return writeFileset(to, { samples, genotypes: genotypes.batches }, options);
}

/** Arrow files are read whole. */
function checkMemory(paths: readonly string[], memoryLimit: number | undefined): void {
  const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const parts = paths.map((path) => ({ name: path, bytes: size(path) }));
  requireMemory({ parts, total: parts.reduce((sum, part) => sum + part.bytes, 0) }, { memoryLimit });
}

async function checkPair(path: string, genotypes: Table, samples: Table): Promise<void> {
  const { genotypeInfo } = await import("@x/core");
  const info = inFile(path, () => genotypeInfo(genotypes.schema));
  const found = hashSamples(arrowTables().famColumns(samples));
  if (info.samples === samples.numRows && (info.sampleHash === "" || info.sampleHash === found)) return;
  throw xError(
    "SAMPLE_HASH",
    `${path}: ${samplesPath(path)} lists other people than the genotypes were written with (${samples.numRows} people, ${info.samples} expected).`,
    {
      details: { path, samples: samples.numRows, expected: info.samples },
    },
  );
}

/** Names the file in an error that knows only its table. */
function inFile<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isXError(error)) throw error;
    throw fileError(error.code, path, error.message, { ...error.details, cause: error });
  }
}
