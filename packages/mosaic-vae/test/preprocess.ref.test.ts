// Preprocessing beside scanpy and numpy; golden/preprocess.py made the numbers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  clr,
  highlyVariable,
  inverseDocumentFrequency,
  log1p,
  lsi,
  mosaicDataset,
  normalizeTotal,
  preprocess,
  tfidf,
  truncatedSvd,
} from "../src/index.ts";
import { dense, failure, GOLDEN, rows } from "./support.ts";

const golden = JSON.parse(readFileSync(join(GOLDEN, "preprocess.json"), "utf8"));
const { cells: n, genes: g } = golden;
const features = Array.from({ length: g }, (_, j) => `g${j}`);
const values = Float32Array.from(golden.counts);
const cells = mosaicDataset({
  cellIds: Array.from({ length: n }, (_, i) => `c${i}`),
  modalities: {
    rna: { features, values },
    atac: { features, values },
    adt: { features: ["p"], values: new Float32Array(n).fill(2), available: new Uint8Array(n).fill(0) },
  },
});
const rna = cells.modalities.get("rna")!;

function close(found: ArrayLike<number | null>, wanted: readonly (number | null)[], tolerance = 1e-5): void {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((w, i) => {
    if (w === null || found[i] === null) expect(found[i] ?? null).toBe(w);
    else expect(Math.abs(found[i]! - w)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(w)));
  });
}

it("highly variable genes: scanpy's seurat flavour, gene by gene", async () => {
  const table = await highlyVariable(rna, { top: 25 });
  close(
    [...table.getChild("mean")!].map((m) => Math.log1p(m)),
    golden.hvg.mean,
  );
  close([...table.getChild("dispersion")!], golden.hvg.dispersion, 1e-4);
  close([...table.getChild("dispersion_norm")!], golden.hvg.dispersion_norm, 1e-4);
  expect([...table.getChild("selected")!]).toEqual(golden.hvg.selected);
});

it("CP10k, TF-IDF, CLR and SVD", async () => {
  const row = await rows(cells, "rna", 3, 4);
  const full = (block: typeof row): number[] => {
    const out = new Array<number>(g).fill(0);
    block.indices.forEach((j, i) => {
      out[j] = block.values[i]!;
    });
    return out;
  };
  close(full(normalizeTotal(row)), golden.normalized_row3);
  close(full(clr(row)), golden.clr_row3);
  close(full(tfidf(row, await inverseDocumentFrequency(rna))), golden.tfidf_row3);
  const pca = await truncatedSvd(rna, {
    components: 8,
    center: true,
    iterations: 30,
    transform: (b) => log1p(normalizeTotal(b)),
  });
  close(pca.singular, golden.pca_singular);
  const scores = Array.from({ length: n }, (_, i) => [0, 1, 2].map((k) => Math.abs(pca.scores[i * 8 + k]!)));
  close(scores.flat(), golden.pca_scores_abs, 1e-4);
  close(
    (await lsi(cells.modalities.get("atac")!, { components: 5, iterations: 30 })).singular,
    golden.lsi_singular,
  );
});

it("preprocess: says what it did, and what had nothing to work on", async () => {
  const { dataset, report } = await preprocess(cells, {
    rna: { highlyVariable: 25, normalizeTotal: true, log1p: true },
    atac: { mostFound: 40, binarize: true, tfidf: true },
    adt: { clr: true },
    methylation: { log1p: true },
  });
  expect(report.map((r) => `${r.modality} ${r.step} ${r.done}`)).toEqual([
    "rna highlyVariable true",
    "rna normalizeTotal true",
    "rna log1p true",
    "atac mostFound true",
    "atac binarize true",
    "atac tfidf true",
    "adt clr false",
    "methylation log1p false",
  ]);
  expect(dataset.registry.modalities.map((m) => m.features.length)).toEqual([25, 40, 1]);
  expect(dataset.modalities.get("rna")!.features).toEqual(features.filter((_, j) => golden.hvg.selected[j]));
  expect(dataset.registry.modalities[0]!.hash).not.toBe(cells.registry.modalities[0]!.hash);
  expect(await dense(cells, "rna")).toEqual(values); // the data themselves are left alone
  const e = await failure(preprocess(dataset, { rna: { highlyVariable: 5 } }));
  expect(e.code).toBe("COUNTS");
  expect((await failure(preprocess(cells, { rna: { log1: true } as object }))).message).toMatch(/log1p/);
});
