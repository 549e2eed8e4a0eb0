"""Marks of tsprof for Python programs, free of cost when nothing records.

    import tsprof_marks as marks

    @marks.function                     # a scope named for the function
    def parse(text): ...

    with marks.scope("load", "file=a.csv"):
        marks.counter("rows", 12)
    marks.milestone("ready")

Run it with:  tsprof record -- python3 program.py
"""
import ctypes
import functools
import os


def _library():
    """`tsprof record` says where its library is, after three colons; else there is no need."""
    path = os.environ.get("TSPROF_MARKS", ":::").split(":", 3)[3]
    library = ctypes.PyDLL(path) if path else None  # PyDLL: too short to release the GIL for
    if library:
        text = ctypes.c_char_p
        for name, arguments in {"mark": [text, text], "scope_begin": [text], "scope_end": [text],
                                "scope_arguments": [text], "scope_failed": [text],
                                "counter": [text, ctypes.c_double]}.items():
            call = getattr(library, "tsprof_" + name)
            call.argtypes, call.restype = arguments, None
    return library


_lib = _library()


def milestone(name, data=None):
    if _lib:
        _lib.tsprof_mark(name.encode(), data.encode() if data else None)


def counter(name, value):
    if _lib:
        _lib.tsprof_counter(name.encode(), value)


class scope:
    def __init__(self, name, arguments=None):
        self.name, self.arguments = name.encode(), arguments

    def __enter__(self):
        if _lib:
            _lib.tsprof_scope_begin(self.name)
            if self.arguments:
                _lib.tsprof_scope_arguments(self.arguments.encode())
        return self

    def __exit__(self, kind, error, traceback):
        if _lib:
            if kind:
                _lib.tsprof_scope_failed(f"{kind.__name__}: {error}".encode())
            _lib.tsprof_scope_end(self.name)


def function(wrapped):
    @functools.wraps(wrapped)
    def call(*arguments, **keywords):
        with scope(wrapped.__qualname__):
            return wrapped(*arguments, **keywords)
    return call if _lib else wrapped
