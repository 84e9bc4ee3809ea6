"""Doubles and what C's printf makes of them (Python's % operator rounds exactly as C does).

    python3 packages/core/test/golden/printf.py | gzip -9n > packages/core/test/golden/printf.tsv.gz

Columns: the bits in hexadecimal, %.6e, %.10g, %.3f (empty from 1e30 on).
"""

import random
import struct

random.seed(20240607)


def from_bits(bits):
    return struct.unpack(">d", struct.pack(">Q", bits))[0]


values = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
values += [1.0, -1.0, 0.5, 0.05, 0.005, 0.0005, 999999.5, 9999999.5, 99999995.0, 9.9999995, 0.99999995, 1e22, 1e23, 1e21]
values += [10.0**e for e in range(-30, 31)]
while len(values) < 8000:  # every exponent, subnormals included
    values.append(from_bits(random.getrandbits(64)))
while len(values) < 14000:  # the sizes that results have
    values.append(random.choice([-1, 1]) * 10 ** random.uniform(-20, 12))
while len(values) < 17000:  # exact ties of %.6e: eight figures, the last one 5, that a double holds exactly
    shift = random.randrange(0, 11)
    five = 5 ** max(shift, 1)
    figures = five * random.randrange(10**7 // five | 1, 10**8 // five, 2)
    values.append(random.choice([-1, 1]) * figures / 10**shift * 10.0 ** random.choice([0, 0, 1, 3]))
while len(values) < 18500:  # exact ties of %.3f: odd sixteenths
    values.append(random.choice([-1, 1]) * (2 * random.randrange(0, 2 ** random.randrange(1, 44)) + 1) / 16)
while len(values) < 19200:  # few digits: frequencies and counts
    values.append(random.randrange(0, 2000) / random.choice([1, 2, 4, 8, 10, 100, 1000, 606, 1010]))
while len(values) < 20000:  # beside a tie by one bit
    tie = (random.randrange(10**6, 10**7) * 10 + 5) * 10.0 ** random.randrange(-12, 6)
    bits = struct.unpack(">Q", struct.pack(">d", tie))[0]
    values.append(from_bits(bits + random.choice([-1, 0, 1])))

for x in values:
    bits = struct.unpack(">Q", struct.pack(">d", x))[0]
    fixed = "%.3f" % x if not abs(x) >= 1e30 or x in (float("inf"), float("-inf")) else ""
    text = "nan" if x != x else "%.6e" % x
    print("%016x\t%s\t%s\t%s" % (bits, text, "nan" if x != x else "%.10g" % x, fixed if x == x else "nan"))
