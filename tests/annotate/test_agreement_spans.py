"""α_U against Krippendorff's own example, a walk over every position, and sums by hand."""

import json

import numpy as np
import pytest

from annotate.agreement import joint_span_alpha, marks, merge, span_alpha, spans

LENGTH = 300  # of Krippendorff's continuum, which begins at 150
C = [[(75, 145), (220, 250)], [(70, 150), (205, 225), (250, 270)]]
K = [[(30, 90), (150, 200)], [(30, 90), (150, 200)]]


@pytest.mark.data
def test_krippendorffs_own_example(human_data):
    [case] = [
        case
        for case in json.loads((human_data / "agreement_reference_cases.json").read_text())
        if case["name"] == "krippendorff_2004_unitizing_p254"
    ]
    for name, ours in (("c", C), ("k", K)):
        theirs = [[(b - 150, b - 150 + n) for b, n in rater] for rater in case["data"][name]]
        assert [list(map(tuple, rater)) for rater in ours] == theirs
    expected = case["expected"]
    assert span_alpha([marks(LENGTH, C)]).value == pytest.approx(expected["alpha_u_c"], abs=1e-6)
    assert span_alpha([marks(LENGTH, K)]).value == expected["alpha_u_k"]
    both = joint_span_alpha({"c": [marks(LENGTH, C)], "k": [marks(LENGTH, K)]})
    assert both.value == pytest.approx(expected["alpha_u_joint"], abs=1e-6)
    assert both.low is None


def test_the_published_disagreements_of_that_example():
    observed, expected = spans._disagreement(np.ones((1, 1)), [marks(LENGTH, C)])
    assert observed[0] / LENGTH == pytest.approx(0.014444, abs=1e-6)
    assert expected[0] / LENGTH == pytest.approx(0.053222, abs=1e-6)


def test_two_spans_by_hand():
    """Ten places, one rater marks 2–5 and the other 4–6, which overlap at 4: (2−4)² + (5−6)² = 5, both ways 10."""
    found = marks(10, [[(2, 5)], [(4, 6)]])
    assert found == (10.0, 20, [[2, 1], [3, 1]], [[2, 1], [4, 2], [5, 1]])
    overlap = (2 * 27 - 3 * 9 + 3) / 3 + (2 * 8 - 3 * 4 + 2) / 3  # N − 1 = 1
    in_gaps = 9 * (2 + 2 + 3) + 4 * (1 + 3 + 3 + 4)
    chance = 2 * (overlap + in_gaps) / (20 * 19 - 3 * 2 - 2 * 1)
    assert span_alpha([found]).value == pytest.approx(1 - (10 / 20) / chance)


def walked(texts):
    """(D_o, D_e) by going over every pair of raters, every offset of two units, every place in every gap."""
    observed, places, units, gaps = 0.0, 0, [], []
    for length, raters in texts:
        places += length * len(raters)
        for i, mine in enumerate(raters):
            free = sorted(set(range(length)) - {x for a, b in mine for x in range(a, b)})
            runs = np.split(free, np.flatnonzero(np.diff(free) != 1) + 1) if free else []
            gaps += [(int(run[0]), int(run[-1]) + 1) for run in runs]
            units += mine
            for theirs in raters[:i] + raters[i + 1 :]:
                for a, b in mine:
                    hits = [(c, d) for c, d in theirs if set(range(a, b)) & set(range(c, d))]
                    cost = sum((a - c) ** 2 + (b - d) ** 2 for c, d in hits) if hits else 2 * (b - a) ** 2
                    observed += cost / (len(raters) - 1)
    chance = 0
    for g, (a, b) in enumerate(units):
        n = b - a
        for h, (c, d) in enumerate(units):
            if g < h:
                k = d - c
                chance += 2 * sum(x**2 + (x + n - k) ** 2 for x in range(1 - n, k))
        for c, d in gaps:
            chance += 2 * sum(n**2 for x in range(c, d) if x + n <= d)
    return observed / places, chance / (places * (places - 1) - sum((b - a) * (b - a - 1) for a, b in units))


