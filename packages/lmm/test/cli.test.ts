import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { escapeXml } from "@x/core/base";
import { describe, expect, it } from "vitest";
import { GEMMA_OPTIONS, NOT_YET } from "../src/gemma/options.ts";
import { compareAssoc, compareKinship, gwas } from "../src/index.ts";
import { copyFileset, golden, gunzipText, lmm, names, tempFolder } from "./support/files.ts";

describe("options", () => {
  it.each([
    "-gk 3",
    "-km 2",
    "-bslmm 1",
    "-predict 1",
    "-vc 1",
    "-lm 1",
    "-nind 5",
    "-pace 10",
    "-seed 3",
    "-w 10",
  ])("%s is GEMMA's and not ours yet", async (words) => {
    const folder = tempFolder();
    const ran = await lmm(["-bfile", "x", ...words.split(" "), "-k", "k"], { cwd: folder });
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toMatch(
      new RegExp(
        `^NOT_IMPLEMENTED ${words
          .split(" ")
          .slice(0, /^-(gk|n)$/.test(words.split(" ")[0]!) ? 3 : 1)
          .join(" ")} `,
      ),
    );
    expect(names(folder)).toEqual([]);
  });

  it.each([
    [["-bfile", "x", "-gk", "1", "-mafia", "1"], /^UNKNOWN_OPTION .*-mafia.*did you mean -maf\?/],
    [["gwas", "--bfile", "x", "--outt", "y"], /^UNKNOWN_OPTION .*--outt/],
    [["gwas", "--bfile", "x", "--out", "y", "--chunk", "0"], /^OPTION_RANGE/],
    [["gwas", "--bfile", "x", "--out", "y", "--chunk", "1.5"], /^OPTION_RANGE/],
    [["-bfile", "x"], /^OPTION_MISSING/],
    [["-bfile", "x", "-lmm", "1"], /^OPTION_MISSING .*-k/],
    [["-bfile", "x", "-gk", "1", "-maf", "x"], /^OPTION_RANGE/],
    [["frobnicate"], /^UNKNOWN_COMMAND .*frobnicate/],
    [["gwsa", "--bfile", "x"], /^UNKNOWN_COMMAND .*did you mean gwas\?/],
    [["gwas", "--bfile", "x", "--out", "y", "-lmm", "5"], /^OPTION_RANGE .*-lmm is 1, 2, 3, 4 or 9/],
    [["-bfile", "x", "-k", "k", "-lmm", "8"], /^OPTION_RANGE .*-lmm is 1, 2, 3, 4 or 9/],
    [["-bfile", "x", "-gk", "1", "--neglog10p"], /^OPTION_CONFLICT/],
    [["gwas", "--bfile", "x", "--out", "y", "-gk", "3"], /^NOT_IMPLEMENTED -gk 3 /],
    [["gwas", "--bfile=x", "--out=y", "--gk=3", "--loco", "1"], /^NOT_IMPLEMENTED -gk 3 /],
  ])("%j is a usage error", async (args, message) => {
    const ran = await lmm(args, { cwd: tempFolder() });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });

  it("no option is both ours and missing", () => {
    expect(GEMMA_OPTIONS.filter((o) => NOT_YET.has(o.name))).toEqual([]);
  });

  it("an error under --json is one JSON object on stderr", async () => {
    const ran = await lmm(["gwas", "--bfile", "nowhere", "--out", join(tempFolder(), "x"), "--json"]);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(JSON.parse(ran.err).error).toMatchObject({ code: "ENOENT" });
  });
});

