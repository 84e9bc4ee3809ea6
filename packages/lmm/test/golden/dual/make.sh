#!/bin/sh
# GEMMA 0.98.5 on kinships of chosen variants, fewer than people: what dual.ref.test.ts compares with. Debian: gemma
#   sh packages/lmm/test/golden/dual/make.sh
# Lists: every k-th variant of the .bim makes the kinship; these and as many of their neighbours are tested.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../../../../../fixtures
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

run() { # name fileset every [option ...]
  name=$1 set=$2 every=$3
  shift 3
  awk -v k="$every" 'NR % k == 1 { print $2 }' "$set.bim" > "$here/$name.ksnps.txt"
  awk -v k="$every" 'NR % k < 2 { print $2 }' "$set.bim" > "$here/$name.snps.txt"
  gemma -bfile "$set" -gk 1 -snps "$here/$name.ksnps.txt" "$@" -o k
  gemma -bfile "$set" -k output/k.cXX.txt -lmm 4 -snps "$here/$name.snps.txt" "$@" -o l
  gzip -9 -n -c output/l.assoc.txt > "$here/$name.assoc.txt.gz"
  sed -n '/number of total individuals/,$p' output/l.log.txt | grep ' = ' | grep -v time > "$here/$name.log.txt"
}

demo=$fixtures/demo/demo
twins=$fixtures/tiny/twins/twins
run demo-300 "$demo" 16
run demo-covariates "$demo" 24 -c "$demo.covar.txt"
run demo-near-n "$demo" 10
run twins "$twins" 3
