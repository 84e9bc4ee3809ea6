import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { artifactChecksum, creationTime } from "../src/artifact/artifact.ts";
import { artifactText } from "../src/artifact/read.ts";
import {
  descriptorKey,
  type FitArtifact,
  fromBlockName,
  isFinite as isFiniteTerm,
  isUsable,
  parseArtifact,
  readArtifact,
  roleOf,
  sameArtifact,
  termIdentity,
  writeArtifact,
} from "../src/index.ts";
import { artifact, descriptor, SHAPE, term } from "./support/artifacts.ts";
import { tempFolder } from "./support/files.ts";

describe("the type-level contract", () => {
  const id = termIdentity(SHAPE);
  it("identity splits on name", () => {
    expect(termIdentity({ ...SHAPE, name: "s(z)" })).not.toBe(id);
  });
  it("identity splits on role", () => {
    expect(termIdentity({ ...SHAPE, role: "log-slope" })).not.toBe(id);
  });
  it("identity splits on penalty count", () => {
    expect(termIdentity({ ...SHAPE, penalties: ["s(x)", "s(x)"] })).not.toBe(id);
    expect(termIdentity({ ...SHAPE, penalties: [null] })).not.toBe(id);
  });
  it("identity splits on reduced width", () => {
    expect(termIdentity({ ...SHAPE, width: 37 })).not.toBe(termIdentity({ ...SHAPE, width: 85 }));
  });
  it("identity matches at equal width", () => {
    expect(termIdentity({ ...SHAPE })).toBe(id);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });
  it("descriptor key ignores rows and label", () => {
    const key = descriptorKey(descriptor([id]));
    expect(descriptorKey(descriptor([id], { rows: { count: 7, label: "fold 3" }, response: "z" }))).toBe(key);
    expect(
      descriptorKey(descriptor([id], { family: { kind: "poisson", link: "log", channels: 1 } })),
    ).not.toBe(key);
  });
  it("descriptor key ignores term order", () => {
    const other = termIdentity({ ...SHAPE, name: "s(z)" });
    expect(descriptorKey(descriptor([id, other]))).toBe(descriptorKey(descriptor([other, id])));
    expect(descriptorKey(descriptor([id, id]))).not.toBe(descriptorKey(descriptor([id])));
  });
  it("usable guard rejects NaN beta and infinite objective", () => {
    expect(isUsable(artifact())).toBe(true);
    expect(isUsable(artifact({ terms: [term({ beta: [0, Number.NaN, 0, 0] })] }))).toBe(false);
    const global = { objective: Number.POSITIVE_INFINITY, converged: true, rows: 1, theta: [] };
    expect(isUsable(artifact({ global }))).toBe(false);
  });
  it("basis meta survives JSON", () => {
    const basis = {
      kind: "matern",
      degree: 3,
      knots: 10,
      centers: 4,
      nullspaceOrder: 1,
      maternNu: 1.5,
      periodic: true,
    };
    const a = artifact({ terms: [term({ basis })] });
    expect(parseArtifact(artifactText(a)).terms[0]!.basis).toEqual(basis);
  });
  it("the rotation matrix survives JSON", () => {
    const jointNullRotation = { rows: 2, columns: 2, data: [0.1, -0, 1e-300, 1 / 3] };
    const a = artifact({ terms: [term({ jointNullRotation })] });
    const back = parseArtifact(artifactText(a));
    expect(back).toEqual(a);
    expect(Object.is(back.terms[0]!.jointNullRotation!.data[1], -0)).toBe(true);
    expect(isFiniteTerm(term({ jointNullRotation: { ...jointNullRotation, rows: 3 } }))).toBe(false);
  });
  it("not converged is not usable, nor is another schema", () => {
    expect(isUsable(artifact({ global: { objective: 1, converged: false, rows: 1, theta: [] } }))).toBe(
      false,
    );
    expect(isUsable({ ...artifact(), schema: 2 })).toBe(false);
  });
});

describe("roles", () => {
  it.each([
    ["logslope", "log-slope"],
    ["Log_Slope", "log-slope"],
    ["sigma", "log-slope"],
    ["dispersion", "log-slope"],
    ["disp", "log-slope"],
    ["mean", "mean"],
    ["loc", "mean"],
    ["marginal", "mean"],
    ["location_scale", "log-slope"],
    ["s(x)", "generic"],
    ["", "generic"],
    // Traps: parts of other words.
    ["block", "mean"],
    ["s(scale)", "log-slope"],
    ["s(display)", "log-slope"],
  ] as const)("%s reads as %s", (name, role) => {
    expect(fromBlockName(name)).toBe(role);
  });
  it("a stated role always wins", () => {
    expect(roleOf({ ...SHAPE, name: "s(scale)", role: "mean" })).toBe("mean");
    const { role: _role, ...bare } = SHAPE;
    expect(roleOf({ ...bare, name: "s(scale)" })).toBe("log-slope");
  });
});

