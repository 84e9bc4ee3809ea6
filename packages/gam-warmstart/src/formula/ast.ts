/** What the text of a formula becomes before anybody asks what it means. Places are offsets from 0. */

/** One argument of a call. */
export interface Argument {
  /** As in `k=20`; absent for an argument by position. */
  readonly name?: string;
  readonly value: Expr;
}

/** An expression of R's grammar, as far as formulas need it. */
export type Expr =
  | { readonly type: "number"; readonly value: number; readonly at: number }
  | { readonly type: "string"; readonly value: string; readonly at: number }
  | { readonly type: "name"; readonly name: string; readonly at: number }
  | { readonly type: "call"; readonly fn: string; readonly args: readonly Argument[]; readonly at: number }
  | { readonly type: "unary"; readonly op: string; readonly arg: Expr; readonly at: number }
  | {
      readonly type: "binary";
      readonly op: string;
      readonly left: Expr;
      readonly right: Expr;
      readonly at: number;
    };

/** The text R would print for an expression: labels and column names are made of it. */
export function deparse(e: Expr): string {
  switch (e.type) {
    case "number":
      return String(e.value);
    case "string":
      return JSON.stringify(e.value);
    case "name":
      return /^[\p{L}.][\p{L}\p{N}._]*$/u.test(e.name) ? e.name : `\`${e.name}\``;
    case "unary":
      return `${e.op}${deparse(e.arg)}`;
    case "binary":
      return /^[:^]$/.test(e.op)
        ? `${deparse(e.left)}${e.op}${deparse(e.right)}`
        : `${deparse(e.left)} ${e.op} ${deparse(e.right)}`;
    case "call": {
      const args = e.args.map((a) => (a.name === undefined ? "" : `${a.name} = `) + deparse(a.value));
      return e.fn === "(" ? `(${args[0]})` : `${e.fn}(${args.join(", ")})`;
    }
  }
}

/** The names an expression reads, in order of appearance, each once. */
export function namesIn(e: Expr, found: string[] = []): string[] {
  if (e.type === "name" && !CONSTANTS.has(e.name) && !found.includes(e.name)) found.push(e.name);
  if (e.type === "unary") namesIn(e.arg, found);
  if (e.type === "binary") {
    namesIn(e.left, found);
    namesIn(e.right, found);
  }
  if (e.type === "call") for (const a of e.args) namesIn(a.value, found);
  return found;
}

/** Names that are values, not columns. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["TRUE", 1],
  ["FALSE", 0],
  ["T", 1],
  ["F", 0],
]);
