import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Fingerprint } from "../src/index.ts";
import { fixture } from "./support/files.ts";

it("the golden vectors, which native/crates/gam tests too", () => {
  const ours = {
    empty: new Fingerprint(),
    scalars: new Fingerprint()
      .tag("golden-v1")
      .text("name", "s(x, ü)")
      .u64("width", 37)
      .f64("nu", 1.5)
      .value(-0),
    arrays: new Fingerprint()
      .bytes("role", Uint8Array.of(0, 1, 2, 255))
      .f64Slice("rho", [0.1, -0, 1e-300, 12.25])
      .f64Matrix("rotation", 2, 3, [1, 0, 0, 0, 1, 0.5]),
  };
  const text = Object.entries(ours).map(([name, f]) => `${name}\t${f.hex()}\n`);
  expect(text.join("")).toBe(readFileSync(fixture("fingerprint.tsv"), "utf8"));
});

it("the same bytes under another type or tag never collide", () => {
  const zero = new Uint8Array(8);
  const digests = [
    new Fingerprint().bytes("a", zero),
    new Fingerprint().text("a", "\0".repeat(8)),
    new Fingerprint().u64("a", 0),
    new Fingerprint().f64("a", 0),
    new Fingerprint().f64Slice("a", [0]),
    new Fingerprint().f64Matrix("a", 1, 1, [0]),
    new Fingerprint().tag("a"),
    new Fingerprint().u64("b", 0),
    new Fingerprint().u64("", 0),
    new Fingerprint().f64("a", -0),
  ].map((f) => f.hex());
  expect(new Set(digests).size).toBe(digests.length);
});

it("cutting a text elsewhere changes the digest; without a tag −0 is 0", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (a, b, c) => {
      const one = new Fingerprint()
        .text("t", a + c)
        .text("t", b)
        .hex();
      const two = new Fingerprint()
        .text("t", a)
        .text("t", c + b)
        .hex();
      expect(one === two).toBe(false);
    }),
  );
  expect(new Fingerprint().values([-0, 1]).hex()).toBe(new Fingerprint().values([0, 1]).hex());
  expect(new Fingerprint().f64Slice("", [-0, 1]).hex()).not.toBe(
    new Fingerprint().f64Slice("", [0, 1]).hex(),
  );
});
