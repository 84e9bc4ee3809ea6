// The same as kill.test.ts, twenty times.
import { expect, it } from "vitest";
import { surviveKills } from "./kills.ts";
import { folder } from "./support.ts";

it("a training killed at twenty moments ends as one left alone, byte for byte", async () => {
  const at = folder();
  await surviveKills(at.path("alone"), at.path("killed"), 20);
  expect.hasAssertions();
}, 600_000);
