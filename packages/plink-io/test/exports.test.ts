import { expect, it } from "vitest";
import * as plinkIo from "../src/index.ts";

it("the export list is frozen: adding is a minor version, removing a major one", () => {
  expect(Object.keys(plinkIo).sort()).toEqual([
    "convert",
    "freq",
    "hardy",
    "inspect",
    "merge",
    "missing",
    "openPlink",
    "selectStudy",
    "subset",
    "variantCounts",
    "writeFreq",
    "writeHardy",
    "writeMissing",
    "writePlink",
  ]);
});
