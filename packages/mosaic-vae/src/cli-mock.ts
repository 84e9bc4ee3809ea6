import { mkdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type CliCommand, type CliContext, option, writeFileAtomic, xError } from "@x/core/base";
import { mock } from "./mock.ts";
import { MOCK_FILES, type MockModality, type MockOptions, type MockProblem } from "./mock-options.ts";
import { mockConfig, writeMock } from "./write-mock.ts";

const PROBLEMS = Object.keys(MOCK_FILES) as MockProblem[];
const MODALITIES = ["rna", "atac", "adt"] as const;

/** `mosaic-vae mock`: made-up data for the six problems, with the truth inside. */
export const mockCommand: CliCommand = {
  name: "mock",
  summary: "make example data with known truth, and a configuration to train on them",
  random: true,
  options: [
    option.text("problem", PROBLEMS.join(", "), { choices: PROBLEMS, value: "NAME" }),
    option.flag("all", "all six, into examples/mock and configs/examples"),
    option.output("out", "the .h5ad file; a folder with --all", { aliases: ["-o"] }),
    option.output("config-out", "the configuration, YAML; a folder with --all"),
    option.int("cells", "cells, 600 by default", { range: { min: 10 }, value: "N" }),
    option.int("genes", "genes, 200 by default", { range: { min: 1 }, value: "N" }),
    option.int("peaks", "peaks, 300 by default", { range: { min: 1 }, value: "N" }),
    option.int("proteins", "proteins, 25 by default", { range: { min: 1 }, value: "N" }),
    option.int("clusters", "types of cells, 4 by default", { range: { min: 3, max: 5 }, value: "N" }),
    ...MODALITIES.map((name) => ({
      name: `coverage-${name}`,
      type: "number" as const,
      range: { min: 0.01, max: 1 },
      value: "SHARE",
      help: `share of the cells that keep ${name.toUpperCase()}`,
    })),
    option.number("bridge-share", "cells with both, of bridge: 0.05", {
      range: { min: 0, max: 1 },
      value: "SHARE",
    }),
    option.number("batch-shift", "additive batch effect, in latent units", {
      range: { min: 0 },
      value: "SD",
    }),
    option.number("batch-scale", "multiplicative batch effect of each feature, log scale: 0.1", {
      range: { min: 0 },
      value: "SD",
    }),
    option.number("noise", "noise beyond counting, 1 by default", { range: { min: 0.01 }, value: "FACTOR" }),
    option.number("library-scale", "factor on library sizes, 1 by default", {
      range: { min: 0.001 },
      value: "FACTOR",
    }),
  ],
  examples: [
    "mosaic-vae mock --problem bridge --out bridge.h5ad --config-out bridge.yaml --seed 7",
    "mosaic-vae mock --all",
  ],
  async run(context) {
    const { options } = context;
    const problem = options.problem as MockProblem | undefined;
    if ((problem === undefined) === (options.all !== true))
      throw xError("OPTION_MISSING", "mosaic-vae mock needs --problem NAME or --all", { usage: true });
    if (problem !== undefined) {
      const out = String(options.out ?? `${MOCK_FILES[problem]}.h5ad`);
      const config = options["config-out"] as string | undefined;
      refuseEnding("out", out, [".h5ad"]);
      if (config !== undefined) refuseEnding("config-out", config, [".yaml", ".yml"]);
      return [await make(context, problem, out, config)];
    }
    const [data, configs] = [
      String(options.out ?? "examples/mock"),
      String(options["config-out"] ?? "configs/examples"),
    ];
    for (const folder of [data, configs]) mkdirSync(folder, { recursive: true });
    const made = [];
    for (const [i, each] of PROBLEMS.entries()) {
      context.onProgress({ stage: "mock", done: i, total: PROBLEMS.length });
      const name = MOCK_FILES[each];
      made.push(await make(context, each, join(data, `${name}.h5ad`), join(configs, `${name}.yaml`)));
    }
    return made;
  },
};

/** A file is what its name says. */
function refuseEnding(option: string, path: string, endings: readonly string[]): void {
  if (endings.some((ending) => path.endsWith(ending))) return;
  const message = `--${option} ${path}: what is written is ${endings.join(" or ")}; give it that ending`;
  throw xError("OPTION_VALUE", message, { usage: true, details: { option } });
}

async function make(
  context: CliContext,
  problem: MockProblem,
  out: string,
  config: string | undefined,
): Promise<{ problem: string; out: string; config?: string; cells: number; bytes: number }> {
  const made = mock(problem, knobs(context));
  const bytes = await writeMock(out, made, { signal: context.signal });
  // The configuration names the data from where it lies itself.
  if (config !== undefined)
    await writeFileAtomic(config, mockConfig(made, relative(dirname(config), out).replaceAll("\\", "/")), {
      signal: context.signal,
    });
  if (!context.json)
    context.print(`${out}\t${problem}\t${made.dataset.cells} cells\t${made.settings.modalities.join("+")}`);
  return { problem, out, ...(config === undefined ? {} : { config }), cells: made.dataset.cells, bytes };
}

function knobs({ options, seed }: CliContext): MockOptions {
  const number = (name: string): number | undefined => options[name] as number | undefined;
  const features = { rna: number("genes"), atac: number("peaks"), adt: number("proteins") };
  const coverage = Object.fromEntries(MODALITIES.map((name) => [name, number(`coverage-${name}`)]));
  const single = {
    cells: number("cells"),
    clusters: number("clusters"),
    bridgeShare: number("bridge-share"),
    batchShift: number("batch-shift"),
    batchScale: number("batch-scale"),
    noise: number("noise"),
    libraryScale: number("library-scale"),
    seed,
  };
  return {
    ...given(single),
    features: given(features) as Partial<Record<MockModality, number>>,
    coverage: given(coverage) as Partial<Record<MockModality, number>>,
  };
}

/** Only what was given on the command line. */
function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
