import { type CliContext, type OptionSpec, option, parseStrictNumber, xError } from "@x/core/base";
import { tableOf } from "./cli-inputs.ts";
import { listIds, seqError, seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { joinMetadata } from "./join-metadata.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { limitSplit, readSplit, type Split, splitSamples } from "./split.ts";
import { classTarget, numericTarget, type Target } from "./targets.ts";

/** Options of commands that learn a column of the metadata from a table, beside those of the table. */
export const STUDY_FLAGS: readonly OptionSpec[] = [
  option.input("metadata", "sample metadata", { aliases: ["-m"], required: true }),
  option.text("metadata-column", "what to predict; `train` takes several columns of numbers", {
    aliases: ["--column"],
    value: "COLUMN",
    required: true,
  }),
  option.flag("classifier", "the column holds classes"),
  option.input("split", "table of sample_id and split (train, test)"),
  option.text(
    "group",
    "keep samples of one group, e.g. a host, on one side; a --split that does not is refused",
    { value: "COLUMN" },
  ),
  option.number("test-size", "samples to test on", {
    range: { min: 0, max: 0.99 },
    default: 0.2,
    value: "SHARE",
  }),
  option.flag("drop-missing", "leave out samples without metadata or counts instead of an error"),
];

/** What {@link STUDY_FLAGS} ask for. */
export interface Study {
  /** Samples with metadata and counts. */
  readonly table: FeatureTable;
  /** The same samples. */
  readonly metadata: Metadata;
  /** What is to be learned, in their order. */
  readonly target: Target;
  /** All columns of it, where several are learned together. */
  readonly targets: readonly Target[];
  /** Who is learned from. */
  readonly split: Split;
  /** The group of each sample by name, where there are groups. */
  readonly groups: ReadonlyMap<string, string> | undefined;
}

/** Numbers in a list between commas; NaN for other texts. */
export function numbersOf(value: unknown): number[] {
  return listOf(value).map((text) => parseStrictNumber(text) ?? Number.NaN);
}

/** Names in a list between commas. */
export function listOf(value: unknown): string[] {
  return value === undefined
    ? []
    : String(value)
        .split(",")
        .map((s) => s.trim());
}

/**
 * Reads table, metadata and split and brings them together; `alone` is a command that learns one column only. Errors as
 * `joinMetadata`, `numericTarget`, `splitSamples`, `SPLIT_GROUPS`, `GROUP_MISSING`.
 */
export async function studyOf(context: CliContext, alone?: string): Promise<Study> {
  const { options, signal, seed = 0 } = context;
  const missing = options["drop-missing"] === true ? "drop" : "error";
  const known = await readMetadata(String(options.metadata), { signal });
  const whole = await tableOf(context);
  const chosen = options.split === undefined ? undefined : await readSplit(String(options.split));
  if (chosen) tellUnknown(context, chosen, whole.sampleIds);
  const named = chosen && new Set([...chosen.train, ...chosen.test]);
  const asked = named ? whole.select({ samples: whole.sampleIds.filter((id) => named.has(id)) }) : whole;
  const { table, metadata } = joinMetadata(asked, known, { missing, empty: missing });
  const several = columnsOf(options["metadata-column"], metadata);
  if (several.length > 1 && alone !== undefined)
    throw xError(
      "OPTION_CHOICE",
      `${alone} predicts one column; --metadata-column names ${several.length}: ${several.join(", ")}`,
      {
        usage: true,
        details: { option: "metadata-column" },
      },
    );
  const targets = several.map((column) =>
    options.classifier === true ? classTarget(metadata, column) : numericTarget(metadata, column),
  );
  const groupName = options.group === undefined ? undefined : String(options.group);
  const groups = groupName === undefined ? undefined : groupsOf(metadata, groupName);
  const split = chosen
    ? limitSplit(chosen, table.sampleIds)
    : splitSamples(table.sampleIds, {
        testSize: Number(options["test-size"] ?? 0.2),
        seed,
        ...(groups && { groups: [...groups.values()], groupName: groupName! }),
      });
  if (groups) refuseSharedGroups(split, groups, groupName!);
  return { table, metadata, target: targets[0]!, targets, split, groups };
}

/** Counts the samples of a split that the table does not have. */
export function tellUnknown({ warn }: CliContext, { train, test, how }: Split, ids: readonly string[]): void {
  const there = new Set(ids);
  const unknown = [...train, ...test].filter((id) => !there.has(id));
  if (unknown.length === 0) return;
  const message = `${unknown.length} of ${train.length + test.length} samples of ${how} are not in the table: ${listIds(unknown)}`;
  warn({ code: "SPLIT_UNKNOWN", message, details: { samples: unknown } });
}

/** A split from a file may break groups up: what was learned of a group's samples would then be tested on the others. */
function refuseSharedGroups(split: Split, groups: ReadonlyMap<string, string>, name: string): void {
  const group = (id: string): string => groups.get(id)!;
  const train = new Set(split.train.map(group));
  const shared = [...new Set(split.test.map(group))].filter((g) => train.has(g));
  if (shared.length === 0) return;
  const samples = [...split.train, ...split.test].filter((id) => shared.includes(group(id)));
  const message = `--group ${name}: ${shared.length} groups are on both sides of ${split.how}: ${listIds(shared)} (samples ${listIds(samples)})`;
  throw seqError("SPLIT_GROUPS", message, { groups: shared, samples });
}

/** One column, or several between commas; a comma may also stand in a name. */
function columnsOf(value: unknown, metadata: Metadata): string[] {
  const whole = String(value);
  return metadata.columns.has(whole.trim()) ? [whole] : listOf(value);
}

function groupsOf(metadata: Metadata, name: string): Map<string, string> {
  const { values } = metadata.column(name);
  const missing = metadata.ids.filter((_, s) => values[s] === null);
  if (missing.length > 0) {
    const message = `${missing.length} samples have no ${name} (--group): ${listIds(missing)}; fill it in, or leave them out of the table`;
    throw seqFileError("GROUP_MISSING", metadata.path, message, { samples: missing, name });
  }
  return new Map(metadata.ids.map((id, s) => [id, String(values[s])]));
}
