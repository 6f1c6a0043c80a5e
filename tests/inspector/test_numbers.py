from annotate.agreement import Interval, undefined
from inspector.templatetags.numbers import contribution, css, fixed, half, share, signed


def test_numbers_are_written_with_their_intervals_and_real_minus_signs():
    assert share(Interval(0.542, 0.51, 0.573, 9)) == "54.2 % (51.0–57.3)"
    assert signed(Interval(-0.412, -0.5, 0.1, 9)) == "−0.412 (−0.500 to +0.100)"
    assert (contribution(-0.03125), contribution(0.5)) == ("−0.0312", "+0.5000")
    assert (fixed(-2.0794), fixed(12.34, 1)) == ("−2.079", "12.3")


def test_what_was_not_measured_is_not_invented():
    assert share(undefined("no pair")) == signed(undefined("no pair")) == "–"
    assert share(Interval(0.5, None, None, 1)) == "50.0 %"
    assert signed(Interval(1.0, 0.8, None, 1)) == "+1.000 (+0.800 to …)"
    assert signed(Interval(1.0, None, None, 1)) == "+1.000"


def test_styles_get_plain_numbers():
    assert (half(50.0), css(0.4316)) == ("25.0", "0.432")
