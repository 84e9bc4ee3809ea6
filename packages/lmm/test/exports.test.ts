import { expect, it } from "vitest";
import * as lmm from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(lmm).sort()).toEqual([
    "ASSOC_TOLERANCES",
    "Eigen",
    "Kinship",
    "VARIANT_PROBLEMS",
    "associate",
    "associateTraits",
    "compareAssoc",
    "compareKinship",
    "eigen",
    "estimateMemory",
    "genomicInflation",
    "gwas",
    "joinSamples",
    "joinTraits",
    "kinship",
    "kinshipCondition",
    "kinshipTwins",
    "loadEigen",
    "manhattanSvg",
    "mergeShards",
    "nullModel",
    "openBimbam",
    "pca",
    "planGwas",
    "qqSvg",
    "qqTable",
    "withComponents",
    "writeGemmaAssoc",
  ]);
});
