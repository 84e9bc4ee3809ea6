import { expect, it } from "vitest";
import * as mosaic from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(mosaic).sort()).toEqual([
    "MOCK_FILES",
    "alignTo",
    "batches",
    "binarize",
    "cellsFormat",
    "clr",
    "csrToDense",
    "denseToCsr",
    "featureSums",
    "gatherRows",
    "highlyVariable",
    "inverseDocumentFrequency",
    "log1p",
    "lsi",
    "mock",
    "mockConfig",
    "mosaicDataset",
    "mostFound",
    "normalizeTotal",
    "preprocess",
    "read10xH5",
    "readArrow",
    "readCells",
    "readH5ad",
    "readH5mu",
    "readZarr",
    "requireCounts",
    "rowSums",
    "selectFeatures",
    "splitCells",
    "summarize",
    "tfidf",
    "truncatedSvd",
    "writeH5ad",
    "writeMock",
  ]);
});
