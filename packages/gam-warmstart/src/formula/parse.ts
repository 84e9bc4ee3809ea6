import type { XError } from "@x/core/base";
import { gamError } from "../errors.ts";
import type { Argument, Expr } from "./ast.ts";

/** Both sides of a formula; `response` is absent in a one-sided one (the second of a list). */
export interface ParsedFormula {
  readonly text: string;
  readonly response?: Expr;
  readonly terms: Expr;
}

interface Token {
  readonly kind: "number" | "string" | "name" | "op" | "end";
  readonly text: string;
  readonly at: number;
}

/** `CODE column n: …` with the place marked below the formula. */
export function formulaError(
  code: "FORMULA_SYNTAX" | "FORMULA_TERM" | "FORMULA_FUNCTION" | "FORMULA_ARGUMENT" | "FORMULA_RESPONSE",
  text: string,
  at: number,
  message: string,
): XError {
  const from = Math.max(0, at - 30);
  const piece = text.slice(from, at + 30).replace(/\s/g, " ");
  const mark = `${from > 0 ? "…" : ""}${piece}\n${" ".repeat(at - from + (from > 0 ? 1 : 0))}^`;
  return gamError(code, `column ${at + 1}: ${message}\n${mark}`, {
    details: { formula: text, column: at + 1 },
    usage: true,
  });
}

/** Loosest first; `~` is handled outside. `!` and unary signs lie between their neighbours as in R. */
const LEVELS: readonly (readonly string[])[] = [
  ["|", "||"],
  ["&", "&&"],
  ["==", "!=", "<", ">", "<=", ">="],
  ["+", "-"],
  ["*", "/"],
  ["%in%", "%%", "%/%"],
  [":"],
];

const MAX_DEPTH = 200;

/** Parses one formula in R's grammar. `FORMULA_SYNTAX` names the column, from 1. */
export function parseFormula(text: string): ParsedFormula {
  const parser = new Parser(text);
  return parser.formula();
}

/** Parses one expression, e.g. a user's `weights` written as `log(w)`. */
export function parseExpression(text: string): Expr {
  return new Parser(text).alone();
}

class Parser {
  readonly #text: string;
  readonly #tokens: Token[];
  #i = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  formula(): ParsedFormula {
    const first = this.#peek();
    if (first.kind === "end") throw this.#error(0, "the formula is empty; write e.g. y ~ s(x)");
    const response = first.text === "~" ? undefined : this.#level(0);
    const tilde = this.#next();
    if (tilde.text !== "~")
      throw this.#error(tilde.at, `${shown(tilde)} where ~ and the terms were expected`);
    if (this.#peek().kind === "end")
      throw this.#error(this.#text.length, "the terms are missing after ~; write 1 for an intercept alone");
    const terms = this.#level(0);
    this.#end();
    return response === undefined ? { text: this.#text, terms } : { text: this.#text, response, terms };
  }

  alone(): Expr {
    const e = this.#level(0);
    this.#end();
    return e;
  }

  #end(): void {
    const t = this.#peek();
    if (t.kind === "end") return;
    const why =
      t.text === ")"
        ? "this ) closes nothing"
        : t.text === "~"
          ? "a second ~; several formulas are given as a list"
          : `${shown(t)} where an operator (+ - * : ^) was expected`;
    throw this.#error(t.at, why);
  }

  #level(n: number): Expr {
    if (n === LEVELS.length) return this.#unary();
    if (n === 2 && this.#peek().text === "!") {
      const { at } = this.#next();
      return { type: "unary", op: "!", arg: this.#level(2), at };
    }
    let left = this.#level(n + 1);
    while (this.#peek().kind === "op" && LEVELS[n]!.includes(this.#peek().text)) {
      const op = this.#next();
      left = { type: "binary", op: op.text, left, right: this.#level(n + 1), at: op.at };
    }
    return left;
  }

  #unary(): Expr {
    const t = this.#peek();
    if (t.kind === "op" && (t.text === "-" || t.text === "+")) {
      this.#next();
      return this.#deeper(t.at, () => ({ type: "unary", op: t.text, arg: this.#unary(), at: t.at }));
    }
    return this.#power();
  }

