"""What is printed: one line of JSON for each figure, once for each peer it is compared with."""

import json
import statistics
import sys

DIGITS = 4  # significant ones


def shorten(number):
    return None if number is None else float(f"{number:.{DIGITS}g}")


class Figures:
    """Prints figures as they come and counts those that missed their target.

    Less is better, for all of them; a ratio is the value divided by the peer's.
    """

    def __init__(self, output=sys.stdout):
        self.output = output
        self.missed = 0
        self.failed = 0

    def say(self, name, samples, unit, target=None, peers=None):
        """`samples`: one for each round. `peers`: samples of others by name, measured in the same way."""
        value = statistics.median(samples)
        met = None if target is None else value <= target
        self.missed += met is False
        for peer, theirs in (peers or {None: []}).items():
            peer_value = statistics.median(theirs) if theirs else None
            self._print({
                "figure": name, "value": shorten(value), "unit": unit, "target": target, "met": met,
                "min": shorten(min(samples)), "max": shorten(max(samples)), "rounds": len(samples),
                "peer": peer, "peer_value": shorten(peer_value),
                "ratio": shorten(value / peer_value) if peer_value else None,
            })

    def fail(self, name, reason):
        """It could not be measured."""
        self.failed += 1
        self._print({"figure": name, "value": None, "unit": None, "target": None, "met": None, "peer": None,
                     "peer_value": None, "ratio": None, "reason": reason})

    def _print(self, row):
        print(json.dumps(row), file=self.output, flush=True)


def note(text):
    """For people who watch; not a figure."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
