import { deparse, type Expr, namesIn } from "./ast.ts";
import { formulaError, type ParsedFormula, parseFormula } from "./parse.ts";
import { readSmooth, type SmoothCall } from "./smooth-call.ts";

/** One parametric term: the product of its variables. */
export interface ParametricTerm {
  /** R's label: `a:b`. */
  readonly label: string;
  readonly variables: readonly Expr[];
}

/** A formula taken apart: what is modelled, and the terms in R's order. */
export interface Formula {
  /** As written. */
  readonly text: string;
  /** What is modelled; two for `cbind(successes, failures)` and survival times; absent in a one-sided formula. */
  readonly response?: { readonly label: string; readonly parts: readonly Expr[]; readonly cbind: boolean };
  readonly intercept: boolean;
  /** By rising order of interaction, then as written. */
  readonly parametric: readonly ParametricTerm[];
  readonly smooths: readonly SmoothCall[];
  readonly offsets: readonly Expr[];
}

/**
 * Takes a formula apart, with R's algebra of terms (`+ - * : ^ / %in%`, `0`, `1`). Errors: `FORMULA_SYNTAX`,
 * `FORMULA_TERM` (a smooth inside an interaction, a number as a term), `FORMULA_ARGUMENT`, `FORMULA_RESPONSE`.
 */
export function readFormula(text: string): Formula {
  return new Expander(parseFormula(text)).formula();
}

/** A term is the set of its variables, by text; the empty set is the intercept. */
type TermSet = Map<string, readonly string[]>;

const MAX_TERMS = 5000;

class Expander {
  readonly #parsed: ParsedFormula;
  readonly #variables = new Map<string, Expr>();
  readonly #smooths = new Map<string, SmoothCall>();
  readonly #offsets: Expr[] = [];

  constructor(parsed: ParsedFormula) {
    this.#parsed = parsed;
  }

