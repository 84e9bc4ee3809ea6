# Writes units.json from more.csv: mgcv's numbers for models that the test fits again in other units of the response and of the covariates.
# `Rscript make_units.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
d <- read.csv("more.csv", stringsAsFactors = TRUE)
ctl <- gam.control(epsilon = 1e-11, maxit = 400, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
both <- 's(x, bs="cr", k=8) + s(z, bs="cr", k=6)'
response <- list(
  list("normal", "gaussian"), list("positive", "gaussian(link=log)"), list("positive", "Gamma"), list("positive", "Gamma(link=log)"), list("positive", "Gamma(link=identity)"),
  list("positive", "inverse.gaussian"), list("positive", "inverse.gaussian(link=log)"), list("positive", "quasi(link=log)"), list("tweedie", "tw"))
bases <- c('s(x, bs="cr", k=8)', 's(x, bs="cs", k=8)', 's(x, bs="cc", k=8)', 's(x, k=8)', 's(x, bs="ts", k=8)', 's(x, bs="ps", k=8)', 's(x, bs="cp", k=8)', 's(x, bs="bs", k=8)',
  's(x, bs="gp", k=8)', 's(x, bs="ds", k=8)', 'te(x, z, k=4)', 'ti(x, z, k=4)', 't2(x, z, k=4)', 's(x, g, bs="fs", m=1, k=6)', 's(x, by=g, bs="cr", k=5)', 's(g, x, bs="re")', 'x + s(z, bs="cr", k=6)', 's(x, z, bs="gp", k=15)')
figures <- function(formula, family, ...) {
  b <- gam(as.formula(formula), family = eval(parse(text = if (family == "tw") "tw()" else family)), data = d, method = "REML", control = ctl, ...)
  s <- summary(b)$s.table
  list(formula = formula, family = family, edf = s[, 1], refDf = s[, 2], p = s[, 4], devianceExplained = summary(b)$dev.expl)
}
num <- function(x) paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ",")
one <- function(v, name) if (is.character(v)) sprintf('"%s"', gsub('"', '\\\\"', v)) else if (name == "devianceExplained") num(v) else sprintf("[%s]", num(v))
object <- function(l) sprintf("{%s}", paste(sprintf('"%s":%s', names(l), mapply(one, l, names(l))), collapse = ","))
list_of <- function(l) paste(vapply(l, object, ""), collapse = ",\n")
writeLines(sprintf('{"response":[\n%s],\n"covariates":[\n%s]}', list_of(lapply(response, function(r) figures(paste(r[[1]], "~", both), r[[2]]))),
  list_of(lapply(bases, function(b) figures(paste("positive ~", b), "Gamma(link=log)")))), "units.json")
