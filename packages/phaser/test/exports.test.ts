import { expect, it } from "vitest";
import * as phaser from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(phaser).sort()).toEqual([
    "Loci",
    "Phased",
    "PhasedRare",
    "checkOneAllele",
    "haplotypeBatches",
    "ligate",
    "lociFromBatches",
    "openVcf",
    "phase",
    "phaseMemory",
    "phaseRare",
    "planChunks",
    "readGeneticMap",
    "readPedigree",
    "readSampleList",
    "switchError",
    "uniformMap",
    "writeBcf",
    "writeVcf",
  ]);
});
