"""The image that this process was restored from, and hooks that run before the
freeze and after each restore. See pyimage(7).

This is the package for plain python3, where there is no image: it answers so and
notes nothing. An interpreter that is frozen has a module of its own by this name."""

__all__ = ["info", "is_building", "is_restored", "register_after_restore",
           "register_before_snapshot"]


def is_building():
    """Whether this is pydump build, before the freeze."""
    return False


def is_restored():
    """Whether this process was restored from an image."""
    return False


def info():
    """What is known of the image that this process was restored from: a dict
    with path, version, executable, built (seconds since 1970), entry,
    options, imports, warmups and modules (their number). None if there is none."""
    return None


def _check(func):
    if not callable(func):
        raise TypeError("the first argument must be callable, not %s" % type(func).__name__)
    return func


def register_before_snapshot(func, /, *args, **kwargs):
    """Call func(*args, **kwargs) before the process is frozen, those that were
    registered last first. The build is refused if it raises an exception.
    Returns func, so it can be used as a decorator."""
    return _check(func)


def register_after_restore(func, /, *args, **kwargs):
    """Call func(*args, **kwargs) in each process of the image, before the
    program, those that were registered first first. If it raises an exception,
    that is printed, and the program does not start. In a restored process
    nothing is registered. Returns func, so it can be used as a decorator."""
    return _check(func)
