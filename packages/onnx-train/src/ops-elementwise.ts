/** Elementwise operators: arithmetic, functions, comparisons, choice. */
import { apply, type Backward, type Operand, operands, type Rule } from "./apply.ts";
import { type DType, dtypeCode } from "./dtype.ts";
import type { Tensor } from "./graph.ts";
import { sumTo } from "./ops-reduce.ts";
import { broadcast } from "./shapes.ts";

type Unary = (x: Tensor, y: Tensor, g: Tensor) => Tensor;

/** A function of one tensor; `slope` gets input, output and upstream gradient and returns the gradient. */
function unary(slope?: Unary, double?: (x: Tensor) => Tensor): Rule {
  return {
    outputs: ([x]) => [[x!.dtype, x!.shape]],
    ...(slope && {
      vjp: ({ inputs, outputs, g }: Backward<undefined>) => [slope(inputs[0]!, outputs[0]!, g)],
    }),
    ...(double && { double: ([x]: readonly Tensor[]) => [double(x!)] }),
  };
}

type Binary = (b: { x: Tensor; y: Tensor; out: Tensor; g: Tensor }) => readonly [Tensor, Tensor];

/** A broadcasting function of two tensors; the gradients are summed over the broadcast axes. */
function binary(op: string, slopes: Binary): Rule {
  return {
    outputs: ([x, y]) => [[x!.dtype, broadcast(op, x!.shape, y!.shape)]],
    vjp: ({ inputs, outputs, g }) => {
      const [x, y] = [inputs[0]!, inputs[1]!];
      const [gx, gy] = slopes({ x, y, out: outputs[0]!, g });
      return [sumTo(gx, x.shape), sumTo(gy, y.shape)];
    },
  };
}

function comparison(op: string): Rule {
  return { outputs: ([x, y]) => [["bool", broadcast(op, x!.shape, y!.shape)]] };
}

/** erf(x) = 2/√π e^{−x²} Σ 2ⁿ x^{2n+1} / (2n+1)!!, whose terms do not cancel; beyond |x| = 6 it is 1 in double precision. */
function erfSeries(x0: Tensor): Tensor {
  const x = minimum(maximum(x0, -6), 6);
  const twice = mul(mul(x, x), 2);
  let term = x;
  let sum = x;
  for (let n = 1; n <= 130; n++) {
    term = mul(term, div(twice, 2 * n + 1));
    sum = add(sum, term);
  }
  return mul(mul(exp(neg(mul(x, x))), sum), 2 / Math.sqrt(Math.PI));
}

/** log(1 + t) = 2 artanh(t/(2 + t)) for t from 0 to 1, to the last digit where 1 + t would lose them all. */
function log1pSeries(t: Tensor): Tensor {
  const u = div(t, add(t, 2));
  const u2 = mul(u, u);
  let sum = mul(u2, 1 / 37);
  for (let odd = 35; odd >= 3; odd -= 2) sum = mul(u2, add(sum, 1 / odd));
  return mul(mul(u, 2), add(sum, 1));
}

/** Rules of this file. */
export const elementwiseRules: Record<string, Rule<never>> = {
  Neg: unary((_x, _y, g) => neg(g)),
  Exp: unary((_x, y, g) => mul(g, y)),
  Log: unary((x, _y, g) => div(g, x)),
  Sqrt: unary((_x, y, g) => div(mul(g, 0.5), y)),
  Reciprocal: unary((_x, y, g) => neg(mul(g, mul(y, y)))),
  Abs: unary((x, _y, g) => mul(g, sign(x))),
  Sign: unary(),
  Floor: unary(),
  Not: unary(),
  Sigmoid: unary((_x, y, g) => mul(g, mul(y, sub(1, y)))),
  Tanh: unary((_x, y, g) => mul(g, sub(1, mul(y, y)))),
  Relu: unary((x, _y, g) => where(greater(x, 0), g, 0)),
  Softplus: {
    ...unary(
      // sigmoid(x), but right to the last digit in the lower tail, where onnxruntime's Sigmoid takes a difference from 1.
      (x, y, g) => mul(g, exp(sub(x, y))),
      (x) => add(maximum(x, 0), log1pSeries(exp(neg(abs(x))))),
    ),
    // onnxruntime's kernel computes both branches for each element: 15 ns of CPU against 5.
    single: ([x]) => [add(maximum(x!, 0), log(add(exp(neg(abs(x!))), 1)))],
  },
  Erf: unary((x, _y, g) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))), erfSeries),
  Gelu: {
    ...unary(
      // Φ(x) + x φ(x): the kernel has no derivative, and its parts would keep it from being one pass.
      (x, _y, g) => {
        const z = mul(x, Math.SQRT1_2);
        const twice = add(erf(z), mul(x, exp(sub(Math.log(2 / Math.PI) / 2, mul(z, z)))));
        return mul(add(mul(twice, 0.5), 0.5), g);
      },
      (x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
    ),
  },
  StopGradient: { ...unary(), onnx: "Identity" },
  Add: binary("Add", ({ g }) => [g, g]),
  Sub: binary("Sub", ({ g }) => [g, neg(g)]),
  Mul: binary("Mul", ({ x, y, g }) => [mul(g, y), mul(g, x)]),
  Div: binary("Div", ({ y, out, g }) => {
    const gx = div(g, y);
    return [gx, neg(mul(gx, out))];
  }),
  Max: binary("Max", ({ x, y, g }) => split2(greaterOrEqual(x, y), g)),
  Min: binary("Min", ({ x, y, g }) => split2(lessOrEqual(x, y), g)),
  Pow: {
    outputs: ([x, p]) => [[x!.dtype, broadcast("Pow", x!.shape, p!.shape)]],
    // The exponent is a constant: it has no gradient.
    vjp: ({ inputs, g, p }) => [mul(g, mul(pow(inputs[0]!, p - 1), p))],
  } satisfies Rule<number>,
  Where: {
    outputs: ([c, x, y]) => [
      [x!.dtype, broadcast("Where", c!.shape, broadcast("Where", x!.shape, y!.shape))],
    ],
    vjp: ({ inputs: [c, x, y], g }) => [
      undefined,
      sumTo(where(c!, g, 0), x!.shape),
      sumTo(where(c!, 0, g), y!.shape),
    ],
  } satisfies Rule,
  Greater: comparison("Greater"),
  GreaterOrEqual: comparison("GreaterOrEqual"),
  Less: comparison("Less"),
  LessOrEqual: comparison("LessOrEqual"),
  Equal: comparison("Equal"),
  And: comparison("And"),
  Or: comparison("Or"),
  Cast: {
    outputs: ([x], dtype) => [[dtype, x!.shape]],
    attributes: (dtype) => ({ to: { int: dtypeCode(dtype) } }),
    vjp: ({ inputs, g }) => [cast(g, inputs[0]!.dtype)],
  } satisfies Rule<DType>,
};

