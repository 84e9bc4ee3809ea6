import * as fc from "fast-check";
import { it } from "vitest";

export { fc };

/** A property of random inputs. */
export function test<T>(name: string, inputs: fc.Arbitrary<T>, holds: (input: T) => Promise<void>): void {
  it(name, () => fc.assert(fc.asyncProperty(inputs, holds), { numRuns: 25 }));
}
