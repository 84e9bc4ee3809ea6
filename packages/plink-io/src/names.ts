import { fileError } from "@x/core/base";
import { scanFields } from "./fields.ts";

/**
 * Names of variants or people: a list as it is, or read from a text file. `ids`: every word is one (PLINK's
 * --extract). `people`: the first two words of a line are FID and IID, a lone word is an IID. People come back as
 * `FID⇥IID` or `IID`.
 */
export async function readNames(
  list: string | readonly string[],
  kind: "ids" | "people",
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (typeof list !== "string")
    return kind === "ids" ? list : list.map((name) => name.replace(/[ \t]+/, "\t"));
  const names: string[] = [];
  await scanFields(
    list,
    (line) => {
      if (kind === "people") names.push(line.count === 1 ? line.text(0) : `${line.text(0)}\t${line.text(1)}`);
      else for (let k = 0; k < line.count; k++) names.push(line.text(k));
    },
    () => {},
    signal,
  );
  if (names.length === 0) throw fileError("EMPTY_LIST", list, "the file names nobody and nothing.", {});
  return names;
}
