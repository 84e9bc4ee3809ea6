import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import {
  jsonlTracker,
  lossReportHtml,
  type RunTracker,
  readHistory,
  type Step,
  tensorBoardTracker,
  track,
} from "../src/index.ts";
import { lineText, liveLine } from "../src/live-line.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-monitor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function* steps(n: number): AsyncGenerator<Step> {
  for (let step = 0; step < n; step++)
    yield {
      step,
      loss: 1 / (step + 1),
      parts: { kl: step === 2 ? Number.NaN : 0.5 },
      gradientNorm: 2,
      applied: step !== 2,
      notFinite: step === 2 ? ["kl"] : [],
      lossScale: 1,
      stepsPerSecond: 12.5,
    };
}

it("history, event files and a tracker of one's own get every step; all are closed at the end", async () => {
  const seen: string[] = [];
  const own: RunTracker = {
    log: (step, values) => void seen.push(`${step} ${values.loss}`),
    close: () => void seen.push("closed"),
  };
  const history = join(folder, "history.jsonl");
  const trackers = [own, jsonlTracker(history), tensorBoardTracker(join(folder, "tb"))];
  let now = 1e9;
  const passed: number[] = [];
  for await (const s of track(steps(4), { trackers, every: 1, now: () => now++ })) passed.push(s.step);
  expect(passed).toEqual([0, 1, 2, 3]);
  expect(seen).toEqual(["0 1", "1 0.5", `2 ${1 / 3}`, "3 0.25", "closed"]);

  appendFileSync(history, '{"step":4,"lo');
  const lines = readHistory(history);
  expect(lines.map((l) => l.step)).toEqual([0, 1, 2, 3]);
  expect(lines[2]).toMatchObject({ "part/kl": null, applied: 0 });

  const page = lossReportHtml(lines, { title: "a <b>", facts: { device: "cpu" } });
  expect(page).toContain("a &#60;b&#62;");
  expect(page.match(/<figure>/g)!.length).toBe(4);
  expect(page).toContain("not finite");
  expect(page).not.toMatch(/<script|https?:|NaN/);

  const [name] = readdirSync(join(folder, "tb"));
  const bytes = readFileSync(join(folder, "tb", name!));
  // Record of the version: its length, then the checksum of the length as TensorFlow computes it.
  expect(name).toMatch(/^events\.out\.tfevents\.\d+/);
  expect(bytes.subarray(12, 12 + Number(bytes.readBigUInt64LE(0))).toString("latin1")).toContain(
    "brain.Event:2",
  );
  expect(records(bytes).length).toBe(5);
  expect(records(bytes)[1]!.toString("latin1")).toContain("part/kl");
});

it("a history is read through gzip and a byte order mark", () => {
  const path = join(folder, "given.jsonl");
  for (const bytes of [Buffer.from('\ufeff{"step":1,"loss":2}\n'), gzipSync('{"step":1,"loss":2}\n')]) {
    writeFileSync(path, bytes);
    expect(readHistory(path)).toEqual([{ step: 1, loss: 2 }]);
  }
});

it("a page of epochs says so; one epoch is a point; labels fit their margin", () => {
  const page = lossReportHtml([{ step: 1, loss: 3, validation: 2, cellsPerSecond: 8660 }]);
  expect(page).toMatch(/<th>epochs<\/th><td>1<\/td>/);
  expect(page).toContain(">epoch 1</text>");
  expect(page).toContain(">8,660</text>");
  expect(page.match(/<circle class="p"/g)).toHaveLength(3);
  const gaps = [1, null, 2, 3].map((loss, step) => ({ step, loss }));
  expect(lossReportHtml(gaps)).toMatch(/>step 3<\/text>.*<circle/);
  expect(lossReportHtml(gaps).match(/<circle/g)).toHaveLength(1);
  expect(lossReportHtml(gaps, { unit: "epoch" })).toContain(">epoch 3</text>");
});

function records(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const n = Number(bytes.readBigUInt64LE(at));
    out.push(bytes.subarray(at + 12, at + 12 + n));
    at += 16 + n;
  }
  return out;
}

it("the checksums are CRC-32C, masked", async () => {
  const { eventRecord } = await import("../src/tensorboard.ts");
  // CRC-32C of "123456789" is e3069283 (RFC 3720); rotated right by 15 plus a282ead8.
  const crc = 0xe3069283;
  const masked = ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;
  expect(eventRecord(Buffer.from("123456789")).readUInt32LE(12 + 9)).toBe(masked);
});

it("the live line, on a terminal only", () => {
  const values = { loss: 0.43125, "part/kl": 0.0213, stepsPerSecond: 100 };
  expect(
    lineText(1199, values, {
      total: 5000,
      epochSteps: 500,
      batch: 128,
      unit: "cells",
      elapsed: 12,
      done: 1199,
    }),
  ).toBe("epoch 3 · step 1,200/5,000 · loss 0.4313 · kl 0.0213 · 12,800 cells/s · 0:38 left");
  let text = "";
  const write = (t: string): void => {
    text += t;
  };
  liveLine({ stream: { write } }).log(0, values, 1);
  expect(text).toBe("");
  const line = liveLine({ stream: { write, isTTY: true, columns: 20 } });
  line.log(0, values, 1);
  line.log(1, values, 1.01);
  line.close();
  expect(text).toBe("\r\x1b[Kstep 1 · loss 0.4313\r\x1b[K".replace("3\r", "\r"));
});

it("the quickstart runs, learns, exports and stands in the README", () => {
  const example = fileURLToPath(new URL("../examples/quickstart.ts", import.meta.url));
  const readme = fileURLToPath(new URL("../README.md", import.meta.url));
  const out = execFileSync(process.execPath, [example, join(folder, "model.onnx")], { encoding: "utf8" });
  const losses = [...out.matchAll(/^\d+ (\S+)$/gm)].map((m) => Number(m[1]));
  expect(losses.length).toBe(4);
  expect(losses[3]!).toBeLessThan(losses[0]! / 2);
  expect(out).toMatch(/trained on (cpu|cuda:0): .+/);
  expect(readdirSync(folder)).toContain("model.onnx");
  expect(readFileSync(readme, "utf8")).toContain(readFileSync(example, "utf8").trim());
});
