# Writes more.csv (simulated here, seed 11) and more.json: mgcv's numbers for families and bases that the shared references lack.
# `Rscript make_more.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
state <- 11
uniform <- function(n) vapply(seq_len(n), function(i) { state <<- (state * 16807) %% 2147483647; state / 2147483647 }, 0)
n <- 300
for (i in 1:20) uniform(1)
d <- data.frame(x = round(uniform(n), 4), z = round(uniform(n), 4), g = paste0("g", 1 + floor(5 * uniform(n))))
f <- sin(2 * pi * d$x) + (d$z - 0.5)
u <- uniform(n); v <- uniform(n); e <- qnorm(u)
level <- match(d$g, paste0("g", 1:5))
d$normal <- round(f + 0.4 * (level - 3) * cos(3 * d$x) + 0.3 * e, 5)
d$tweedie <- round(vapply(seq_len(n), function(i) { k <- qpois(u[i], exp(0.7 * f[i])); if (k == 0) 0 else qgamma(v[i], shape = 1.5 * k, scale = 0.8) }, 0), 4)
d$beta <- round(pmin(pmax(qbeta(u, 8 * plogis(f), 8 * (1 - plogis(f))), 1e-3), 1 - 1e-3), 5)
latent <- 1.5 * f + qlogis(u)
d$grade <- findInterval(latent, c(-1.5, 0.2, 1.4)) + 1
d$class <- vapply(seq_len(n), function(i) { p <- cumsum(exp(c(0, f[i], 0.8 - f[i]))); findInterval(u[i], p / p[3]) }, 0)
d$time <- ceiling(-log(u) / exp(f) * 40) / 4; d$event <- as.integer(v < 0.7)
d$positive <- round(exp(f / 2) * qgamma(u, shape = 9) / 9, 5)
d$count <- qnbinom(u, mu = exp(0.8 + f), size = 3)
d$yes <- as.integer(u < plogis(f))
write.csv(d, "more.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("more.csv", stringsAsFactors = TRUE)
ctl <- gam.control(epsilon = 1e-11, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
smooths <- 's(x, bs="cr", k=8) + s(z, bs="cr", k=6)'
m <- function(formula, family, method = "REML", ours = family) list(formula, family, method, ours)
models <- list(
  m(paste("tweedie ~", smooths), "tw()"), m(paste("tweedie ~", smooths), "tw(theta=1.4)", ours = "tw(p=1.4)"),
  m(paste("tweedie ~", smooths, '+ s(g, bs="re")'), "tw()", "ML"),
  m(paste("beta ~", smooths), "betar()"), m(paste("beta ~", smooths), "betar(link='probit')", ours = "betar(link=probit)"),
  m(paste("grade ~", smooths), "ocat(R=4)"), m(paste("grade ~", smooths, '+ s(g, bs="re")'), "ocat(R=4)"),
  m(paste("positive ~", smooths), "inverse.gaussian(link=log)"), m(paste("positive ~", smooths), "inverse.gaussian(link=inverse)", "ML"),
  m(paste("normal ~", smooths), "quasi()", ours = "quasi"),
  m(paste("count ~", smooths), "quasipoisson()", "REML", "quasipoisson"), m(paste("yes ~", smooths), "quasibinomial()", "REML", "quasibinomial"),
  m('normal ~ s(x, bs="bs", k=10)', "gaussian"), m('normal ~ s(x, bs="bs", k=9, m=c(3,1))', "gaussian"),
  m('normal ~ s(x, bs="bs", k=9, m=c(2,1))', "gaussian"), m('normal ~ s(x, bs="bs", k=9, m=c(3,2,0))', "gaussian"),
  m('normal ~ s(x, bs="ds", k=10)', "gaussian"), m('normal ~ s(x, z, bs="ds", k=20, m=c(1,.5))', "gaussian"), m('normal ~ s(x, z, bs="ds", k=20)', "gaussian"),
  m('normal ~ s(x, bs="gp", k=10)', "gaussian"), m('normal ~ s(x, z, bs="gp", k=20)', "gaussian"),
  m('normal ~ s(x, bs="gp", k=12, m=c(1,0.8))', "gaussian"), m('normal ~ s(x, bs="gp", k=12, m=c(2,0.5,1.5))', "gaussian"),
  m('normal ~ s(x, bs="gp", k=12, m=c(4,0.3))', "gaussian"), m('normal ~ s(x, bs="gp", k=12, m=c(5,0.3))', "gaussian"), m('normal ~ s(x, bs="gp", k=12, m=c(-3,0.3))', "gaussian"),
  m('normal ~ z + s(x, g, bs="fs", k=6, m=1)', "gaussian"), m('yes ~ s(z, bs="cr", k=6) + s(x, g, bs="fs", k=6, m=1)', "binomial"),
  m('normal ~ t2(x, z, k=5)', "gaussian"),
  m('normal ~ s(x, bs="cr", k=6) + s(z, bs="cr", k=6) + te(x, z, bs="cr", k=4)', "gaussian"),
  m('normal ~ s(x, k=6) + s(z, k=6) + te(x, z, k=4)', "gaussian"),
  m('normal ~ s(x, k=6) + s(x, z, k=15)', "gaussian"))
at <- c(1, 50, 101, 152, 203, 254)
safe <- function(x) if (is.null(x)) NULL else as.numeric(x)
out <- lapply(models, function(m) {
  b <- gam(as.formula(m[[1]]), family = eval(parse(text = m[[2]])), data = d, method = m[[3]], control = ctl)
  p <- predict(b, d[at, ], se.fit = TRUE)
  r <- predict(b, d[at, ], se.fit = TRUE, type = "response")
  theta <- if (is.null(b$family$getTheta)) NaN else b$family$getTheta(TRUE)
  list(formula = m[[1]], family = m[[4]], method = m[[3]], deviance = b$deviance, nullDeviance = b$null.deviance, scale = b$sig2, edf = sum(b$edf), theta = theta,
    logLik = as.numeric(logLik(b)), link = as.numeric(p$fit), se = as.numeric(p$se.fit),
    response = as.numeric(as.matrix(r$fit)), responseSe = as.numeric(as.matrix(r$se.fit)))
})
mb <- gam(list(class ~ s(x, bs = "cr", k = 8) + z, ~ s(x, bs = "cr", k = 8) + s(z, bs = "cr", k = 6)), family = multinom(K = 2), data = d, method = "REML", control = ctl)
p <- predict(mb, d[at, ], se.fit = TRUE); r <- predict(mb, d[at, ], se.fit = TRUE, type = "response")
classes <- list(deviance = mb$deviance, edf = sum(mb$edf), link = as.numeric(p$fit), se = as.numeric(p$se.fit), response = as.numeric(r$fit), responseSe = as.numeric(r$se.fit))
num <- function(x) paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ",")
js <- function(x) if (is.list(x) && !is.null(names(x))) paste0("{", paste0('"', names(x), '":', vapply(x, js, ""), collapse = ",\n"), "}") else
  if (is.list(x)) paste0("[", paste(vapply(x, js, ""), collapse = ",\n"), "]") else
  if (is.character(x)) paste0('"', gsub('"', '\\\\"', x), '"') else if (length(x) == 1) num(x) else paste0("[", num(x), "]")
writeLines(js(list(mgcv = as.character(packageVersion("mgcv")), rows = at, models = out, multinom = classes)), "more.json")