  #power(): Expr {
    const base = this.#atom();
    if (this.#peek().text !== "^" || this.#peek().kind !== "op") return base;
    const op = this.#next();
    return { type: "binary", op: "^", left: base, right: this.#unary(), at: op.at };
  }

  #atom(): Expr {
    const t = this.#next();
    if (t.kind === "number") return { type: "number", value: Number(t.text.replace(/L$/, "")), at: t.at };
    if (t.kind === "string") return { type: "string", value: t.text, at: t.at };
    if (t.kind === "name") {
      if (this.#peek().text !== "(" || this.#peek().kind !== "op")
        return { type: "name", name: t.text, at: t.at };
      const open = this.#next();
      return this.#deeper(t.at, () => ({ type: "call", fn: t.text, args: this.#args(open.at), at: t.at }));
    }
    if (t.kind === "op" && t.text === "(")
      return this.#deeper(t.at, () => {
        const value = this.#level(0);
        this.#close(t.at);
        return { type: "call", fn: "(", args: [{ value }], at: t.at };
      });
    throw this.#error(t.at, `${shown(t)} where a name, a number or ( was expected`);
  }

  #args(open: number): Argument[] {
    const args: Argument[] = [];
    if (this.#peek().text === ")" && this.#peek().kind === "op") {
      this.#next();
      return args;
    }
    for (;;) {
      const t = this.#peek();
      const after = this.#tokens[this.#i + 1];
      if (t.kind === "name" && after?.kind === "op" && after.text === "=") {
        this.#i += 2;
        args.push({ name: t.text, value: this.#level(0) });
      } else args.push({ value: this.#level(0) });
      if (this.#peek().text === "," && this.#peek().kind === "op") this.#next();
      else {
        this.#close(open);
        return args;
      }
    }
  }

  #close(open: number): void {
    const t = this.#next();
    if (t.kind === "op" && t.text === ")") return;
    const what = t.kind === "end" ? "the ) is missing" : `${shown(t)} where , or ) was expected`;
    throw this.#error(t.at, `${what}; the ( is in column ${open + 1}`);
  }

  #deeper<T>(at: number, run: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw this.#error(at, `brackets are nested more than ${MAX_DEPTH} deep`);
    const result = run();
    this.#depth--;
    return result;
  }

  #peek(): Token {
    return this.#tokens[this.#i]!;
  }

  #next(): Token {
    const t = this.#tokens[this.#i]!;
    if (t.kind !== "end") this.#i++;
    return t;
  }

  #error(at: number, message: string): XError {
    return formulaError("FORMULA_SYNTAX", this.#text, at, message);
  }
}

const shown = (t: Token): string => (t.kind === "end" ? "the end" : t.kind === "string" ? "a text" : t.text);

const TOKEN =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?L?)|(?<name>[\p{L}.][\p{L}\p{N}._]*)|`(?<quoted>[^`]+)`|"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<op>%in%|%%|%\/%|==|!=|<=|>=|&&|\|\||[-+*/^:~(),=<>!&|]))/uy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const from = TOKEN.lastIndex;
    const space = /^\s*/.exec(text.slice(from))![0].length;
    if (from + space >= text.length) {
      tokens.push({ kind: "end", text: "", at: text.length });
      return tokens;
    }
    const match = TOKEN.exec(text);
    if (!match) {
      const c = String.fromCodePoint(text.codePointAt(from + space)!);
      const why = /["'`]/.test(c)
        ? `the ${c} that opens here is never closed`
        : `${c} cannot stand in a formula`;
      throw formulaError("FORMULA_SYNTAX", text, from + space, why);
    }
    const g = match.groups!;
    const at = from + space;
    if (g.number !== undefined) tokens.push({ kind: "number", text: g.number, at });
    else if (g.op !== undefined) tokens.push({ kind: "op", text: g.op, at });
    else if (g.double !== undefined || g.single !== undefined)
      tokens.push({ kind: "string", text: g.double ?? g.single!, at });
    else tokens.push({ kind: "name", text: g.name ?? g.quoted!, at });
  }
}