  formula(): Formula {
    const { text, terms, response } = this.#parsed;
    const set: TermSet = new Map([["", []]]);
    this.#add(terms, set, true);
    const parametric = [...set.values()]
      .filter((t) => t.length > 0)
      .map((names, i) => ({ names, i }))
      .sort((a, b) => a.names.length - b.names.length || a.i - b.i)
      .map(({ names }) => ({ label: names.join(":"), variables: names.map((n) => this.#variables.get(n)!) }));
    return {
      text,
      ...(response ? { response: this.#response(response) } : {}),
      intercept: set.has(""),
      parametric,
      smooths: [...this.#smooths.values()],
      offsets: this.#offsets,
    };
  }

  #response(e: Expr): NonNullable<Formula["response"]> {
    const label = deparse(e);
    if (namesIn(e).length === 0)
      throw formulaError(
        "FORMULA_RESPONSE",
        this.#parsed.text,
        e.at,
        `${label} on the left of ~ is no column`,
      );
    const both = e.type === "call" && (e.fn === "cbind" || e.fn === "Surv") ? e : undefined;
    if (!both) return { label, parts: [e], cbind: false };
    const parts = both.args.map((a) => a.value);
    if (parts.length !== 2)
      throw formulaError(
        "FORMULA_RESPONSE",
        this.#parsed.text,
        e.at,
        `${both.fn}() takes two columns, ${parts.length} were given`,
      );
    return { label, parts, cbind: both.fn === "cbind" };
  }

  /** Adds (or takes away) the terms of a sum. */
  #add(e: Expr, into: TermSet, plus: boolean): void {
    if (e.type === "binary" && (e.op === "+" || e.op === "-")) {
      this.#add(e.left, into, plus);
      this.#add(e.right, into, e.op === "+" ? plus : !plus);
      return;
    }
    if (e.type === "unary" && (e.op === "+" || e.op === "-")) {
      this.#add(e.arg, into, e.op === "+" ? plus : !plus);
      return;
    }
    if (e.type === "call" && e.fn === "(") {
      this.#add(e.args[0]!.value, into, plus);
      return;
    }
    if (e.type === "number" && (e.value === 0 || e.value === 1)) {
      if ((e.value === 1) === plus) into.set("", []);
      else into.delete("");
      return;
    }
    if (e.type === "call" && /^(s|te|ti|t2)$/.test(e.fn)) {
      const smooth = readSmooth(e, this.#parsed.text);
      const key = deparse(e);
      if (plus) this.#smooths.set(key, smooth);
      else this.#smooths.delete(key);
      return;
    }
    if (e.type === "call" && e.fn === "offset") {
      if (e.args.length !== 1)
        throw formulaError(
          "FORMULA_ARGUMENT",
          this.#parsed.text,
          e.at,
          "offset() takes one column or expression",
        );
      if (!plus) throw this.#term(e.at, "an offset cannot be taken away");
      this.#offsets.push(e.args[0]!.value);
      return;
    }
    for (const [key, names] of this.#set(e)) {
      if (plus) into.set(key, names);
      else into.delete(key);
    }
  }

  /** The terms of an expression that is not a sum at its top. */
  #set(e: Expr): TermSet {
    if (e.type === "call" && e.fn === "(") return this.#sum(e.args[0]!.value);
    if (e.type === "binary") {
      if (e.op === "+" || e.op === "-") return this.#sum(e);
      if (e.op === "^") return this.#power(e);
      if (![":", "*", "/", "%in%"].includes(e.op))
        throw this.#term(e.at, `${e.op} has no meaning between terms; wrap arithmetic in I(${deparse(e)})`);
      const [a, b] = [this.#set(e.left), this.#set(e.right)];
      if (e.op === "/") {
        const all = [...new Set([...a.values()].flat())];
        return this.#union(a, this.#product(new Map([[all.join(":"), all]]), b, e.at));
      }
      const product = this.#product(a, b, e.at);
      return e.op === "*" ? this.#union(this.#union(a, b), product) : product;
    }
    if (e.type === "number" || e.type === "string" || e.type === "unary")
      throw this.#term(
        e.at,
        `${deparse(e)} is no term; a column, a function of columns, s() or te() was expected`,
      );
    if (e.type === "call" && /^(s|te|ti|t2|offset)$/.test(e.fn))
      throw this.#term(
        e.at,
        `${e.fn}() cannot be part of an interaction; write s(x, by=fac) for a smooth per level`,
      );
    if (e.type === "name" && e.name === ".")
      throw this.#term(e.at, "the dot (all other columns) is not supported; name the columns");
    if (namesIn(e).length === 0) throw this.#term(e.at, `${deparse(e)} contains no column`);
    const name = deparse(e);
    if (!this.#variables.has(name)) this.#variables.set(name, e);
    return new Map([[name, [name]]]);
  }

  #sum(e: Expr): TermSet {
    const inner: TermSet = new Map();
    this.#add(e, inner, true);
    inner.delete("");
    return inner;
  }

  #power(e: Extract<Expr, { type: "binary" }>): TermSet {
    const n = e.right.type === "number" ? e.right.value : Number.NaN;
    if (!(Number.isInteger(n) && n >= 1 && n <= 10))
      throw this.#term(e.at, "^ takes a whole number from 1 to 10 here; a power of a column is I(x^2)");
    const base = this.#set(e.left);
    let result = base;
    for (let i = 1; i < n; i++) result = this.#union(result, this.#product(result, base, e.at));
    return result;
  }

  #union(a: TermSet, b: TermSet): TermSet {
    return new Map([...a, ...b]);
  }

  #product(a: TermSet, b: TermSet, at: number): TermSet {
    if (a.size * b.size > MAX_TERMS) throw this.#term(at, `this makes more than ${MAX_TERMS} terms`);
    const order = [...this.#variables.keys()];
    const result: TermSet = new Map();
    for (const x of a.values())
      for (const y of b.values()) {
        const both = [...new Set([...x, ...y])].sort((p, q) => order.indexOf(p) - order.indexOf(q));
        result.set(both.join(":"), both);
      }
    return result;
  }

  #term(at: number, message: string): Error {
    return formulaError("FORMULA_TERM", this.#parsed.text, at, message);
  }
}
