# Writes inference.json from more.csv: what mgcv infers beside coefficients (residuals of each kind, AIC, corrected covariances, analysis of
# deviance, concurvity, basis dimensions, a simultaneous band), and models with bases, links, weights, offsets and knots that make_more.R lacks.
# `Rscript make_inference.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
d <- read.csv("more.csv", stringsAsFactors = TRUE)
d$w <- 0.5 + (seq_len(nrow(d)) %% 5) / 4
d$expo <- 1 + (seq_len(nrow(d)) %% 7) / 3
d$rest <- 1 + seq_len(nrow(d)) %% 4
ctl <- gam.control(epsilon = 1e-11, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
at <- c(1, 50, 101, 152, 203, 254)
two <- 's(x, bs="cr", k=8) + s(z, bs="cr", k=6)'
# formula, family in R, method, family of ours, what else the call has (a subset of select, weights, knots)
m <- function(formula, family = "gaussian", method = "REML", ours = family, ...) list(formula = formula, family = family, method = method, ours = ours, more = list(...))
kinds <- c("deviance", "pearson", "scaled.pearson", "working", "response")
models <- list(
  m(paste("normal ~ g +", two)), m('normal ~ s(x, bs="cr", k=8)'), m(paste("yes ~", two), "binomial"), m('yes ~ s(x, bs="cr", k=8)', "binomial"),
  m(paste("yes ~", two), "binomial(link=probit)", "ML", select = TRUE), m(paste("yes ~", two), "binomial(link=cauchit)"), m(paste("cbind(count, rest) ~", two), "binomial"), m(paste("yes ~", two), "binomial(link=cloglog)", "GCV.Cp"),
  m(paste("count ~", two, "+ offset(log(expo))"), "poisson", weights = "w"), m(paste("count ~", two), "poisson(link=sqrt)"), m('count ~ s(x, bs="cr", k=8)', "poisson(link=identity)"),
  m(paste("positive ~", two), "Gamma(link=log)", weights = "w"), m(paste("positive ~", two), "Gamma(link=inverse)"), m(paste("positive ~", two), "Gamma(link=identity)"),
  m(paste("positive ~", two), "inverse.gaussian(link=log)"), m(paste("positive ~", two), "gaussian(link=log)"), m(paste("positive ~", two), "gaussian(link=inverse)"),
  m(paste("count ~", two), "nb()", ours = "nb"), m(paste("count ~", two), "nb(theta=3)"), m(paste("count ~", two), "nb(link='sqrt')", ours = "nb(link=sqrt)"),
  m(paste("tweedie ~", two), "tw()", ours = "tw"), m(paste("beta ~", two), "betar()", ours = "betar"), m(paste("beta ~", two), "betar(link='cloglog')", ours = "betar(link=cloglog)"),
  m(paste("normal ~", two), "quasi()", ours = "quasi"), m(paste("count ~", two), "quasipoisson()", ours = "quasipoisson"), m(paste("yes ~", two), "quasibinomial()", ours = "quasibinomial"),
  m(paste("grade ~", two), "ocat(R=4)"),
  m('normal ~ s(x, z, positive, k=30)'), m('normal ~ te(x, z, bs=c("cc", "cr"), k=c(6, 5))'), m('normal ~ te(x, z, bs=c("ps", "cr"), k=5)'), m('normal ~ te(x, z, bs="tp", k=5)'),
  m('normal ~ ti(x, bs="cr", k=6) + ti(z, bs="cr", k=6) + ti(x, z, bs="cr", k=4)'), m('normal ~ s(x, bs="cp", k=8)'), m('normal ~ s(x, bs="cc", k=8)', knots = list(x = c(0, 1))),
  m('normal ~ s(x, by=z, bs="cr", k=6)'), m('normal ~ g + s(x, by=g, bs="cr", k=6)'), m('normal ~ g + s(x, by=g, bs="cr", k=6, id=1)'), m('normal ~ s(x, bs="cr", k=6, fx=TRUE) + z'), m('normal ~ s(x, bs="cr", k=5)', knots = list(x = c(0, 0.2, 0.5, 0.8, 1))),
  m('normal ~ s(x, bs="ps", k=8) + s(g, bs="re") + s(g, z, bs="re")', weights = "w"), m('normal ~ s(x, bs="tp", k=8, m=1)'), m('normal ~ s(x, bs="ts", k=8) + s(z, bs="ts", k=6)'),
  m('normal ~ s(x, bs="ps", k=9, m=c(2, 1)) + z', "gaussian", "ML"), m('normal ~ s(x, bs="cr", k=8) + s(z, bs="cr", k=6)', "gaussian", "REML", select = TRUE),
  m('normal ~ g * z + s(x, bs="cr", k=8) - 1'), m('normal ~ g:z + I(z^2) + s(x, bs="cr", k=8)'))
safe <- function(e) tryCatch(as.numeric(e), error = function(err) NaN)
fits <- list()
out <- lapply(models, function(m) {
  arguments <- list(formula = as.formula(m$formula), family = eval(parse(text = m$family)), data = d, method = m$method, control = ctl)
  if (!is.null(m$more$select)) arguments$select <- TRUE
  if (!is.null(m$more$weights)) arguments$weights <- d$w
  if (!is.null(m$more$knots)) arguments$knots <- m$more$knots
  b <- do.call(gam, arguments)
  fits[[length(fits) + 1]] <<- b
  p <- predict(b, d[at, ], se.fit = TRUE)
  u <- tryCatch(predict(b, d[at, ], se.fit = TRUE, unconditional = TRUE)$se.fit, error = function(e) NaN, warning = function(w) NaN)
  own <- if (grepl("^Ordered", b$family$family)) kinds[1] else kinds
  residuals <- lapply(own, function(k) safe(residuals(b, k)[at]))
  names(residuals) <- own
  s <- summary(b)
  list(formula = m$formula, family = m$ours, method = sub(".Cp", "", m$method, fixed = TRUE), select = as.numeric(!is.null(m$more$select)), weights = as.numeric(!is.null(m$more$weights)),
    knots = if (is.null(m$more$knots)) NaN else as.numeric(m$more$knots$x), gradient = if (is.null(b$outer.info$grad)) NaN else max(abs(b$outer.info$grad)), deviance = b$deviance, scale = b$sig2,
    edf = sum(b$edf), edf1 = sum(b$edf1), edf2 = if (is.null(b$edf2)) NaN else sum(b$edf2), aic = AIC(b), bic = BIC(b), logLik = as.numeric(logLik(b)), rSq = if (is.null(s$r.sq)) NaN else s$r.sq, devExpl = s$dev.expl,
    terms = as.numeric(vapply(b$smooth, function(s) sum(b$edf[s$first.para:s$last.para]), 0)), names = names(coef(b))[seq_len(b$nsdf)],
    refDf = as.numeric(s$s.table[, 2]), stat = as.numeric(s$s.table[, 3]), p = as.numeric(s$s.table[, 4]), sp = as.numeric(log(b$sp)),
    link = as.numeric(p$fit), se = as.numeric(p$se.fit), unconditional = as.numeric(u), residuals = residuals)
})
full <- fits[[1]]; small <- fits[[2]]; yes <- fits[[3]]; yesSmall <- fits[[4]]
test <- function(a, b, kind) { t <- anova(a, b, test = kind); as.numeric(unlist(t[2, ])) }
con <- concurvity(full, full = TRUE)
set.seed(1)
check <- k.check(full, n.rep = 4000)
band <- local({
  grid <- data.frame(x = seq(min(d$x), max(d$x), length.out = 100), z = 0.5, g = d$g[1])
  X <- predict(full, grid, type = "lpmatrix"); i <- grep("s(x)", colnames(X), fixed = TRUE)
  X <- X[, i]; V <- full$Vp[i, i]; L <- t(chol(V))
  se <- sqrt(rowSums((X %*% V) * X))
  draws <- replicate(20, apply(abs(X %*% L %*% matrix(rnorm(length(i) * 10000), length(i))) / se, 2, max))
  as.numeric(quantile(draws, 0.95))
})
without <- predict(full, d[at, ], exclude = c("s(z)", "g"), se.fit = TRUE)
terms <- predict(full, d[at, ], type = "terms", se.fit = TRUE)
general <- function(formula, family, data = d, ...) {
  b <- do.call(gam, list(formula = formula, family = family, data = data, method = "REML", control = ctl, ...))
  p <- predict(b, d[at, ], se.fit = TRUE); u <- predict(b, d[at, ], se.fit = TRUE, unconditional = TRUE)
  kinds <- if (b$family$family == "gaulss") c("deviance", "pearson", "response") else "deviance"
  residuals <- lapply(kinds, function(k) safe(residuals(b, k)[at]))
  names(residuals) <- kinds
  list(edf = sum(b$edf), edf2 = sum(b$edf2), aic = AIC(b), logLik = as.numeric(logLik(b)), gradient = max(abs(b$outer.info$grad)), sp = as.numeric(log(b$sp)), link = as.numeric(p$fit), se = as.numeric(p$se.fit), unconditional = as.numeric(u$se.fit), residuals = residuals)
}
gaulss <- general(list(normal ~ s(x, bs = "cr", k = 8), ~ s(z, bs = "cr", k = 6)), gaulss())
multinom <- general(list(class ~ s(x, bs = "cr", k = 8), ~ s(x, bs = "cr", k = 8) + s(z, bs = "cr", k = 6)), multinom(K = 2))
cox <- general(time ~ s(x, bs = "cr", k = 8) + s(z, bs = "cr", k = 6), cox.ph(), weights = d$event)
num <- function(x) paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ",")
js <- function(x) if (is.list(x) && !is.null(names(x))) paste0("{", paste0('"', names(x), '":', vapply(x, js, ""), collapse = ",\n"), "}") else
  if (is.list(x)) paste0("[", paste(vapply(x, js, ""), collapse = ",\n"), "]") else
  if (is.character(x)) (if (length(x) == 1) paste0('"', gsub('"', '\\\\"', x), '"') else paste0("[", paste0('"', x, '"', collapse = ","), "]")) else
  if (length(x) == 1) num(x) else paste0("[", num(x), "]")
writeLines(js(list(mgcv = as.character(packageVersion("mgcv")), rows = at, models = out, anovaF = test(small, full, "F"), anovaChisq = test(yesSmall, yes, "Chisq"),
  concurvity = list(labels = colnames(con), worst = as.numeric(con[1, ]), observed = as.numeric(con[2, ]), estimate = as.numeric(con[3, ])),
  kcheck = list(labels = rownames(check), kPrime = as.numeric(check[, 1]), edf = as.numeric(check[, 2]), kIndex = as.numeric(check[, 3]), p = as.numeric(check[, 4])),
  critical = band, exclude = list(fit = as.numeric(without$fit), se = as.numeric(without$se.fit)),
  terms = list(names = colnames(terms$fit), fit = as.numeric(terms$fit), se = as.numeric(terms$se.fit), constant = as.numeric(c(attr(terms$fit, "constant"), attr(terms, "constant"))[1])),
  gaulss = gaulss, multinom = multinom, cox = cox)), "inference.json")
