"""Recomputes R's tails with mpmath: python check_golden.py r.tsv > tails.tsv

Continued fractions for whichever tail is small, at 60 digits and more (so that the other one is 1 minus it), with
arguments taken as the exact doubles R was given. R's value is kept where both agree to 1e-14.
"""

import sys

from mpmath import exp, expm1, log, log1p, loggamma as lgamma, mp, mpf

mp.dps = 60


def lentz(first, terms):
    tiny = mpf(10) ** (-4 * mp.dps)
    h = c = mpf(first) or tiny
    d = mpf(0)
    for a, b in terms:
        d = 1 / ((b + a * d) or tiny)
        c = (b + a / c) or tiny
        h *= c * d
        if abs(c * d - 1) < mpf(10) ** (4 - mp.dps):
            return h


def complement(ln):
    return log(-expm1(ln)) if ln > mpf(-1e-9) else log1p(-exp(ln))


def gamma(a, x):
    if x <= 0:
        return mpf("-inf"), mpf(0)
    front = a * log(x) - x - lgamma(a)
    if x < a + 1:
        total = term = 1 / a
        n = a
        while term > total * mpf(10) ** -mp.dps:
            n += 1
            term *= x / n
            total += term
        lower = front + log(total)
        return lower, complement(lower)

    def terms():
        n, b = 0, x + 1 - a
        while True:
            n += 1
            b += 2
            yield -n * (n - a), b

    upper = front - log(lentz(x + 1 - a, terms()))
    return complement(upper), upper


def beta(a, b, x, y):
    if x * (a + b + 2) > a + 1:
        upper, lower = beta_small(b, a, y, x)
        return lower, upper
    return beta_small(a, b, x, y)


def beta_small(a, b, x, y):
    def terms():
        m = 0
        while True:
            yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1
            m += 1
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1

    ln = a * log(x) + b * log(y) - (lgamma(a) + lgamma(b) - lgamma(a + b)) - log(a) - log(lentz(1, terms()))
    return ln, complement(ln)


def half(lower_upper, positive):
    outer = lower_upper[1] - log(2)
    inner = complement(outer)
    return (inner, outer) if positive else (outer, inner)


def tails(name, x, a, b):
    if name == "lgamma":
        return lgamma(x), lgamma(x)
    if name == "chisq":
        return gamma(a / 2, x / 2)
    if name == "normal":
        return half(gamma(mpf(1) / 2, x * x / 2), x > 0)
    if name == "beta":
        return beta(a, b, x, 1 - x)
    if name == "f":
        odds = a * x / b
        return beta(a / 2, b / 2, odds / (1 + odds), 1 / (1 + odds))
    odds = x * x / a
    if odds == 0:
        return log(mpf(1) / 2), log(mpf(1) / 2)
    return half(beta(mpf(1) / 2, a / 2, odds / (1 + odds), 1 / (1 + odds)), x > 0)


def text(value):
    return repr(float(value))


def differs(r, exact):
    return not abs(mpf(r) - exact) <= mpf(1e-14) * abs(exact) and not (mpf(r) == exact)


print("function\tx\ta\tb\tln_upper\tln_lower\tsource")
for line in open(sys.argv[1]):
    name, *numbers = line.split()
    x, a, b, upper, lower = map(float, numbers)
    exact_lower, exact_upper = tails(name, mpf(x), mpf(a), mpf(b))
    replace = differs(upper, exact_upper) or differs(lower, exact_lower)
    values = (exact_upper, exact_lower) if replace else (upper, lower)
    print(name, *map(repr, (x, a, b)), *map(text, values), "mpmath" if replace else "R", sep="\t")
