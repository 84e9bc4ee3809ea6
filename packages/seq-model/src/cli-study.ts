import type { CliContext, OptionSpec } from "@x/core/base";
import { tableOf } from "./cli-inputs.ts";
import type { FeatureTable } from "./feature-table.ts";
import { joinMetadata } from "./join-metadata.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { limitSplit, readSplit, type Split, splitSamples } from "./split.ts";
import { classTarget, numericTarget, type Target } from "./targets.ts";

/** Options of commands that learn a column of the metadata from a table, beside those of the table. */
export const STUDY_FLAGS: readonly OptionSpec[] = [
  {
    name: "metadata",
    aliases: ["-m"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "sample metadata",
    required: true,
  },
  {
    name: "metadata-column",
    aliases: ["--column"],
    type: "string",
    value: "COLUMN",
    help: "what to predict; `train` takes several columns of numbers",
    required: true,
  },
  { name: "classifier", type: "flag", help: "the column holds classes" },
  {
    name: "split",
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "table of sample_id and split (train, test)",
  },
  {
    name: "group",
    type: "string",
    value: "COLUMN",
    help: "keep samples of one group, e.g. a host, on one side",
  },
  {
    name: "test-size",
    type: "number",
    range: { min: 0, max: 1 },
    default: 0.2,
    value: "SHARE",
    help: "samples to test on",
  },
  {
    name: "drop-missing",
    type: "flag",
    help: "leave out samples without metadata or counts instead of an error",
  },
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

/** Names in a list between commas. */
export function listOf(value: unknown): string[] {
  return value === undefined
    ? []
    : String(value)
        .split(",")
        .map((s) => s.trim());
}

/** Reads table, metadata and split and brings them together. Errors as `joinMetadata`, `numericTarget`, `splitSamples`. */
export async function studyOf(context: CliContext): Promise<Study> {
  const { options, signal, seed = 0 } = context;
  const missing = options["drop-missing"] === true ? "drop" : "error";
  const known = await readMetadata(String(options.metadata), { signal });
  const whole = await tableOf(context);
  const chosen = options.split === undefined ? undefined : await readSplit(String(options.split));
  const named = chosen && new Set([...chosen.train, ...chosen.test]);
  const asked = named ? whole.select({ samples: whole.sampleIds.filter((id) => named.has(id)) }) : whole;
  const { table, metadata } = joinMetadata(asked, known, { missing, empty: missing });
  const targets = columnsOf(options["metadata-column"], metadata).map((column) =>
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
  return { table, metadata, target: targets[0]!, targets, split, groups };
}

/** One column, or several between commas; a comma may also stand in a name. */
function columnsOf(value: unknown, metadata: Metadata): string[] {
  const whole = String(value);
  return metadata.columns.has(whole.trim()) ? [whole] : listOf(value);
}

function groupsOf(metadata: Metadata, name: string): Map<string, string> {
  const { values } = metadata.column(name);
  return new Map(metadata.ids.map((id, s) => [id, String(values[s])]));
}
