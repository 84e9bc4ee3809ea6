import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, sgd } from "@x/onnx-train";
import { describe, expect, it } from "vitest";
import { aamWeights } from "../src/aam-weights.ts";
import { AAM_CONFIG, modelConfig } from "../src/model-config.ts";
import { buildNetwork } from "../src/network.ts";
import { hasShared, shared } from "./support/files.ts";
import { readNpz } from "./support/npz.ts";

const layers = (asv: number, sample: number, encoder: number, count: number, target: number) => ({
  asv,
  sample,
  encoder,
  count,
  target,
});
const small = { dim: 32, maxLength: 100, tokenLimit: 32, layers: layers(1, 1, 1, 1, 1), nucleotides: true };
const models = {
  "aam-weights-d64": {
    dim: 64,
    maxLength: 150,
    tokenLimit: 8,
    vocabulary: 6,
    layers: layers(2, 2, 2, 1, 1),
    nucleotides: false,
  },
  "mouse-d32-count-add": { ...small, countEmbedding: "add" },
  "mouse-d32-count-concat": { ...small, countEmbedding: "concat" },
  "mouse-d32-count-film": { ...small, countEmbedding: "film" },
} as const;

describe.skipIf(!hasShared)("the aam configuration against AAM's own torch model", () => {
  for (const [name, form] of Object.entries(models)) {
    for (const chunk of [0, 8]) {
      it(`${name}, ${chunk === 0 ? "all ASVs at once" : `${chunk} ASVs at a time`}`, async () => {
        const folder = join(shared, "aam-golden");
        const io = readNpz(join(folder, `${name}.io.npz`));
        const weights = aamWeights(readNpz(join(folder, `${name}.weights.npz`)));
        const known = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
        const config = modelConfig({ ...AAM_CONFIG, ...form, outputs: 1 });
        const [samples, slots, given] = io["in.tokens"]!.shape as [number, number, number];
        const width = config.maxLength + 1;
        const tokens = Array.from(io["in.tokens"]!.data);
        // Every sequence once: the same rows in AAM's layout are one row here, which counts as often as it occurs.
        const rows = new Map<string, { at: number; times: number; row: number[] }>();
        const index = Array.from({ length: samples * slots }, (_, s) => {
          const row = tokens.slice(s * given, (s + 1) * given);
          while (row.length < width) row.push(0);
          const key = row.join();
          const found = rows.get(key) ?? { at: rows.size, times: 0, row };
          rows.set(key, found);
          found.times++;
          return found.at;
        });
        const asvs = Math.ceil(rows.size / 8) * 8;
        const letters = new Float32Array(asvs * width);
        const scored = new Float32Array(asvs * width);
        for (const { at, times, row } of rows.values()) {
          letters.set(row, at * width);
          row.forEach((t, i) => {
            scored[at * width + i] = t > 0 ? times : 0;
          });
        }
        const mask = Float32Array.from(index, (row) => (letters[row * width]! > 0 ? 1 : 0));
        const feeds: Record<string, ArrayLike<number>> = {
          tokens: letters,
          letters,
          scored,
          index,
          mask,
          counts: io["in.counts"]?.data ?? new Float32Array(samples * slots),
          countTargets: io["in.counts_target"]!.data,
          weight: new Float32Array(samples).fill(1),
          positions: Array.from({ length: slots }, (_, i) => i),
          distances: io["in.unifrac_target"]!.data,
          target: io["in.target"]!.data,
        };
        const model = buildNetwork(config, {
          part: "whole",
          weights: { target: 1, count: 1, encoder: 1, nucleotide: form.nucleotides ? 1 : 0, phylogeny: 0 },
          loss: { loss: "huber", overPenalty: 1, underPenalty: 1 },
          chunk,
        });
        await using trainer = await compile(model, {
          dims: { asvs, samples, slots },
          optimizer: sgd({ lr: 1, weightDecay: 0 }),
          stepsPerCall: 1,
          threads: 1,
        });
        const { places } = trainer.plan.trained;
        expect(places.map((p) => p.name).sort()).toEqual([...weights.keys()].sort());
        expect(trainer.size).toBe(known.params);
        const state = await trainer.state();
        for (const { name: path, offset, spec } of places) {
          expect(weights.get(path)!.shape, path).toEqual(spec.shape);
          state.weights.set(weights.get(path)!.data, offset);
        }
        await trainer.restore(state);
        const { outputs, parts } = await trainer.evaluate(feeds);
        const near = (found: ArrayLike<number>, expected: Float32Array, what: string) => {
          expect(found.length, what).toBe(expected.length);
          let worst = 0;
          expected.forEach((e, i) => {
            worst = Math.max(worst, Math.abs(Number(found[i]) - e) / (1e-5 + 1e-4 * Math.abs(e)));
          });
          expect(worst, what).toBeLessThan(1);
        };
        near(outputs.prediction!.data as Float32Array, io["out.target_prediction"]!.data, "target");
        near(outputs.embedding!.data as Float32Array, io["out.embeddings"]!.data, "embedding");
        near(outputs.distance!.data as Float32Array, io["out.pairwise_tanh10"]!.data, "distance");
        near(outputs.states!.data as Float32Array, io["out.base_embeddings"]!.data, "states");
        near(outputs.count!.data as Float32Array, io["out.count_prediction"]!.data, "count");
        const nucleotides = io["out.nuc_predictions"]?.data;
        if (nucleotides) {
          const logits = outputs.logits!.data as Float32Array;
          const each = width * config.vocabulary;
          // An empty slot has no letters: AAM leaves zeros there.
          const ofAsvs = (all: Float32Array, at: (slot: number) => number) =>
            Float32Array.from(
              index.flatMap((_, s) =>
                mask[s] ? Array.from(all.subarray(at(s) * each, (at(s) + 1) * each)) : [],
              ),
            );
          near(
            ofAsvs(logits, (s) => index[s]!),
            ofAsvs(nucleotides, (s) => s),
            "letters",
          );
        }
        const loss = (found: number | undefined, key: string) =>
          expect(Math.abs((found ?? 0) - known.losses[key]), key).toBeLessThan(
            1e-5 + 1e-4 * known.losses[key],
          );
        loss(parts.target, "target_loss");
        loss(parts.count, "count_loss");
        loss(parts.encoder, "unifrac_loss");
        loss(parts.nucleotide, "nuc_loss");
        // One step of size 1 moves the weights by the gradient.
        for await (const step of trainer.run([feeds])) loss(step.loss, "total_loss");
        const after = (await trainer.state()).weights;
        const { aamPath } = await import("../src/aam-weights.ts");
        for (const [key, norm] of Object.entries(known.grad_norms as Record<string, number>)) {
          const place = places.find((p) => p.name === aamPath(key))!;
          let sum = 0;
          for (let i = place.offset; i < place.offset + place.size; i++)
            sum += (state.weights[i]! - after[i]!) ** 2;
          expect(Math.abs(Math.sqrt(sum) - norm), key).toBeLessThan(1e-4 * Math.max(norm, 1e-2));
        }
      });
    }
  }
});
