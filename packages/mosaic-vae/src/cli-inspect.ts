import { type CliCommand, type CliContext, option } from "@x/core/base";
import { EMPTY_OPTION, emptyAllowed, givenPlaces, PLACE_OPTIONS } from "./cli-data.ts";
import { summarize } from "./counts.ts";
import { columnLevels, type MosaicDataset } from "./dataset.ts";
import { cellsFormat, readCells } from "./read-cells.ts";

/** What `inspect` says of one modality. */
interface ModalityReport {
  name: string;
  kind: string;
  features: number;
  measured: number;
  density: number;
  counts: boolean;
  binary: boolean;
  least: number;
  most: number;
  notFinite: number;
  emptyCells: number;
  medianLibrary: number;
}

/** `mosaic-vae inspect`: what is in a file of cells. */
export const inspectCommand: CliCommand = {
  name: "inspect",
  summary:
    "what a file of cells holds: modalities, who was measured, whether numbers are counts, columns of obs",
  options: [
    ...PLACE_OPTIONS,
    option.text("genome", "which genome of a 10x file of version 2", { value: "NAME" }),
    EMPTY_OPTION,
  ],
  positionals: ["FILE"],
  files: [{ role: "input" }],
  examples: ["mosaic-vae inspect multiome.h5ad", "mosaic-vae inspect cells.h5ad --rna raw/X --json"],
  async run(context) {
    const path = context.positionals[0]!;
    const { options, signal } = context;
    const format = await cellsFormat(path);
    await using cells = await readCells(path, givenPlaces(context), {
      ...emptyAllowed(context),
      signal,
      warn: context.warn,
      ...(options.genome === undefined ? {} : { genome: String(options.genome) }),
      ...(context.memoryLimit === undefined ? {} : { memoryLimit: context.memoryLimit }),
    });
    const modalities: ModalityReport[] = [];
    for (const m of cells.modalities.values()) {
      const { library: _, nonzero: __, ...seen } = await summarize(m, { signal });
      modalities.push({ name: m.name, kind: m.kind, features: m.features.length, ...seen });
      context.onProgress({ stage: "read", done: modalities.length, total: cells.modalities.size });
    }
    const columns = describeColumns(cells);
    const combinations = countCombinations(cells);
    if (!context.json)
      print(context, { path, format, cells: cells.cells, modalities, combinations, columns });
    return { path, format, cells: cells.cells, modalities, combinations, obs: columns };
  },
};

interface Column {
  name: string;
  type: string;
  levels?: number;
}

function describeColumns({ obs }: MosaicDataset): Column[] {
  return obs.schema.fields.map(({ name, type }) => {
    const texts = /Utf8|Dictionary/.test(String(type));
    return { name, type: String(type), ...(texts ? { levels: columnLevels(obs, name).length } : {}) };
  });
}

/** Cells by which modalities they have: `rna+atac` 120, `rna` 60 … */
function countCombinations(cells: MosaicDataset): Record<string, number> {
  const count: Record<string, number> = {};
  const modalities = [...cells.modalities.values()];
  for (let i = 0; i < cells.cells; i++) {
    const key = modalities.flatMap((m) => (m.available[i] ? [m.name] : [])).join("+") || "none";
    count[key] = (count[key] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(count).sort((a, b) => b[1] - a[1]));
}

function print(
  { print: line }: CliContext,
  r: {
    path: string;
    format: string;
    cells: number;
    modalities: readonly ModalityReport[];
    combinations: Readonly<Record<string, number>>;
    columns: readonly Column[];
  },
): void {
  line(`${r.path}: ${r.format}, ${r.cells} cells`);
  for (const m of r.modalities) {
    const numbers = m.binary ? "0 and 1" : m.counts ? "counts" : "not counts";
    line(
      `${m.name}\t${m.measured} cells × ${m.features} features, ${(100 * m.density).toFixed(2)} % not 0, ${numbers} from ${m.least} to ${m.most}, median library ${m.medianLibrary}`,
    );
    if (m.emptyCells > 0) line(`\t${m.emptyCells} measured cells have no count at all`);
    if (m.notFinite > 0) line(`\t${m.notFinite} values are NaN or infinite`);
  }
  line(
    Object.entries(r.combinations)
      .map(([key, n]) => `${key}: ${n}`)
      .join(", "),
  );
  for (const c of r.columns)
    line(`obs\t${c.name}\t${c.type}${c.levels === undefined ? "" : `, ${c.levels} levels`}`);
}
