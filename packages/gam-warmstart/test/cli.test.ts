import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromIpc } from "@x/core";
import { expect, it } from "vitest";
import { parseArtifact, readModel } from "../src/index.ts";
import { gam, readJson, tempFolder, visits } from "./support/files.ts";

const folder = tempFolder();
const formula = 'responded ~ s(dose, bs="cr", k=8) + s(subject, bs="re")';
const file = (name: string): string => join(folder, name);

it("fit writes model, artifact and report, and prints a summary", async () => {
  const ran = await gam([
    "fit",
    visits,
    formula,
    "--family",
    "binomial",
    "--out",
    file("m.json"),
    "--artifact",
    file("a.json"),
    "--report",
    file("r.html"),
  ]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.out).toMatch(
    /Family: binomial[\s\S]*Link function: logit[\s\S]*Parametric coefficients:[\s\S]*\(Intercept\)[\s\S]*s\(dose\)[\s\S]*-REML = /,
  );
  expect(ran.err).toMatch(/ROWS_DROPPED/);
  const report = readFileSync(file("r.html"), "utf8");
  expect(report).toMatch(
    /Partial effects[\s\S]*<svg[\s\S]*Residuals[\s\S]*Certificate[\s\S]*gam-warmstart fit/,
  );
  expect(report).not.toMatch(/(?:src|href)=|<script|@import|NaN|undefined/);
  const again = await gam([
    "fit",
    visits,
    formula,
    "--family",
    "binomial",
    "--out",
    file("m2.json"),
    "--artifact",
    file("a2.json"),
    "--threads",
    "1",
    "--quiet",
  ]);
  expect(again).toMatchObject({ code: 0, out: "", err: "" });
  expect(readFileSync(file("m2.json")).equals(readFileSync(file("m.json")))).toBe(true);
  expect(readFileSync(file("a2.json")).equals(readFileSync(file("a.json")))).toBe(true);
});

it("--json prints what the API returns", async () => {
  const ran = await gam([
    "fit",
    visits,
    formula,
    "--family",
    "binomial",
    "--warm-start",
    file("a.json"),
    "--json",
  ]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  const facts = JSON.parse(ran.out);
  const model = readModel(file("m.json"));
  expect(facts.criterion).toBeCloseTo(model.criterion, 7);
  expect(facts.terms.map((t: { label: string }) => t.label)).toEqual(["s(dose)", "s(subject)"]);
  expect(facts.start.kind).toBe("warm");
  expect(Object.keys(facts)).toEqual(
    expect.arrayContaining(["rho", "edf", "deviance", "scale", "iterations", "certificate", "rows"]),
  );
});

it("a bad artifact means a cold start with the reason; the verb artifact refuses it", async () => {
  writeFileSync(
    file("bad.json"),
    readFileSync(file("a.json"), "utf8").replace(/"objective":\d/, '"objective":9'),
  );
  const ran = await gam(["fit", visits, formula, "--family", "binomial", "--warm-start", file("bad.json")]);
  expect(ran.code).toBe(0);
  expect(ran.err).toMatch(/COLD_START .*ARTIFACT_HASH/);
  expect(await gam(["artifact", file("bad.json")])).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/^ARTIFACT_HASH/),
  });
  const shown = await gam(["artifact", file("a.json")]);
  expect(shown.out).toMatch(/key {8}[0-9a-f]{64}[\s\S]*usable[\s\S]*s\(dose\) {2}cr {2}mean/);
  const key = parseArtifact(readFileSync(file("a.json"), "utf8")).key;
  expect((await gam(["artifact", file("a.json"), "--key"])).out.trim()).toBe(key);
});

it("predict: CSV, Arrow and JSON say the same", async () => {
  writeFileSync(file("new.csv"), "dose,subject\n1,p01\n2,p02\nNA,p01\n3,somebody\n");
  const text = await gam(["predict", file("m.json"), file("new.csv"), "--se"]);
  expect(text, text.err).toMatchObject({ code: 0 });
  expect(text.err).toMatch(/UNSEEN_LEVELS[\s\S]*ROWS_MISSING/);
  const rows = text.out.trim().split("\n");
  expect(rows[0]).toBe("fit,se");
  expect(rows[3]).toBe("NA,NA");
  const json = JSON.parse((await gam(["predict", file("m.json"), file("new.csv"), "--se", "--json"])).out);
  expect(json.fit[0].map(String)).toEqual(rows.slice(1).map((r) => r.split(",")[0]!.replace("NA", "null")));
  await gam(["predict", file("m.json"), file("new.csv"), "--se", "--out", file("p.arrow")]);
  const table = fromIpc(readFileSync(file("p.arrow")));
  expect(table.schema.fields.map((f) => f.name)).toEqual(["fit", "se"]);
  const terms = await gam([
    "predict",
    file("m.json"),
    file("new.csv"),
    "--type",
    "terms",
    "--exclude",
    "s(subject)",
  ]);
  expect(terms.out.split("\n")[0]).toBe("s(dose)");
});

