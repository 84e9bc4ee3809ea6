# Writes cox-shape.json from more.csv: Cox models of mgcv, and P-splines under shape constraints at fixed smoothing
# parameters by Hildreth's dual coordinate ascent (no package): `Rscript make_cox_shape.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
d <- read.csv("more.csv", stringsAsFactors = TRUE)
ctl <- gam.control(epsilon = 1e-11, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
at <- c(1, 50, 101, 152, 203, 254)
times <- c(1, 5, 10, 20)
formulas <- c('s(x, bs="cr", k=8) + z', 's(x, bs="cr", k=8) + s(z, bs="cr", k=6)', 's(x, bs="ps", k=8) + s(g, bs="re")')
cox <- lapply(formulas, function(f) {
  b <- gam(as.formula(paste("time ~", f)), family = cox.ph, weights = event, data = d, method = "REML", control = ctl)
  p <- predict(b, d[at, ], se.fit = TRUE)
  curves <- lapply(at, function(i) predict(b, data.frame(d[i, c("x", "z", "g")], time = times), type = "response", se.fit = TRUE))
  list(formula = paste("Surv(time, event) ~", f), criterion = as.numeric(b$gcv.ubre), deviance = b$deviance,
    nullDeviance = b$null.deviance, edf = sum(b$edf), logLik = as.numeric(logLik(b)), rho = log(as.numeric(b$sp)),
    link = as.numeric(p$fit), se = as.numeric(p$se.fit), survival = unlist(lapply(curves, function(c) as.numeric(c$fit))),
    survivalSe = unlist(lapply(curves, function(c) as.numeric(c$se.fit))),
    martingale = as.numeric(residuals(b, "martingale"))[at], devianceResiduals = as.numeric(residuals(b, "deviance"))[at])
})

# min (b - b0)' H (b - b0) / 2 subject to C b >= 0.
hildreth <- function(H, b0, C) {
  Q <- C %*% solve(H, t(C)); r <- C %*% b0; mu <- rep(0, nrow(C))
  for (it in 1:200000) { old <- mu; for (i in seq_along(mu)) mu[i] <- max(0, mu[i] - (r[i] + sum(Q[i, ] * mu)) / Q[i, i]); if (max(abs(mu - old)) < 1e-13 * (1 + max(mu))) break }
  as.numeric(b0 + solve(H, t(C) %*% mu))
}
shapes <- list(list("increasing", 1, 0), list("decreasing", -1, 0), list("convex", 0, 1), list("concave", 0, -1),
  list("increasing-concave", 1, -1), list("decreasing-convex", -1, 1))
shape <- unlist(lapply(shapes, function(s) lapply(c("gaussian", "poisson"), function(family) {
  sm <- smoothCon(s(x, bs = "ps", k = 12), data = d)[[1]]
  X <- sm$X; S <- sm$S[[1]]; k <- ncol(X)
  D1 <- diff(diag(k)); D2 <- diff(D1)
  C <- rbind(if (s[[2]] != 0) s[[2]] * D1, if (s[[3]] != 0) s[[3]] * D2)
  lambda <- 0.5
  y <- if (family == "gaussian") d$normal else d$count
  if (family == "gaussian") { H <- crossprod(X) + lambda * S; b <- hildreth(H, solve(H, crossprod(X, y)), C)
  } else { b <- rep(log(mean(y)), k)
    for (it in 1:100) { mu <- exp(as.numeric(X %*% b)); H <- crossprod(X * sqrt(mu)) + lambda * S
      new <- hildreth(H, b - solve(H, crossprod(X, mu - y) + lambda * S %*% b), C); done <- max(abs(new - b)) < 1e-12; b <- new; if (done) break } }
  list(shape = s[[1]], family = family, rho = log(lambda), link = as.numeric(X[at, ] %*% b))
})), recursive = FALSE)
num <- function(x) paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ",")
one <- function(v) if (is.character(v)) sprintf('"%s"', gsub('"', '\\\\"', v)) else if (length(v) == 1) num(v) else sprintf("[%s]", num(v))
object <- function(l) sprintf("{%s}", paste(sprintf('"%s":%s', names(l), vapply(l, one, "")), collapse = ","))
many <- function(l) paste(vapply(l, object, ""), collapse = ",\n")
writeLines(sprintf('{"rows":[%s],"times":[%s],"cox":[\n%s],\n"shape":[\n%s]}', num(at - 1), num(times), many(cox), many(shape)), "cox-shape.json")
