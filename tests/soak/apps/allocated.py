"""What the process has allocated and not freed, exactly: memory in use and not what malloc keeps for later."""

import ctypes
import gc
import sys

FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class Mallinfo2(ctypes.Structure):
    """mallinfo(3)"""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2


def told():
    gc.collect()
    info = mallinfo2()
    return f"malloced={info.uordblks + info.hblkhd} blocks={sys.getallocatedblocks()}\n".encode()