it("crossfit, compare, diagnose, report, summary", async () => {
  const cv = await gam([
    "crossfit",
    visits,
    formula,
    "--family",
    "binomial",
    "--group",
    "subject",
    "--json",
    "--out",
    file("cv.csv"),
    "--report",
    file("cv.html"),
  ]);
  expect(cv, cv.err).toMatchObject({ code: 0 });
  const found = JSON.parse(cv.out);
  expect(found.folds.length).toBe(20);
  expect(Object.keys(found.folds[0])).toEqual(
    expect.arrayContaining(["name", "criterion", "rho", "edf", "warm", "cold", "score"]),
  );
  expect(readFileSync(file("cv.csv"), "utf8").trim().split("\n").length).toBe(501);
  expect(readFileSync(file("cv.html"), "utf8")).toMatch(/<h2>Folds<\/h2>/);
  const table = await gam([
    "crossfit",
    visits,
    formula,
    "--family",
    "binomial",
    "--folds",
    "3",
    "--quiet",
    "--without-cold",
  ]);
  expect(table).toMatchObject({ code: 0, out: "" });
  const small = await gam([
    "fit",
    visits,
    'responded ~ dose + s(subject, bs="re")',
    "--family",
    "binomial",
    "--out",
    file("small.json"),
  ]);
  expect(small.code).toBe(0);
  const compared = await gam(["compare", file("small.json"), file("m.json")]);
  expect(compared.out).toMatch(/resid\.df[\s\S]*difference: df [\d.]+, .*Chi\.sq.*ΔAIC/);
  const diagnosed = await gam(["diagnose", file("m.json"), visits, "--seed", "1"]);
  expect(diagnosed, diagnosed.err).toMatchObject({ code: 0 });
  expect(diagnosed.out).toMatch(/k-index[\s\S]*s\(dose\)[\s\S]*concurvity[\s\S]*s\(dose\)/);
  expect(await gam(["report", file("m.json"), "--out", file("alone.html")])).toMatchObject({ code: 0 });
  expect(existsSync(file("alone.html"))).toBe(true);
  expect((await gam(["summary", file("m.json")])).out).toBe((await gam(["summary", file("m2.json")])).out);
});

it("every command has a help with an example, and prints one object with --json", async () => {
  const words: Record<string, string[]> = {
    predict: [file("m.json"), file("new.csv")],
    summary: [file("m.json")],
    compare: [file("small.json"), file("m.json")],
    diagnose: [file("m.json"), visits],
    report: [file("m.json"), visits, "--out", file("with-rows.html")],
    artifact: [file("a.json")],
  };
  const keys: Record<string, string[]> = {
    predict: ["rows", "names", "fit"],
    summary: ["criterion", "rho", "terms", "certificate"],
    compare: ["models", "test", "deltaAic"],
    diagnose: ["basis", "concurvity", "certificate"],
    report: ["files"],
    artifact: ["key", "usable", "terms", "global"],
  };
  for (const [verb, args] of Object.entries(words)) {
    const ran = await gam([verb, ...args, "--json"]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(Object.keys(JSON.parse(ran.out)), verb).toEqual(expect.arrayContaining(keys[verb]!));
  }
  expect(readFileSync(file("with-rows.html"), "utf8")).toMatch(/<h2>Residuals<\/h2>/);
  for (const verb of [...Object.keys(words), "fit", "crossfit"]) {
    const ran = await gam([verb, "--help"]);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(
      new RegExp(`gam-warmstart ${verb} [\\s\\S]*--json[\\s\\S]*gam-warmstart ${verb} `),
    );
  }
});

it("help names every command; a command's help its options", async () => {
  const help = (await gam([])).out;
  for (const verb of ["fit", "predict", "summary", "crossfit", "compare", "diagnose", "report", "artifact"])
    expect(help).toContain(verb);
  expect((await gam(["fit", "--help"])).out).toMatch(/--family[\s\S]*--warm-start[\s\S]*--json/);
  expect(readJson<{ version: string }>(new URL("../package.json", import.meta.url).pathname).version).toBe(
    (await gam(["--version"])).out.trim().split(" ")[1],
  );
});
