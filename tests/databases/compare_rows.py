"""Are the rows of two files the same, each as often? CSV with a header, and two numbers a line."""
import collections
import sys

with open(sys.argv[1]) as file:
    next(file)
    wanted = collections.Counter(tuple(float(cell) for cell in line.split(",")) for line in file)
with open(sys.argv[2]) as file:
    found = collections.Counter(tuple(float(cell) for cell in line.split()) for line in file)
missing, twice = wanted - found, found - wanted
print(f"{sum(wanted.values())} rows, {sum(missing.values())} missing, {sum(twice.values())} too many")
sys.exit(bool(missing or twice or not wanted))
