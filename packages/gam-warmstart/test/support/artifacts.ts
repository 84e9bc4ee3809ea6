import { artifactChecksum } from "../../src/artifact/artifact.ts";
import {
  descriptorKey,
  type FitArtifact,
  type FitDescriptor,
  type TermArtifact,
  type TermShape,
  termIdentity,
} from "../../src/index.ts";

export const SHAPE: TermShape = { name: "s(x)", role: "mean", penalties: ["s(x)"], nullDims: [1], width: 4 };

export function term(change: Partial<TermArtifact> = {}, shape: Partial<TermShape> = {}): TermArtifact {
  return {
    identity: termIdentity({ ...SHAPE, ...shape }),
    name: shape.name ?? SHAPE.name,
    role: "mean",
    basis: { kind: "cr", periodic: false },
    beta: [0.5, -1, 2, 0.25],
    rho: [1.5],
    penaltyScale: [100],
    ...change,
  };
}

export const descriptor = (terms: readonly string[], change: Partial<FitDescriptor> = {}): FitDescriptor => ({
  family: { kind: "gaussian", link: "identity", channels: 1 },
  response: "y",
  rows: { count: 100 },
  terms,
  ...change,
});

export function artifact(change: Partial<Omit<FitArtifact, "checksum" | "key">> = {}): FitArtifact {
  const terms = change.terms ?? [term()];
  const content = {
    schema: 1,
    created: null,
    descriptor: descriptor(terms.map((t) => t.identity)),
    global: { objective: 12.5, converged: true, rows: 100, theta: [] },
    ...change,
    terms,
  };
  const whole = { ...content, key: descriptorKey(content.descriptor) };
  let checksum = "0".repeat(64);
  try {
    checksum = artifactChecksum(whole);
  } catch {
    // values that are not finite have no checksum
  }
  return { ...whole, checksum };
}

export const identityMatrix = (n: number): number[] =>
  Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
