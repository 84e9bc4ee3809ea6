# Writes separable.json: mgcv's fit of t2(), also with a random margin, of bs="fs" with a two-dimensional null space and of bs="cs", on bases whose free functions are fixed by a
# rule. mgcv's own constructors take them from an eigen routine, which may return any rotation of a double eigenvalue zero; here they are
# orthonormal over the data (t2), and the constant, then the line (fs; of cs the line is shrunk ten times more than the constant). The model matrix and its penalties go in through paraPen, so the
# smoothing parameters, edf and standard errors are mgcv's. `Rscript make_separable.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
d <- read.csv("more.csv", stringsAsFactors = TRUE)
ctl <- gam.control(epsilon = 1e-11, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
at <- c(1, 50, 101, 152, 203, 254)
rms <- function(v) v / sqrt(mean(v^2))
margin <- function(term) {                       # penalised functions with penalty one, free ones orthonormal over the data
  sm <- smoothCon(term, d)[[1]]
  e <- eigen(sm$S[[1]], symmetric = TRUE)
  r <- sm$rank
  list(pen = sm$X %*% e$vectors[, 1:r] %*% diag(1 / sqrt(e$values[1:r])),
       free = qr.Q(qr(sm$X %*% e$vectors[, -(1:r)])) * sqrt(nrow(d)))
}
product <- function(a, b) do.call(cbind, lapply(seq_len(ncol(a)), function(i) a[, i] * b))
fit <- function(M, S) {
  b <- gam(d$normal ~ M, paraPen = list(M = S), method = "REML", control = ctl)
  V <- b$Vp; X <- cbind(1, M)[at, ]
  list(edf = sum(b$edf), deviance = b$deviance, scale = b$sig2, link = as.numeric(X %*% coef(b)), se = sqrt(rowSums((X %*% V) * X)))
}
x <- margin(s(x, bs = "cr", k = 5)); z <- margin(s(z, bs = "cr", k = 5))
parts <- list(product(x$pen, z$pen), product(x$pen, z$free), product(x$free, z$pen), product(x$free, z$free))
M <- do.call(cbind, parts)
part <- rep(1:4, vapply(parts, ncol, 0L))
Z <- qr.Q(qr(matrix(colSums(M))), complete = TRUE)[, -1]
t2 <- fit(M %*% Z, lapply(1:3, function(i) crossprod(Z, (part == i) * Z)))
level <- model.matrix(~ g - 1, d)                # t2 with a random margin: nothing is free, so nothing is constrained
parts <- list(product(x$pen, level), product(x$free, level))
part <- rep(1:2, vapply(parts, ncol, 0L))
random <- fit(do.call(cbind, parts), lapply(1:2, function(i) diag(as.numeric(part == i))))
sm <- smoothCon(s(x, k = 6), d)[[1]]
R <- qr.R(qr(sm$X)); e <- eigen(crossprod(solve(R), sm$S[[1]] %*% solve(R)), symmetric = TRUE)
pen <- sm$X %*% solve(R) %*% e$vectors[, 1:4] %*% diag(1 / sqrt(e$values[1:4]))
line <- rms(d$x - mean(d$x))
M <- do.call(cbind, lapply(1:5, function(l) level[, l] * cbind(pen, 1, line)))
part <- rep(c(1, 1, 1, 1, 2, 3), 5)
fs <- fit(M, lapply(1:3, function(i) diag(as.numeric(part == i))))
sm <- smoothCon(s(z, bs = "cr", k = 6), d, scale.penalty = FALSE)[[1]]
least <- eigen(sm$S[[1]], symmetric = TRUE)$values[4]
unit <- function(v) v / sqrt(sum(v^2))
S <- sm$S[[1]] + least * (0.1 * tcrossprod(unit(sm$xp - mean(sm$xp))) + 0.01 * tcrossprod(unit(rep(1, 6))))
Z <- qr.Q(qr(matrix(colSums(sm$X))), complete = TRUE)[, -1]
cs <- fit(sm$X %*% Z, list(crossprod(Z, S %*% Z)))
js <- function(l) paste0("{", paste0('"', names(l), '":', vapply(l, function(v) if (length(v) == 1) sprintf("%.15g", v) else paste0("[", paste(sprintf("%.15g", v), collapse = ","), "]"), ""), collapse = ",\n"), "}")
writeLines(paste0('{"mgcv":"', packageVersion("mgcv"), '",\n"rows":[', paste(at, collapse = ","), '],\n"t2":', js(t2), ',\n"random":', js(random), ',\n"fs":', js(fs), ',\n"cs":', js(cs), "}"), "separable.json")
