/** TensorBoard's event files: records of a length, its checksum, a message and its checksum. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError } from "@x/core/base";
import { AppendFile, type RunTracker } from "./tracker.ts";

/** Writes `events.out.tfevents.…` into a folder, which is made if need be; show it with `tensorboard --logdir`. */
export function tensorBoardTracker(folder: string): RunTracker {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (e) {
    throw fromSystemError(e, folder);
  }
  const seconds = Math.floor(Date.now() / 1000);
  const file = new AppendFile(join(folder, `events.out.tfevents.${seconds}.${process.pid}`));
  file.write(eventRecord(event(seconds, 0, [[3, text("brain.Event:2")]])));
  return {
    log(step, values, at) {
      const summary = Object.entries(values).map(([tag, value]) =>
        field(1, Buffer.concat([field(1, text(tag)), tagged(2, 5, float32(value))])),
      );
      file.write(eventRecord(event(at, step, [[5, Buffer.concat(summary)]])));
    },
    close: () => file.close(),
  };
}

/** One record around a message. */
export function eventRecord(message: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, checksum(length), message, checksum(message)]);
}

function event(seconds: number, step: number, fields: readonly (readonly [number, Uint8Array])[]): Buffer {
  const time = Buffer.alloc(8);
  time.writeDoubleLE(seconds);
  return Buffer.concat([
    tagged(1, 1, time),
    tagged(2, 0, varint(step)),
    ...fields.map(([n, body]) => field(n, body)),
  ]);
}

function field(number: number, body: Uint8Array): Buffer {
  return Buffer.concat([tagged(number, 2, varint(body.length)), body]);
}

function tagged(number: number, wire: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | wire), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

const text = (value: string): Buffer => Buffer.from(value);

function float32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return out;
}

/** CRC-32C (Castagnoli), rotated and offset as TensorFlow's records want it. */
function checksum(bytes: Uint8Array): Buffer {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)) >>> 0;
  crc = (crc ^ 0xffffffff) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE(((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32);
  return out;
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});