/** Of two equal values the first gets the gradient. */
function split2(first: Tensor, g: Tensor): [Tensor, Tensor] {
  return [where(first, g, 0), where(first, 0, g)];
}

function one(op: string, x: Tensor): Tensor {
  return apply(op, elementwiseRules[op] as Rule, [x], undefined);
}

function two(op: string, a: Operand, b: Operand): Tensor {
  return apply(op, elementwiseRules[op] as Rule, operands(op, a, b), undefined);
}

/** a + b, broadcast. */
export const add = (a: Operand, b: Operand): Tensor => two("Add", a, b);
/** a − b, broadcast. */
export const sub = (a: Operand, b: Operand): Tensor => two("Sub", a, b);
/** a · b, broadcast. */
export const mul = (a: Operand, b: Operand): Tensor => two("Mul", a, b);
/** a / b, broadcast. */
export const div = (a: Operand, b: Operand): Tensor => two("Div", a, b);
/** The larger of two, broadcast; of equal ones the first gets the gradient. */
export const maximum = (a: Operand, b: Operand): Tensor => two("Max", a, b);
/** The smaller of two, broadcast; of equal ones the first gets the gradient. */
export const minimum = (a: Operand, b: Operand): Tensor => two("Min", a, b);
/** a > b. */
export const greater = (a: Operand, b: Operand): Tensor => two("Greater", a, b);
/** a ≥ b. */
export const greaterOrEqual = (a: Operand, b: Operand): Tensor => two("GreaterOrEqual", a, b);
/** a < b. */
export const less = (a: Operand, b: Operand): Tensor => two("Less", a, b);
/** a ≤ b. */
export const lessOrEqual = (a: Operand, b: Operand): Tensor => two("LessOrEqual", a, b);
/** a = b. */
export const equal = (a: Operand, b: Operand): Tensor => two("Equal", a, b);
/** Both are true. */
export const and = (a: Tensor, b: Tensor): Tensor => two("And", a, b);
/** One of them is true. */
export const or = (a: Tensor, b: Tensor): Tensor => two("Or", a, b);
/** The opposite of a bool. */
export const not = (x: Tensor): Tensor => one("Not", x);
/** −x. */
export const neg = (x: Tensor): Tensor => one("Neg", x);
/** eˣ. */
export const exp = (x: Tensor): Tensor => one("Exp", x);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => one("Log", x);
/** √x. */
export const sqrt = (x: Tensor): Tensor => one("Sqrt", x);
/** 1/x. */
export const reciprocal = (x: Tensor): Tensor => one("Reciprocal", x);
/** |x|; its slope at 0 is 0. */
export const abs = (x: Tensor): Tensor => one("Abs", x);
/** −1, 0 or 1; no gradient. */
export const sign = (x: Tensor): Tensor => one("Sign", x);
/** The whole number below; no gradient. */
export const floor = (x: Tensor): Tensor => one("Floor", x);
/** 1/(1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => one("Sigmoid", x);
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => one("Tanh", x);
/** max(x, 0); its slope at 0 is 0. */
export const relu = (x: Tensor): Tensor => one("Relu", x);
/** log(1 + eˣ), without overflow. */
export const softplus = (x: Tensor): Tensor => one("Softplus", x);
/** Error function. */
export const erf = (x: Tensor): Tensor => one("Erf", x);
/** x · Φ(x), exact (Hendrycks and Gimpel 2016). */
export const gelu = (x: Tensor): Tensor => one("Gelu", x);
/** The same value, through which no gradient passes. */
export const stopGradient = (x: Tensor): Tensor => one("StopGradient", x);

/** x to a constant power. */
export function pow(x: Tensor, power: number): Tensor {
  if (power === 0) return add(mul(x, 0), 1);
  if (power === 1) return x;
  const [base, exponent] = operands("Pow", x, power);
  return apply("Pow", elementwiseRules.Pow as Rule<number>, [base, exponent], power);
}

/** `a` where the condition holds, else `b`; broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return apply("Where", elementwiseRules.Where as Rule, [condition, ...operands("Where", a, b)], undefined);
}

/** The same numbers as another type; gradients come back in the old one. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply("Cast", elementwiseRules.Cast as Rule<DType>, [x], dtype);
}
