"""How much a packed file may hold. PURE."""

RATIO, FREE = 100, 64 * 2**20  # this many times its size, and never less than FREE bytes


def bound(packed: int) -> int:
    """How many bytes a packed file of this size may unpack to."""
    return max(FREE, RATIO * packed)