/** An artifact that a test may damage. */
type Loose<T> = T extends readonly (infer U)[]
  ? Loose<U>[]
  : T extends object
    ? { -readonly [K in keyof T]: Loose<T[K]> }
    : T;

describe("files", () => {
  const good = artifact();
  const put = (text: string | Uint8Array): string => {
    const path = join(tempFolder(), "a.json");
    writeFileSync(path, text);
    return path;
  };
  const changed = (change: (a: Loose<FitArtifact>) => void, reseal = true): string => {
    const a = structuredClone(good) as Loose<FitArtifact>;
    change(a);
    if (reseal) {
      try {
        a.checksum = artifactChecksum(a);
      } catch {
        // NaN
      }
    }
    return JSON.stringify(a);
  };
  it("written and read back; the same bytes twice", async () => {
    const path = join(tempFolder(), "a.json");
    await writeArtifact(good, path);
    const first = readFileSync(path);
    await writeArtifact(good, path);
    expect(readFileSync(path).equals(first)).toBe(true);
    expect(readArtifact(path)).toEqual(good);
  });
  it.each([
    [
      "art-version",
      changed((a) => {
        a.schema = 999;
      }),
      "ARTIFACT_VERSION",
    ],
    [
      "art-hash",
      changed((a) => {
        a.terms[0]!.beta[0] = 0.75;
      }, false),
      "ARTIFACT_HASH",
    ],
    [
      "art-nan",
      changed((a) => {
        a.terms[0]!.beta[1] = Number.NaN;
      }),
      "ARTIFACT_VALUES",
    ],
    [
      "wrong length",
      changed((a) => {
        a.terms[0]!.basis.centers = 9;
      }),
      "ARTIFACT_VALUES",
    ],
    [
      "scales of another length",
      changed((a) => {
        a.terms[0]!.penaltyScale = [];
      }),
      "ARTIFACT_VALUES",
    ],
    [
      "art-traversal",
      changed((a) => {
        a.key = "../../etc/x";
      }),
      "ARTIFACT_PATH",
    ],
    [
      "a key of another descriptor",
      changed((a) => {
        a.key = "0".repeat(64);
      }),
      "ARTIFACT_HASH",
    ],
    ["truncated", artifactText(good).slice(0, 200), "ARTIFACT_TRUNCATED"],
    ["empty", "", "ARTIFACT_TRUNCATED"],
    ["no JSON", "{nonsense}", "ARTIFACT_FORMAT"],
    ["a list", "[]", "ARTIFACT_FORMAT"],
    [
      "a field missing",
      changed((a) => {
        Reflect.deleteProperty(a, "global");
      }),
      "ARTIFACT_FORMAT",
    ],
    [
      "a field too many",
      changed((a) => {
        Object.assign(a, { more: 1 });
      }),
      "ARTIFACT_FORMAT",
    ],
    ["cfg-proto", artifactText(good).replace(/\}\n$/, ',"__proto__":{"polluted":1}}'), "ARTIFACT_FORMAT"],
    [
      "a text for a number",
      changed((a) => {
        a.terms[0]!.rho[0] = "1" as never;
      }),
      "ARTIFACT_VALUES",
    ],
    [
      "an unknown role",
      changed((a) => {
        a.terms[0]!.role = "boss" as never;
      }),
      "ARTIFACT_FORMAT",
    ],
    ["art-bomb", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), "DECOMPRESS_LIMIT"],
    ["a zip", Buffer.from("PK\u0003\u0004xxxx"), "DECOMPRESS_LIMIT"],
  ])("%s is refused", (_name, text, code) => {
    expect(() => readArtifact(put(text))).toThrow(expect.objectContaining({ code }));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
  it("a missing file is named", () => {
    expect(() => readArtifact(join(tempFolder(), "none.json"))).toThrow(
      expect.objectContaining({ code: "ENOENT" }),
    );
    const link = join(tempFolder(), "l.json");
    symlinkSync(put(artifactText(good)), link);
    expect(readArtifact(link)).toEqual(good);
  });
  it("NaN is refused when writing", async () => {
    const bad = { ...good, global: { ...good.global, objective: Number.NaN } } as FitArtifact;
    await expect(writeArtifact(bad, join(tempFolder(), "x.json"))).rejects.toMatchObject({
      code: "ARTIFACT_VALUES",
    });
  });
  it("the creation time stands outside checksum and equality", () => {
    const later = artifact({ created: 1_700_000_000 });
    expect(later.checksum).toBe(good.checksum);
    expect(sameArtifact(later, good)).toBe(true);
    expect(creationTime(undefined, {})).toBeNull();
    expect(creationTime(undefined, { SOURCE_DATE_EPOCH: "12" })).toBe(12);
    expect(creationTime(7, { SOURCE_DATE_EPOCH: "12" })).toBe(7);
    expect(() => creationTime(undefined, { SOURCE_DATE_EPOCH: "soon" })).toThrow(
      /SOURCE_DATE_EPOCH must be whole seconds/,
    );
  });
});
