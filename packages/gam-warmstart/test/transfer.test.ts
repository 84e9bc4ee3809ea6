import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { projectBeta, type TransferTarget, termIdentity, transfer } from "../src/index.ts";
import { artifact, descriptor, identityMatrix, SHAPE, term } from "./support/artifacts.ts";

const target = (change: Partial<TransferTarget> = {}): TransferTarget => ({
  identity: termIdentity(SHAPE),
  rhoSlots: [0],
  width: 4,
  gauge: { rows: 4, columns: 4, data: identityMatrix(4) },
  ...change,
});
const plain = descriptor([termIdentity(SHAPE)]);
const ok = (r: ReturnType<typeof transfer>) => {
  if (!r.ok) throw new Error(r.code);
  return r;
};

describe("transfer", () => {
  it("copies rho", () => {
    expect(ok(transfer(artifact(), plain, [target()], [0])).rho).toEqual([1.5]);
  });
  it("a term without a match keeps the default", () => {
    const r = ok(
      transfer(artifact(), plain, [target({ identity: termIdentity({ ...SHAPE, name: "s(q)" }) })], [0.25]),
    );
    expect(r).toMatchObject({ rho: [0.25], provenance: ["cold"], beta: [[0, 0, 0, 0]], matched: 0 });
  });
  it("a saturated rho is copied at the clamp, not dropped", () => {
    const r = ok(transfer(artifact({ terms: [term({ rho: [12] })] }), plain, [target()], [0]));
    expect(r).toMatchObject({ rho: [8], saturated: [0] });
    expect(ok(transfer(artifact({ terms: [term({ rho: [-12] })] }), plain, [target()], [0])).rho).toEqual([
      -8,
    ]);
  });
  it("8.7 is clamped to 8.0", () => {
    const r = ok(transfer(artifact({ terms: [term({ rho: [8.7] })] }), plain, [target()], [0]));
    expect(r).toMatchObject({ rho: [8], saturated: [] });
  });
  it("a NaN parent is refused", () => {
    expect(
      transfer(artifact({ terms: [term({ beta: [Number.NaN, 0, 0, 0] })] }), plain, [target()], [0]),
    ).toEqual({ ok: false, code: "PARENT_UNUSABLE" });
    expect(transfer({ ...artifact(), schema: 2 }, plain, [target()], [0])).toEqual({
      ok: false,
      code: "PARENT_UNUSABLE",
    });
  });
  it("other slots are untouched", () => {
    expect(ok(transfer(artifact(), plain, [target({ rhoSlots: [2] })], [9, 9, 0, 9])).rho).toEqual([
      9, 9, 1.5, 9,
    ]);
    expect(ok(transfer(artifact(), plain, [target({ rhoSlots: [5] })], [9])).rho).toEqual([9]);
    expect(ok(transfer(artifact(), plain, [target({ rhoSlots: [0, 1] })], [9, 9])).rho).toEqual([9, 9]);
  });
  it("a foreign descriptor is refused", () => {
    const poisson = { ...plain, family: { kind: "poisson", link: "log", channels: 1 } };
    expect(transfer(artifact(), poisson, [target()], [0])).toEqual({
      ok: false,
      code: "DESCRIPTOR_MISMATCH",
    });
    const other = descriptor([termIdentity({ ...SHAPE, name: "s(q)" })]);
    expect(transfer(artifact(), other, [target()], [0], { wholeModel: true })).toEqual({
      ok: false,
      code: "DESCRIPTOR_MISMATCH",
    });
  });
  it("projection through the identity keeps beta", () => {
    const r = ok(transfer(artifact(), plain, [target()], [0]));
    expect(r.provenance).toEqual(["projected"]);
    r.beta[0]!.forEach((b, i) => {
      expect(b).toBeCloseTo([0.5, -1, 2, 0.25][i]!, 7);
    });
  });
  it("raw 4 becomes reduced 2", () => {
    const gauge = { rows: 4, columns: 2, data: [1, 0, 1, 0, 0, 1, 0, 1] };
    const r = ok(
      transfer(
        artifact({ terms: [term({ beta: [1, 1, 3, 3] })] }),
        plain,
        [target({ width: 2, gauge })],
        [0],
      ),
    );
    expect(r.beta[0]![0]).toBeCloseTo(1, 7);
    expect(r.beta[0]![1]).toBeCloseTo(3, 7);
  });
  it("a raw beta of the wrong length leaves beta cold but rho copied", () => {
    const r = ok(transfer(artifact({ terms: [term({ beta: [1, 2] })] }), plain, [target()], [0]));
    expect(r).toMatchObject({ provenance: ["rho-only"], rho: [1.5], beta: [[0, 0, 0, 0]] });
  });
  it("a coefficient beyond 1e6 is no start", () => {
    const r = ok(transfer(artifact({ terms: [term({ beta: [1e7, 0, 0, 0] })] }), plain, [target()], [0]));
    expect(r).toMatchObject({ provenance: ["rho-only"], beta: [[0, 0, 0, 0]] });
  });
  it("matching is per term: one changed term does not lose the others", () => {
    const two = [term(), term({}, { name: "s(z)" })];
    const changed = termIdentity({ ...SHAPE, name: "s(z)", width: 7 });
    const r = ok(
      transfer(
        artifact({ terms: two }),
        descriptor([two[0]!.identity, changed]),
        [target(), target({ identity: changed, rhoSlots: [1], width: 7 })],
        [0, 0.5],
      ),
    );
    expect(r).toMatchObject({ provenance: ["projected", "cold"], rho: [1.5, 0.5], matched: 1 });
    expect(r.beta.map((b) => b.length)).toEqual([4, 7]);
  });
  it("the projection is exact to 1e-7 and always finite or refused", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 4 }),
        fc.infiniteStream(fc.double({ min: -3, max: 3, noNaN: true })),
        (width, more, numbers) => {
          const rows = width + more;
          const pick = (n: number): number[] => [...numbers.take(n)];
          const t = pick(rows * width).map((v, i) => v * 0.1 + Number(Math.floor(i / width) === i % width));
          const theta = pick(width);
          const beta = Array.from({ length: rows }, (_, r) =>
            theta.reduce((s, b, c) => s + t[r * width + c]! * b, 0),
          );
          const found = projectBeta(t, beta, width)!;
          found.forEach((v, i) => {
            expect(Math.abs(v - theta[i]!)).toBeLessThan(1e-5);
          });
        },
      ),
      { numRuns: 50 },
    );
    expect(projectBeta(identityMatrix(3), [1, 2, 3], 3)!.map((v) => Math.round(v * 1e7) / 1e7)).toEqual([
      1, 2, 3,
    ]);
    expect(projectBeta([Number.NaN], [1], 1)).toBeUndefined();
  });
});
