import { type CliCommand, option } from "@x/core/base";
import { TREE_FLAGS, treeOf } from "./cli-inputs.ts";
import { inspectTable } from "./inspect.ts";
import { readBiom } from "./read-biom.ts";
import { readFasta } from "./read-fasta.ts";
import { readMetadata } from "./read-metadata.ts";

/** `seq-model inspect`. */
export const inspectCommand: CliCommand = {
  name: "inspect",
  summary: "look at a table, and whether tree, sequences and metadata go with it",
  options: [
    option.input("table", "feature table", { aliases: ["-i"], required: true }),
    ...TREE_FLAGS,
    option.input("sequences", "FASTA or .qza"),
    option.input("metadata", "sample metadata"),
  ],
  examples: ["seq-model inspect --table table.biom --tree tree.nwk --metadata metadata.tsv"],
  async run(context) {
    const { options, signal } = context;
    const table = await readBiom(String(options.table), { signal });
    const found = inspectTable(table, {
      ...(options.tree === undefined ? {} : { tree: await treeOf(context) }),
      ...(options.sequences === undefined
        ? {}
        : { sequences: await readFasta(String(options.sequences), { signal }) }),
      ...(options.metadata === undefined
        ? {}
        : { metadata: await readMetadata(String(options.metadata), { signal }) }),
    });
    if (!context.json) for (const line of found.lines) context.print(line);
    const { lines: _, ...facts } = found;
    return facts;
  },
};
