"""How the inner loops of the chains are compiled.

Arrays that a loop is handed are borrowed from its caller, who holds them until it returns, so that nobody needs to count
references to them: where a tuple of arrays is handed on, counting costs more than most of what is done with them, and
threads wait for each other at the counters. What allocates arrays, or calls what does, cannot be compiled like this.
"""

from typing import Any

from numba.core.options import DefaultOptions

# Of code that allocates; division by zero follows IEEE 754 and is not looked out for.
MAKER: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# Of all else. Where a version of Numba no longer knows the option, loops are slower and the same.
LEAF: dict[str, Any] = MAKER | ({"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {})
# Of what a loop does with one item: part of the loop's own code, since to hand over a tuple of arrays is to copy it.
PART: dict[str, Any] = LEAF | {"forceinline": True}
