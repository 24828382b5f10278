"""How a prior segmentation weighs on the draw of a transcript that lies in one of its segments."""

import math

from numba import njit

from cellcarve.chain.compiled import LEAF, PART
from cellcarve.mixture.tally import count_of


@njit(**LEAF)
def main_segments(tally, size, main):
    """Into `main`: the prior segment of which each component holds the largest share; larger segments win ties."""
    for k in range(1, len(main)):
        best, share = 0, 0.0
        for slot in range(tally.start[k], tally.start[k] + tally.size[k]):
            if tally.held[slot] <= 0:
                continue
            s = tally.key[slot]
            mine = tally.held[slot] / size[s]
            level = mine == share and (size[s] > size[best] or (size[s] == size[best] and s < best))
            if mine > share or (best > 0 and level):
                best, share = s, mine
        main[k] = best


@njit(**PART)
def claim(owner, candidate, score):
    """Make a segment's own component a candidate, wherever it lies."""
    last = len(score)
    many = candidate[last]
    for c in range(many):
        if candidate[c] == owner:
            return
    if owner > 0 and many < last:
        candidate[many], score[many] = owner, 0.0
        candidate[last] = many + 1


@njit(**PART)
def hold(owner, bonus, candidate, score):
    """A segment's own component gains the bonus."""
    for c in range(candidate[len(score)]):
        if candidate[c] == owner:
            score[c] += min(bonus, 1e9)


@njit(**LEAF)
def _anchor(s, size, cells, tally, candidate, many):
    """The candidate that may claim a segment, and what it holds of it; -1 where there is none."""
    found, held = -1, 0
    for c in range(many):
        k = candidate[c]
        if cells.main[k] != s and cells.main[k] != 0:
            continue
        t = min(count_of(tally, k, s) + 1, size)
        if found < 0 or t > held or (t == held and cells.n[k] > cells.n[candidate[found]]):
            found, held = c, t
    return found, held


@njit(**LEAF)
def _push(value, base, power):
    """`value` plus power times the log of base, where 0 to the power 0 is 1."""
    if power == 0.0:
        return value
    return value + power * math.log(base) if base > 0 else -math.inf


@njit(**PART)
def discourage(s, cells, counts, rules, candidate, score):
    """Baysor's correction: candidates other than the segment's anchor lose by the share of it that they hold."""
    many, p, size, tally = candidate[len(score)], rules.trust, counts.size[s], counts.segments
    found, held = _anchor(s, size, cells, tally, candidate, many)
    if found < 0 or p <= 0:
        return
    for c in range(many):
        k = candidate[c]
        if c == found:
            continue
        t = min(count_of(tally, k, s) + 1, size)
        score[c] = _push(score[c], 1 - p, 0.5)
        if cells.main[k] == s or cells.main[k] == 0:
            score[c] = _push(score[c], t / held, p)
        else:
            score[c] = _push(score[c], 1 - t / size, p * math.exp(3 * p))
