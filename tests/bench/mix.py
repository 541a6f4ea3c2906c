"""A CPU-bound mix for the steady state: about a second of everyday Python."""
import json
import re


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def moved(self, dx, dy=1.0):
        return Point(self.x + dx, self.y + dy)


def dictionaries():
    counts = {}
    for n in range(120000):
        key = n * 7919 % 5003
        counts[key] = counts.get(key, 0) + 1
    return len(counts)


def strings():
    words = ["word%d" % n for n in range(20000)]
    text = " ".join(w.upper() if len(w) % 2 else w for w in words)
    return len(text.split("9")) + sum(text.count(str(n)) for n in range(20))


def floats():
    total = 0.0
    for n in range(1, 200000):
        total += (n * 0.5 - total / n) ** 2 % 7.0
    return total


def calls():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    return fib(22)


def objects():
    p = Point(0.0, 0.0)
    for n in range(60000):
        p = p.moved(n, dy=0.5)
    return p.x


def documents():
    data = [{"id": n, "name": "n%d" % n, "tags": ["a", "b"], "v": n / 3} for n in range(2500)]
    return len(json.loads(json.dumps(data, indent=1, sort_keys=True)))


def patterns():
    text = "key=value; other=12345; " * 800
    found = re.findall(r"(\w+)=(\w+);", text)
    return len(re.sub(r"\d+", lambda m: m[0][::-1], text)) + len(found)


def sorting():
    numbers = [n * 1103515245 % 65537 for n in range(60000)]
    return sorted(numbers, key=lambda n: (n % 100, n))[0] + sorted(numbers)[-1]


def generators():
    return sum(a * b for a, b in zip(range(150000), (n % 17 for n in range(150000))))


def main():
    for _ in range(10):
        for part in (dictionaries, strings, floats, calls, objects, documents,
                     patterns, sorting, generators):
            part()


main()
