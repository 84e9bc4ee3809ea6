// The discretised mode: close to the exact fit, exact where covariates have few values, the same for any threads.
import { expect, it } from "vitest";
import { binomial, fit } from "../src/index.ts";
import { randoms } from "./support/files.ts";

const next = randoms(7);
const n = 6000;
const x = Array.from({ length: n }, () => next());
const z = Array.from({ length: n }, () => next());
const level = Array.from({ length: n }, () => Math.floor(next() * 12));
const id = level.map((l) => `s${l}`);
const noise = Array.from({ length: n }, () => next() + next() + next() - 1.5);
const y = x.map((v, i) => Math.sin(6 * v) + z[i]! ** 2 + 0.1 * level[i]! + noise[i]!);
const yes = y.map((v, i) => +(v + noise[(i * 7) % n]! > 1));
const data = { x, z, level, id, y, yes };

it.each([
  'y ~ s(x, bs="cr", k=10) + s(z, k=8)',
  'y ~ s(x, bs="ps", k=10) + te(x, z, k=4) + s(id, bs="re")',
  'y ~ s(x, z, k=20) + s(x, by=level, bs="cr", k=6)',
])("%s: within a fraction of a standard error of the exact fit", async (formula) => {
  const exact = await fit(formula, data);
  const rounded = await fit(formula, data, { discrete: true });
  expect(Math.abs(rounded.edf - exact.edf)).toBeLessThan(0.02 * exact.edf);
  const some = { x: x.slice(0, 50), z: z.slice(0, 50), level: level.slice(0, 50), id: id.slice(0, 50) };
  const [a, b] = [await exact.predict(some, { se: true }), await rounded.predict(some)];
  a.fit[0]!.forEach((v, i) => {
    expect(Math.abs(v - b.fit[0]![i]!)).toBeLessThan(0.15 * a.se![0]![i]!);
  });
});

it("covariates with few distinct values lose nothing", async () => {
  const formula = 'yes ~ s(level, bs="cr", k=6)';
  const exact = await fit(formula, data, { family: binomial() });
  const rounded = await fit(formula, data, { family: binomial(), discrete: true });
  expect(rounded.criterion).toBe(exact.criterion);
  expect(rounded.coefficients).toEqual(exact.coefficients);
});

it("one and two threads give the same bytes, discretised or not", async () => {
  const formula = 'yes ~ s(x, bs="cr", k=10) + s(z, bs="ps", k=8) + s(id, bs="re")';
  for (const discrete of [false, true]) {
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => fit(formula, data, { family: binomial(), discrete, threads })),
    );
    expect(two!.coefficients).toEqual(one!.coefficients);
    expect(two!.rho).toEqual(one!.rho);
    expect(two!.parts.arrays.vp).toEqual(one!.parts.arrays.vp);
    expect(two!.criterion).toBe(one!.criterion);
  }
});
