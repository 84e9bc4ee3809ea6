import { openInput } from "@x/core";
import { expect, it } from "vitest";
import { SampleMajorReader } from "../src/sample-major.ts";
import { makeFileset, pack, temporaryFolder } from "./support/filesets.ts";

it("bands of any width, sought or read through, give the SNP-major bytes", async () => {
  using folder = temporaryFolder();
  const { prefix, n, p, codes } = makeFileset(folder.path, { sampleMajor: true });
  const truth = pack(codes, p, n);
  const bytes = Math.ceil(n / 4);
  await using bed = openInput(`${prefix}.bed`);
  for (const tileBytes of [1, 3 * n, 10 * n, 1 << 20])
    for (const seekBytes of [1, 1000]) {
      const reader = new SampleMajorReader(bed, n, p, {}, { tileBytes, seekBytes });
      expect(await reader.read(0, p)).toEqual(truth);
      expect(await reader.read(37, 20)).toEqual(truth.subarray(37 * bytes, 57 * bytes));
      expect(await reader.read(5, 1)).toEqual(truth.subarray(5 * bytes, 6 * bytes));
    }
});
