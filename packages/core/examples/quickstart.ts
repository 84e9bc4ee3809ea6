import { tmpdir } from "node:os";
import { Random, readIpcFile, readTable, tableFromColumns, toNumbers, writeIpcFile } from "@x/core";

const text = new TextEncoder().encode("id\theight\nann\t171.5\nbob\tNA\n"); // or the name of a file, gzip too
const people = await readTable(text, { header: true, delimiter: "tab" }); // strict: errors name file and line
const height = toNumbers(people.column("height"), { missing: ["NA"] }); // Float64Array, NaN = missing
const random = new Random(1); // the same numbers in TypeScript and Rust
const table = tableFromColumns({ id: people.column("id"), height, noise: height.map(() => random.normal()) });
await writeIpcFile(`${tmpdir()}/people.arrow`, table); // complete under its name, or not there at all
console.log((await readIpcFile(`${tmpdir()}/people.arrow`)).toString()); // checked before it is read
await readTable("people.txt").catch((e) => console.log(String(e))); // ENOENT people.txt: no such file or folder
