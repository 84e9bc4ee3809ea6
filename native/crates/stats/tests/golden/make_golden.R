# Reference tails as R computes them: Rscript make_golden.R > r.tsv
# R 4 is exact to a few units of the last digit almost everywhere, but not everywhere (pt and pf far out with huge or
# tiny df, pbeta with shapes of 1e6 or 1e-3, lower tails that round to 0, log.p of the central region).
# check_golden.py therefore recomputes every row with mpmath, and tails.tsv holds mpmath's value where the two differ
# by more than 1e-14; its last column says which ("R" or "mpmath").
options(digits = 17)
row <- function(name, x, a, b, up, lo)
  cat(sprintf("%s\t%.17g\t%.17g\t%.17g\t%.17g\t%.17g\n", name, x, a, b, up, lo), sep = "")

for (x in c(-1e4, -200, -38, -10, -5, -3, -2, -1.5, -1, -0.5, -0.1, -1e-5, -1e-300, 0, 1e-300, 1e-10, 1e-3, 0.1, 0.3, 0.67,
            1, 1.2, 1.3, 1.7, 2, 2.5, 3, 4, 5, 7, 10, 20, 38.5, 50, 100, 215, 1e3, 1e5, 1e10))
  row("normal", x, 0, 0, pnorm(x, lower.tail = FALSE, log.p = TRUE), pnorm(x, log.p = TRUE))

for (df in c(1e-3, 0.01, 0.5, 1, 2, 3, 7.5, 20, 100, 1e3, 1e4, 1e6, 2e7))
  for (x in c(1e-300, 1e-20, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 4, 10, 38, 100, 1e3, 46051, 1e5,
              df * c(0.2, 0.9, 0.99, 0.999, 1, 1.001, 1.01, 1.1, 2, 10)))
    row("chisq", x, df, 0, pchisq(x, df, lower.tail = FALSE, log.p = TRUE), pchisq(x, df, log.p = TRUE))

for (df in c(0.01, 0.5, 1, 2, 3.3, 10, 100, 1408, 1e4, 1e6, 1e9))
  for (x in c(-1e5, -50, -3, -1, -1e-3, 0, 1e-10, 1e-3, 0.1, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 100, 215, 1e3, 1e5, 1e20))
    row("t", x, df, 0, pt(x, df, lower.tail = FALSE, log.p = TRUE), pt(x, df, log.p = TRUE))

for (d in list(c(1, 1), c(1, 0.01), c(0.01, 1), c(1, 3), c(1, 100), c(1, 1408), c(1, 1e5), c(1, 1e6), c(1, 1e8), c(2, 10),
               c(5, 5), c(10, 2), c(30, 1e4), c(1e3, 1e3), c(1e6, 1e6), c(1e6, 3), c(0.5, 1e6)))
  for (x in c(1e-300, 1e-20, 1e-5, 0.01, 0.2, 0.5, 0.9, 0.99, 1, 1.001, 1.1, 1.5, 2, 3, 5, 10, 30, 100, 1e3, 1e4, 46051, 1e6,
              1e10, 1e100))
    row("f", x, d[1], d[2], pf(x, d[1], d[2], lower.tail = FALSE, log.p = TRUE), pf(x, d[1], d[2], log.p = TRUE))

shapes <- c(1e-3, 0.1, 0.5, 1, 2.5, 10, 300, 1e4, 1e6)
for (a in shapes)
  for (b in shapes) {
    m <- a / (a + b)
    for (x in unique(c(1e-300, 1e-10, 1e-3, 0.3, 0.5, 0.9, 1 - 1e-6, m, m * 0.99, m * 1.0005)))
      if (x > 0 && x < 1)
        row("beta", x, a, b, pbeta(x, a, b, lower.tail = FALSE, log.p = TRUE), pbeta(x, a, b, log.p = TRUE))
  }

for (x in c(1e-300, 1e-10, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1, 1.0001, 1.2, 1.46, 1.5, 1.8, 2, 2.0001, 2.3, 2.5, 2.6, 3,
            4.5, 7, 9.99, 10, 12.3, 50, 171.5, 1e3, 1e5, 1e10, 1e100))
  row("lgamma", x, 0, 0, lgamma(x), lgamma(x))
