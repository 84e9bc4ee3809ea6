import { expect, it } from "vitest";
import * as seq from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(seq).sort().join(" ")).toMatchInlineSnapshot(
    `"AAM_CONFIG ClassMetrics DISTANCE_FORMATS DIVERSITIES DistanceMatrix ENCODER_TARGETS EXPLAIN_METHODS FeatureTable RegressionMetrics Reservoir SeqModel TABLE_METRICS TARGET_TRANSFORMS TOKENS TREE_METRICS Tree aamPath aamWeights applyTargetTransform attentionMap attentionSvg augmentSamples auroc baseline batchTargets classAurocs classScores classTarget conformalIntervals coverageOf distances encodeCategories encoderTypes errorAnalysis errorSvg explain faithPd fileTargets fineTune fitCategories fitTargetTransform importanceTreeSvg inspectTable invertTargetTransform joinMetadata lengthFindings lengthProfile limitSplit mergeStripes metadataOf modelConfig numericTarget observedFeatures openBiom openQza parseTree pcoa pcoaSvg permanova phylogeny pinball planBatch planUnifrac predictInPasses pretrain quantileConformal rarefy readBiom readDistances readFasta readMetadata readNewick readSplit readStripes registerEncoderType regressionScores search sequenceBatch sequenceCache sequenceNames sequencesOf shannon shuffleAsvs sortedQuantiles splitConformal splitSamples stepBytes stripeCount tokenize trainingConfig uncrossed unifrac unifracStripes writeDistances writeStripes"`,
  );
});
