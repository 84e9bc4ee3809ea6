import { baselineBytes, type CliCommand, option } from "@x/core/base";
import { planChunks } from "./plan.ts";

/** `phaser plan`: chunks of a chromosome and what phasing each will need. */
export const planCommand: CliCommand = {
  name: "plan",
  summary: "cut a chromosome into chunks by cM and count, and predict the memory of each",
  options: [
    option.input("input", "VCF or BCF", { aliases: ["-I"], required: true }),
    option.input("map", "genetic map; 1 cM/Mb without", { aliases: ["-M"] }),
    option.text("region", "chr or chr:from-to", { aliases: ["-R"], value: "REGION" }),
    option.number("chunk-cm", "longest own part of a chunk; overlaps come on top", {
      range: { min: 0.1 },
      default: 20,
      value: "CM",
    }),
    option.int("chunk-positions", "most positions of that part; overlaps come on top", {
      range: { min: 10 },
      default: 100_000,
      value: "N",
    }),
    option.number("overlap-cm", "shared with each neighbour", { range: { min: 0 }, default: 2, value: "CM" }),
    option.int("reference-samples", "samples of a reference panel", {
      range: { min: 0 },
      default: 0,
      value: "R",
    }),
    option.int("threads", "worker threads the memory is for; all cores by default", {
      aliases: ["--thread", "-T"],
      range: { min: 1, max: 1024 },
      value: "N",
    }),
  ],
  examples: ["phaser plan --input target.bcf --map chr20.gmap.gz --region 20"],
  async run(context) {
    const o = context.options;
    const { signal } = context;
    const region = o.region === undefined ? undefined : String(o.region);
    const plan = await planChunks(String(o.input), {
      ...(o.map === undefined ? {} : { map: String(o.map) }),
      ...(region === undefined ? {} : { region }),
      chunkCm: Number(o["chunk-cm"]),
      chunkPositions: Number(o["chunk-positions"]),
      overlapCm: Number(o["overlap-cm"]),
      referenceSamples: Number(o["reference-samples"]),
      ...(context.threads === undefined ? {} : { threads: context.threads }),
      signal,
    });
    if (!context.json) {
      // The last column is what the system will show: the prediction beside what Node.js takes before it begins.
      const node = baselineBytes();
      context.print("chunk\tregion\town\tpositions\tcM\tMB\tMB_with_Node");
      for (const c of plan.chunks) {
        const mb = [c.memory.total, c.memory.total + node].map((bytes) => (bytes / 1e6).toFixed(1));
        context.print(
          `${c.index}\t${c.region}\t${c.own}\t${c.positions}\t${c.cm.toFixed(3)}\t${mb.join("\t")}`,
        );
      }
    }
    return plan;
  },
};
