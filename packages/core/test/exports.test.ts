import { describe, expect, it } from "vitest";

import * as base from "../src/base.ts";
import * as core from "../src/index.ts";
import * as launcher from "../src/launch.ts";

describe("exports", () => {
  it("of @x/core/base", () => {
    expect(Object.keys(base).sort().join(" ")).toMatchInlineSnapshot(
      `"MAX_IO OutputFiles PAGE_STYLE Random StageMeter XError abortError allocateArray atomicWriter baselineBytes checkOptions checkOutputDir checkOutputs checkRange checkRunPlace collectWarnings commonOptions counted escapeXml fileError formatE formatE6 formatFixed3 formatG fromNative fromSystemError hashFile isAbort isXError lockOutput memoryLimit nearestName normalQuantile openInput openSvg option optionsHelp parseBytes parseOptions parseStrictNumber peakRss philox4x32 protectInputs px randomU32 readChunks readLineBlocks readLines readTable removeTemps requireMemory resolveThreads runCli runNative sampleHash sha256Hex sourceName splitFields terminalProgress throwIfAborted tickStep toJson toNumbers unknownOption writeDelimited writeFileAtomic xError"`,
    );
  });

  it("of @x/core beyond base", () => {
    const more = Object.keys(core).filter((name) => !(name in base));
    expect(more.sort().join(" ")).toMatchInlineSnapshot(
      `"associationSchema chromType dictionaryVector float64Vector fromForeign fromIpc genotypeBatch genotypeInfo genotypeSchema genotypeValues haplotypesSchema isRecordBatch isTable numericData numericVector readIpcFile samplesSchema samplesSchemaOf tableFromColumns toIpc utf8Vector variantsSchema vectorOf writeIpc writeIpcFile"`,
    );
  });

  it("of @x/core/launch", () => {
    expect(Object.keys(launcher)).toEqual(["launch"]);
  });
});
