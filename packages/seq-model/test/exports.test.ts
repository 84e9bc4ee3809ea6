import { expect, it } from "vitest";
import * as seq from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(seq).sort().join(" ")).toMatchInlineSnapshot(
    `"DISTANCE_FORMATS DIVERSITIES DistanceMatrix FeatureTable TABLE_METRICS TOKENS TREE_METRICS Tree baseline classScores classTarget distances faithPd inspectTable joinMetadata limitSplit mergeStripes metadataOf numericTarget observedFeatures openBiom openQza parseTree pcoa pcoaSvg permanova phylogeny planUnifrac rarefy readBiom readDistances readFasta readMetadata readNewick readSplit readStripes regressionScores sequenceBatch sequenceCache sequencesOf shannon splitSamples stripeCount tokenize unifrac unifracStripes writeDistances writeStripes"`,
  );
});
