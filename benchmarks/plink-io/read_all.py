"""Reads a whole .bed with bed-reader: `read_all.py FILE.bed int8|float32 THREADS`."""
import sys
from bed_reader import open_bed

path, dtype, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_bed(path, num_threads=threads) as bed:
    values = bed.read(dtype=dtype, order="F")
print(values.shape)
