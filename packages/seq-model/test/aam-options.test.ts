// AAM's option names, encoders of the user's numbers, letters of either case, and depths that differ.
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { TARGET_FLAGS } from "../src/cli-target-options.ts";
import { NETWORK_FLAGS, trainingOptions } from "../src/cli-train-options.ts";
import { fineTune, sequenceCache, sequencesOf, tokenize, trainingConfig } from "../src/index.ts";
import { failure, fileOf, fixture, seqModel, tableOf, tempFolder } from "./support/files.ts";
import { fastaFor, fixtureStudy, TINY } from "./support/study.ts";

const folder = tempFolder();
const { table, target, split, sequences } = await fixtureStudy();
const ids = table.sampleIds;
const input = ["--table", fixture("table.biom"), "--sequences", `${folder}/rep-seqs.fasta`, "--threads", "1"];
const small = ["--embedding-dim", "8", "--attention-heads", "2", "--attention-layers", "1,0,0,0,0"];
const quick = [...small, "--epochs", "1", "--batch-size", "4", "--nuc-penalty", "0", "--device", "cpu"];
beforeAll(() => writeFileSync(`${folder}/rep-seqs.fasta`, fastaFor(table.featureIds)));

describe("AAM's option names", () => {
  it("of its command lines are all known, and stand in the table of the design notes", () => {
    const aam =
      "table unifrac-matrix output-dir epochs batch-size auto-batch-size max-memory-fraction lr patience warmup-steps weight-decay embedding-dim attention-heads attention-layers max-bp token-limit asv-sampling rarefy-depth test-size unifrac-metric penalty nuc-penalty count-penalty target-penalty count-embedding count-embedding-method nuc-mask-ratio nuc-mask-strategy num-workers gradient-checkpointing attn-implementation asv-chunk-size sequence-cache mixed-precision compile-model distributed fsdp data-parallel resume-from out-dim loss-type quantiles over-penalty under-penalty loss-config target-transform target-layer-norm bounded-targets learnable-output-scale output-activation regressor-hidden-dims regressor-dropout residual-regression-head categorical-columns categorical-fusion conditional-output-scaling categorical-loss-weights best-metric val-prediction-passes freeze-base pretrained-encoder count-prediction categorical-lr optimizer scheduler";
    const known = new Set([...NETWORK_FLAGS, ...TARGET_FLAGS].map(({ name }) => name));
    expect(aam.split(" ").filter((name) => !known.has(name))).toEqual([]);
    const notes = readFileSync(new URL("../../../docs/design/aam-tickets.md", import.meta.url), "utf8");
    for (const { name, help } of NETWORK_FLAGS)
      if (help.startsWith("AAM's; refused"))
        expect(notes).toContain(`\`--${name === "sequence-cache" ? "no-" : ""}${name}\``);
  });

  it("become ours where ours has it", () => {
    const of = (options: Record<string, string>) => trainingOptions(options, 0);
    expect(of({ scheduler: "warmup_cosine" }).schedule).toBe("cosine");
    expect(of({ scheduler: "onecycle" }).schedule).toBe("one-cycle");
    expect(of({ scheduler: "plateau" }).schedule).toBe("plateau");
    expect(of({ "mixed-precision": "bf16" }).precision).toBe("bfloat16");
    expect(of({}).precision).toBeUndefined();
  });

  it("with nothing to set are refused with the reason", async () => {
    for (const [options, why] of [
      [["--num-workers", "4"], /^UNKNOWN_OPTION --num-workers is an option of AAM .*--threads/],
      [["--no-sequence-cache"], /^UNKNOWN_OPTION --no-sequence-cache .*tokenised once/],
      [["--optimizer", "sgd"], /^OPTION_CHOICE --optimizer must be one of adamw/],
    ] as const) {
      const ran = await seqModel(["pretrain", ...input, ...options, "--output-dir", `${folder}/moot`]);
      expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(why) });
    }
  });

  it("half precision says what it was computed in", async () => {
    const warnings: string[] = [];
    const made = await fineTune(table, {
      ...{ target, split, sequences, model: TINY, threads: 1 },
      training: { epochs: 1, device: "cpu", precision: "bfloat16", losses: { nucleotide: 0 } },
      warn: ({ code, message }) => warnings.push(`${code} ${message}`),
    });
    await using _ = made.model;
    expect(Number.isFinite(made.result.history[1]!.loss)).toBe(true);
    for (const text of warnings) expect(text).toMatch(/^PRECISION computed in float32, not bfloat16/);
    expect((await failure(() => trainingConfig({ precision: "int8" as "auto" }))).code).toBe("OPTION_CHOICE");
  });
});

it("pretrain --encoder taxonomy learns the numbers of a file", async () => {
  const names = ["k", "p", "c", "o", "f", "g", "s"];
  const text = (columns: readonly string[]): string =>
    `sample_id\t${columns.join("\t")}\n${ids.map((id, i) => [id, ...columns.map((_, c) => (i * (c + 1)) % 5)].join("\t")).join("\n")}\n`;
  const ask = (...more: string[]) =>
    seqModel([
      "pretrain",
      ...input,
      ...quick,
      "--encoder",
      "taxonomy",
      "--output-dir",
      `${folder}/tax`,
      ...more,
    ]);
  expect(await ask()).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^OPTION_MISSING .*--encoder-values/),
  });
  const few = await ask("--encoder-values", fileOf("v.tsv", text(names.slice(1))));
  expect(few).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^TARGET_SAMPLES .*6 columns .*learns 7/),
  });
  const ran = await ask("--encoder-values", fileOf("v.tsv", text(names)));
  expect(ran, ran.err).toMatchObject({ code: 0 });
});

describe("letters", () => {
  it("of either case are the same, U is T", () => {
    const [upper, lower] = [tokenize(["ACGTTNAC"]), tokenize(["acguTnaC"])];
    expect(lower).toEqual(upper);
    const id = "acguacguacguacguacguacgu";
    const named = tableOf([[1, 2]], [id, "ACGTACGTACGTACGTACGTACCC"]);
    expect(sequencesOf(named)[0]).toBe("ACGTACGTACGTACGTACGTACGT");
    expect(sequenceCache(named).table.unknown).toBe(0);
  });
});

it("a model of rarefied samples warns of a table that is not", async () => {
  const run = `${folder}/rare`;
  const depth = Math.min(...table.totals());
  const made = await seqModel([
    ...["train", ...input, "--metadata", fixture("metadata.tsv"), "--column", "age", ...quick],
    ...["--rarefy-depth", String(depth), "--output-dir", run],
  ]);
  expect(made, made.err).toMatchObject({ code: 0 });
  const predict = (...more: string[]) =>
    seqModel(["predict", "--model", run, ...input, "--output", `${folder}/p.tsv`, ...more]);
  expect((await predict()).err).toMatch(/RAREFY_UNLIKE.*not rarefied/);
  expect((await predict("--rarefy-depth", String(depth))).err).not.toContain("RAREFY_UNLIKE");
});
