"""NumPy: sorting, statistics, a small linear system."""
import numpy


def start():
    pass


def task():
    values = numpy.arange(5000) * 7919 % 5003 / 3
    matrix = numpy.eye(40) + values[:1600].reshape(40, 40) / 1e4
    return (numpy.sort(values), numpy.histogram(values, 20), numpy.unique(values % 17),
            numpy.linalg.solve(matrix, values[:40]), values.mean(), values.std())


def answer(number):
    """The number, after a detour."""
    return str(int(numpy.full(7, number).mean()))
