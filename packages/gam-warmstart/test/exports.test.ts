import { expect, it } from "vitest";
import * as gam from "../src/index.ts";

// The public face: a change here is a change for users.
it("exports exactly these names", () => {
  expect(Object.keys(gam).sort()).toEqual([]);
});
