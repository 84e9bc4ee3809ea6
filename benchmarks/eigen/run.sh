#!/bin/sh
# The table of docs/design/eigensolver.md: three solvers next to each other, one thread each, JSON lines.
# Needs a Python with numpy and scipy in $PYTHON; writes its inputs to $1 (about 1 GB with n = 6000).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$1
shift
python=${PYTHON:-python3}
ours=${CARGO_TARGET_DIR:-$root/target}/release/examples/eigen_bench
faer=${FAER_TARGET_DIR:-$here/faer/target}/release/faer-peer
export OPENBLAS_NUM_THREADS=1
(cd "$root" && cargo build -q --release -p x-dense --example eigen_bench)
(cd "$here/faer" && CARGO_TARGET_DIR=${FAER_TARGET_DIR:-$here/faer/target} cargo build -q --release)
for name in "$@"; do
  n=${name#*_}
  test -f "$dir/$name.f64" || "$python" "$here/inputs.py" "$dir" "$name"
  "$ours" "$dir/$name.f64" "$n" 1
  "$python" "$here/dsyevd.py" "$dir/$name.f64" "$n"
  "$faer" "$dir/$name.f64" "$n" 1 1
done
