/** Options of AAM that have nothing to set here: known, so that who comes from AAM is told why. */
import { type CliContext, type OptionSpec, xError } from "@x/core/base";

const MOOT: readonly (readonly [name: string, type: "flag" | "string", why: string])[] = [
  ["out-dim", "string", "outputs follow from the columns of --metadata-column, or from the classes"],
  [
    "val-prediction-passes",
    "string",
    "validation always sees each sample's most abundant ASVs; predict has --prediction-passes",
  ],
  [
    "conditional-output-scaling",
    "string",
    "--target-transform zscore-category --transform-column scales by category",
  ],
  ["categorical-loss-weights", "string", "--sample-weight-column weighs samples, --class-weights classes"],
  ["categorical-lr", "string", "all weights learn at --lr"],
  ["num-workers", "string", "batches are made beside the training; --threads is all there is to set"],
  ["attn-implementation", "string", "there is one; --asv-chunk-size bounds its memory"],
  ["sequence-cache", "flag", "sequences are always tokenised once, nothing is gained without"],
  ["compile-model", "flag", "the network is always a compiled graph"],
  ["distributed", "flag", "several GPUs are not part of this package"],
  ["data-parallel", "flag", "several GPUs are not part of this package"],
  ["fsdp", "flag", "several GPUs are not part of this package"],
];

/** They stand in the help, so that a value behind them is not taken for something else. */
export const AAM_FLAGS: readonly OptionSpec[] = MOOT.map(([name, type, why]) => ({
  name,
  type,
  ...(type === "string" && { value: "X" }),
  help: `AAM's; refused: ${why}`,
}));

/** `UNKNOWN_OPTION` with the reason. */
export function refuseAamOptions({ options }: CliContext): void {
  for (const [name, , why] of MOOT) {
    if (options[name] === undefined) continue;
    const shown = options[name] === false ? `--no-${name}` : `--${name}`;
    const message = `${shown} is an option of AAM that is not needed here: ${why}`;
    throw xError("UNKNOWN_OPTION", message, { usage: true, details: { option: name } });
  }
}
