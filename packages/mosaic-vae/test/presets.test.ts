// After training, the embedding says something on every problem, and what it imputes is better than the mean.
import { describe, expect, it } from "vitest";
import { MOCK_FILES, type MockProblem, MosaicVAE, mock, pearson } from "../src/index.ts";

const PROBLEMS = Object.keys(MOCK_FILES) as MockProblem[];
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

describe.each(PROBLEMS)("%s", (problem) => {
  it("KL above 0.5 nats a cell, latent variance above 0, RNA imputed where it was not measured", async () => {
    const { dataset, truth } = mock(problem);
    const config = { model: { latent: 16 }, train: { epochs: 40, device: "cpu" } };
    await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
    const report = await model.train(dataset);
    expect(report.skipped).toBe(0);
    expect(report.history.at(-1)!.validation).toBeLessThan(report.history[0]!.validation);

    const { kl } = await model.elbo(dataset);
    expect(kl.reduce((a, b) => a + b, 0) / dataset.cells).toBeGreaterThan(0.5);
    const { mean, latent } = await model.embed(dataset);
    const variances = Array.from({ length: latent }, (_, d) => {
      const values = Array.from({ length: dataset.cells }, (__, i) => mean[i * latent + d]!);
      const middle = values.reduce((a, b) => a + b, 0) / values.length;
      return values.reduce((s, v) => s + (v - middle) ** 2, 0) / values.length;
    });
    expect(variances.reduce((a, b) => a + b, 0) / latent).toBeGreaterThan(0.05);

    const rna = dataset.modalities.get("rna")!;
    const lacking = [...rna.available].flatMap((on, i) => (on ? [] : [i]));
    if (lacking.length === 0) return;
    const { mean: found, features } = await model.impute(dataset, "rna");
    const genes = features.length;
    const drawn = truth.drawn.rna!;
    const column = (values: Float32Array, rows: number[], g: number): Float64Array =>
      Float64Array.from(rows, (row) => values[row * genes + g]!);
    const measured = [...rna.available].flatMap((on, i) => (on ? [i] : []));
    let [sum, wanted, error, errorOfMeans] = [0, 0, 0, 0];
    const correlations: number[] = [];
    for (let g = 0; g < genes; g++) {
      const [x, y] = [column(found, lacking, g), column(drawn, lacking, g)];
      const own = column(drawn, measured, g);
      const mean = own.reduce((a, b) => a + b, 0) / own.length;
      correlations.push(pearson(x, y));
      for (let i = 0; i < x.length; i++) {
        sum += x[i]!;
        wanted += y[i]!;
        error += (x[i]! - y[i]!) ** 2;
        errorOfMeans += (mean - y[i]!) ** 2;
      }
    }
    expect(Math.abs(sum / wanted - 1)).toBeLessThan(0.2);
    // Without a single paired cell nothing ties the modalities to each other: the mean is all that can be asked for.
    if (problem === "unpaired") return;
    expect(median(correlations)).toBeGreaterThan(0.1);
    expect(error).toBeLessThan(errorOfMeans);
  });
});