def scattered(rng, length, raters):
    """Random units of each rater, some of which touch."""
    found = []
    for _ in range(raters):
        cuts = sorted(rng.choice(length + 1, 2 * rng.integers(0, 3), replace=False).tolist())
        found.append(list(zip(cuts[::2], cuts[1::2], strict=True)))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_random_texts_agree_with_a_walk_over_positions(seed):
    rng = np.random.default_rng(seed)
    sizes = zip(rng.integers(9, 30, 5).tolist(), rng.integers(2, 5, 5).tolist(), strict=True)
    texts = [(length, scattered(rng, length, raters)) for length, raters in sizes]
    stored = [marks(*text) for text in texts]
    observed, expected = walked(texts)
    assert spans._disagreement(np.ones((1, 5)), stored)[:, 0] == pytest.approx((observed, expected))
    assert span_alpha(stored, draws=2).value == pytest.approx(1 - observed / expected)


def test_spans_that_touch_are_two_units():
    touching = [[(2, 4), (4, 7)], [(2, 7)]]
    assert marks(12, touching).units == [[2, 1], [3, 1], [5, 1]]
    assert marks(12, touching).observed == 2 * (9 + 4)


def test_spans_of_one_rater_that_overlap_are_one_unit():
    assert marks(20, [[(2, 6), (4, 9), (5, 7)], [(2, 9)]]) == marks(20, [[(2, 9)], [(2, 9)]])
    assert span_alpha([marks(20, [[(4, 9), (2, 6)], [(2, 9)]])]).value == 1.0


def test_sums_of_texts_are_as_good_as_the_texts():
    rng = np.random.default_rng(9)
    stored = [marks(40, scattered(rng, 40, 3)) for _ in range(12)]
    through_json = merge(json.loads(json.dumps(stored)))
    assert span_alpha([through_json]).value == pytest.approx(span_alpha(stored).value)


def noisy(rng, texts):
    """Two raters who mark the same place, off by a few code points, or miss it."""
    stored = []
    for _ in range(texts):
        start = int(rng.integers(20, 160))
        both = [[(start + int(rng.integers(-8, 9)), start + 30)] if rng.random() < 0.8 else [] for _ in "ab"]
        stored.append(marks(200, both))
    return stored


def test_the_interval_redraws_texts():
    stored = noisy(np.random.default_rng(4), 60)
    ours, rng = span_alpha(stored, draws=3000), np.random.default_rng(5)
    redrawn = [span_alpha([merge(stored[i] for i in rng.integers(0, 60, 60))], draws=1).value for _ in range(1500)]
    low, high = np.quantile(redrawn, (0.025, 0.975))
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=(high - low) / 10)
    assert ours.n == 60


def test_grouped_texts_have_the_value_and_the_width_of_the_texts(monkeypatch):
    stored = noisy(np.random.default_rng(6), 600)
    alone = span_alpha(stored)
    monkeypatch.setattr(spans, "GROUPS", 150)
    grouped = span_alpha(stored)
    assert (grouped.value, grouped.n) == (pytest.approx(alone.value), 600)
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.2)


def test_chance_is_of_all_texts_together():
    """Where both mark all of one text and nothing of the other, they agree; a text alone would give chance no room."""
    full, empty = marks(50, [[(0, 50)], [(0, 50)]]), marks(50, [[], []])
    assert span_alpha([full, empty]).value == 1.0


def test_marking_elsewhere_is_worse_than_chance():
    assert span_alpha([marks(100, [[(0, 50)], [(50, 100)]])]).value < 0


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ([], "no text was marked by two raters"),
        ([marks(50, [[(1, 4)]])], "no text was marked by two raters"),
        ([marks(50, [[], []])], "nobody marked anything"),
        ([marks(1, [[(0, 1)], [(0, 1)]])], "chance could not differ"),
    ],
)
def test_an_undefined_alpha_says_why(stored, why):
    assert span_alpha(stored).value is None
    assert why in span_alpha(stored).why


@pytest.mark.parametrize("span", [(-1, 4), (4, 4), (5, 3), (8, 11)])
def test_a_span_outside_its_text_is_refused(span):
    with pytest.raises(ValueError, match="outside"):
        marks(10, [[span], []])


def test_categories_need_the_same_texts():
    with pytest.raises(ValueError, match="same texts"):
        joint_span_alpha({"a": [marks(10, [[], []])], "b": [marks(11, [[], []])]})