describe("commands", () => {
  const folder = tempFolder();
  const prefix = copyFileset("demo", folder);

  it("gwas: files, summary and JSON", async () => {
    const ran = await lmm(["gwas", "--bfile", prefix, "--out", join(folder, "x"), "--json"]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const result = JSON.parse(ran.out);
    expect(result.files.map((f: string) => f.slice(folder.length + 1))).toEqual([
      "x.assoc.txt",
      "x.assoc.arrow",
      "x.report.html",
      "x.log.txt",
    ]);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining(["people", "filters", "nullModel", "lambdaGC", "memory", "stages", "warnings"]),
    );
    const report = readFileSync(join(folder, "x.report.html"), "utf8");
    expect(report).toMatch(
      /<svg[\s\S]*Manhattan[\s\S]*QQ plot[\s\S]*Top hits[\s\S]*To repeat[\s\S]*lmm gwas --bfile/,
    );
    expect(report).not.toMatch(/(?:src|href)=|<script|@import|NaN|undefined/);
    expect(report.length).toBeLessThan(300_000);
  });

  it("report and log of a library call hold every given option", async () => {
    const out = join(folder, "lib");
    const ids = readFileSync(`${prefix}.bim`, "utf8").split("\n").slice(0, 40);
    const snps = new Set(ids.map((line) => line.split("\t")[1]!));
    await gwas(prefix, { out, maf: -1, snps, threads: 2, title: "A & B", regions: 12, onProgress: () => {} });
    const call = `gwas(${JSON.stringify(prefix)}, { out: ${JSON.stringify(out)}, maf: -1, snps: new Set(${JSON.stringify([...snps])}), threads: 2, title: "A & B", regions: 12 })`;
    expect(readFileSync(`${out}.log.txt`, "utf8")).toContain(`Command Line Input = ${call} `);
    const report = readFileSync(`${out}.report.html`, "utf8");
    expect(report).toContain(escapeXml(call));
    expect(report).toContain("<td>allele frequency</td><td>not tested</td>");
    expect(report).not.toContain("below -1");
    expect(report).toMatch(/class="narrow"><svg[^>]* width="400"/);
  });

  it("the log has GEMMA's labels, in its order", async () => {
    const ran = await lmm(["-bfile", prefix, "-gk", "-o", "k", "-outdir", join(folder, "o")]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const labels = (text: string): string[] =>
      [...text.matchAll(/^## ((?:number of|REMLE|MLE|pve|se|vg|ve|beta)[^=]*) =/gm)].map((m) => m[1]!);
    expect(labels(readFileSync(join(folder, "o/k.log.txt"), "utf8"))).toEqual(
      labels(readFileSync(golden("demo", "k1.log.txt"), "utf8")),
    );
    await lmm([
      "-bfile",
      prefix,
      "-k",
      join(folder, "o/k.cXX.txt"),
      "-lmm",
      "-o",
      "l",
      "-outdir",
      join(folder, "o"),
    ]);
    expect(labels(readFileSync(join(folder, "o/l.log.txt"), "utf8"))).toEqual(
      labels(readFileSync(golden("demo", "lmm1.log.txt"), "utf8")),
    );
  });

  it("people matched by id give the results of people matched by row", async () => {
    const shuffled = readFileSync(`${prefix}.covar.tsv`, "utf8").trimEnd().split("\n");
    writeFileSync(join(folder, "c.tsv"), `${[shuffled[0], ...shuffled.slice(1).reverse()].join("\n")}\n`);
    const byId = await lmm([
      "gwas",
      "--bfile",
      prefix,
      "-c",
      join(folder, "c.tsv"),
      "--on",
      "fid+iid",
      "--out",
      join(folder, "id"),
      "--without-report",
    ]);
    expect(byId, byId.err).toMatchObject({ code: 0 });
    const byRow = await lmm([
      "gwas",
      "--bfile",
      prefix,
      "-c",
      `${prefix}.covar.txt`,
      "--out",
      join(folder, "row"),
      "--without-report",
    ]);
    expect(byRow, byRow.err).toMatchObject({ code: 0 });
    const out = await lmm(["compare", join(folder, "id.assoc.txt"), join(folder, "row.assoc.txt")]);
    expect(out, out.out).toMatchObject({ code: 0 });
  });

  it("compare: 0 when equal, 1 with the worst row when not", async () => {
    const ours = join(folder, "x.assoc.txt");
    const theirs = golden("demo", "lmm1.assoc.txt.gz");
    expect((await lmm(["compare", ours, theirs])).code).toBe(0);
    const lines = gunzipText(theirs).split("\n");
    const fields = lines[5]!.split("\t");
    fields[7] = "9.000000e-01";
    writeFileSync(
      join(folder, "off.txt"),
      [...lines.slice(0, 5), fields.join("\t"), ...lines.slice(6)].join("\n"),
    );
    const ran = await lmm(["compare", join(folder, "off.txt"), theirs]);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(new RegExp(`FAIL beta .*row 5 \\(${fields[1]}\\): 9\\.000000e-01 against`));
    writeFileSync(join(folder, "short.txt"), `${lines.slice(0, 50).join("\n")}\n`);
    expect((await lmm(["compare", join(folder, "short.txt"), theirs])).out).toMatch(/more row/);
  });

  it("compare: unknown columns and files of two kinds are refused in one line", async () => {
    const [ours, theirs] = [join(folder, "x.assoc.txt"), golden("demo", "lmm1.assoc.txt.gz")];
    const kinship = golden("demo", "k1.cXX.lower.txt.gz");
    for (const [args, code, says] of [
      [["--tolerance", "bta=1", ours, theirs], 2, /^UNKNOWN_OPTION .*bta; did you mean beta\?\n$/],
      [["--tolerance", "k=1", ours, theirs], 2, /^UNKNOWN_OPTION .* k\b.*\n$/],
      [["--tolerance", "beta=1", kinship, kinship], 2, /^UNKNOWN_OPTION .*beta.*\n$/],
      [[kinship, theirs], 1, /^ASSOC_FORMAT .*\n$/],
      [[theirs, kinship], 1, /^ASSOC_FORMAT .*\n$/],
    ] as const) {
      const ran = await lmm(["compare", ...args]);
      expect(ran, ran.err).toMatchObject({ code, out: "" });
      expect(ran.err).toMatch(says);
      expect(ran.err.length).toBeLessThan(400);
    }
    await expect(compareAssoc(kinship, theirs)).rejects.toMatchObject({ code: "ASSOC_FORMAT" });
    await expect(compareKinship(kinship, theirs)).rejects.toMatchObject({ code: "KIN_FORMAT" });
    await expect(compareAssoc(ours, theirs, { limits: { bta: 1 } })).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  });

  it("compare: a difference exits with 1 under --json too", async () => {
    const ran = await lmm([
      "compare",
      "--json",
      join(folder, "off.txt"),
      golden("demo", "lmm1.assoc.txt.gz"),
    ]);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out).ok).toBe(false);
  });

  it("help: of the program without a word, with GEMMA's form and the choices", async () => {
    const [alone, asked] = [await lmm([]), await lmm(["--help"])];
    expect(alone).toMatchObject({ code: 0, err: "", out: asked.out });
    expect(alone.out).toMatch(/lmm -bfile study -k output\/k\.cXX\.txt -lmm 1/);
    expect(alone.out).toMatch(/gwas[\s\S]*compare[\s\S]*plan[\s\S]*-bfile[\s\S]*text\|arrow/);
    expect((await lmm(["gwas", "--help"])).out).toMatch(/--on iid\|fid\+iid/);
  });

  it("plan prints the parts", async () => {
    const ran = await lmm(["plan", "--samples", "50000", "--variants", "600000"]);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/kinship, 8 n²\s+20 GB/);
  });
});

it("compare: -log10 p is compared as a number", async () => {
  const folder = tempFolder();
  const file = (name: string, p: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `chr\trs\tps\tbeta\tse\tneg_log10_p_wald\n1\ta\t1\t1\t1\t${p}\n`);
    return path;
  };
  const reference = file("a", "400.0001");
  expect((await compareAssoc(file("b", "400.0002"), reference)).ok).toBe(true);
  expect((await compareAssoc(file("c", "400.1"), reference)).ok).toBe(false);
  expect((await compareAssoc(file("d", "nan"), reference)).ok).toBe(false);
});
