#!/bin/sh
# Makes the small filesets and PLINK 1.9's reports on them (plink1.9 from Debian: v1.90b6.26).
# Usage: ./make_golden.sh [prefix of mouse_hs1940]; the mouse reports are kept as SHA-256 sums, the data is not shipped.
set -eu
cd "$(dirname "$0")"
node make_filesets.mjs .
work=$(mktemp -d)
for set in edge quant none; do
  plink1.9 --bfile $set --freq --missing --hardy --out "$work/$set" > /dev/null
  plink1.9 --bfile $set --freq --hardy --nonfounders --out "$work/$set.nonfounders" > /dev/null
  plink1.9 --bfile $set --freq --hardy --keep-allele-order --out "$work/$set.keep" > /dev/null
  for report in frq lmiss imiss hwe; do cp "$work/$set.$report" .; done
  for report in frq hwe; do cp "$work/$set.nonfounders.$report" "$work/$set.keep.$report" .; done
done

# subset: the same people and variants through --make-bed
awk 'NR % 3 == 1 { print $2 }' quant.bim > quant.extract
awk 'NR % 2 == 0 { print $1, $2 }' quant.fam > quant.keep
plink1.9 --bfile quant --extract quant.extract --keep quant.keep --make-bed --keep-allele-order --out "$work/subset" > /dev/null
for part in bed bim fam; do cp "$work/subset.$part" quant.subset.$part; done

# reports on a part: the others of the same people, the same variants
plink1.9 --bfile quant --extract quant.extract --remove quant.keep --freq --missing --hardy --out "$work/part" > /dev/null
for report in frq lmiss imiss hwe; do cp "$work/part.$report" quant.part.$report; done

if [ $# -gt 0 ]; then
  plink1.9 --bfile "$1" --freq --missing --hardy --out "$work/mouse" > /dev/null
  plink1.9 --bfile "$1" --freq --hardy --nonfounders --out "$work/mouse.nonfounders" > /dev/null
  (cd "$work" && sha256sum mouse.frq mouse.lmiss mouse.imiss mouse.hwe mouse.nonfounders.frq mouse.nonfounders.hwe) > mouse.sha256
fi
rm -r "$work"
