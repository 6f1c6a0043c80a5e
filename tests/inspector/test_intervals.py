from annotate.agreement import Interval, undefined
from inspector.templatetags.intervals import contribution, share_between, signed_between, signed_range, signed_value
from worker.templatetags.numbers import decimals


def test_numbers_are_written_with_their_intervals_and_real_minus_signs():
    assert share_between(Interval(0.542, 0.51, 0.573, 9)) == "54.2 % (51.0–57.3)"
    assert signed_between(Interval(-0.412, -0.5, 0.1, 9)) == "−0.412 (−0.500 to +0.100)"
    parts = Interval(-0.412, -0.5, 0.1, 9)
    assert (signed_value(parts), signed_range(parts)) == ("−0.412", "−0.500 to +0.100")
    assert (signed_value(undefined("no")), signed_range(undefined("no"))) == ("–", "")
    assert share_between(Interval(-0.01, -0.05, 0.02, 9)) == "−1.0 % (−5.0–2.0)"
    assert (contribution(-0.03125), contribution(0.5)) == ("−0.0312", "+0.5000")
    assert (decimals(-2.0794, 3), decimals(12.34, 1)) == ("−2.079", "12.3")


def test_what_was_not_measured_is_not_invented():
    assert share_between(undefined("no pair")) == signed_between(undefined("no pair")) == "–"
    assert share_between(Interval(0.5, None, None, 1)) == "50.0 %"
    assert signed_between(Interval(1.0, 0.8, None, 1)) == "+1.000 (+0.800 to …)"
    assert signed_between(Interval(1.0, None, None, 1)) == "+1.000"


def test_styles_get_plain_numbers():
    assert (decimals(25.0, 1), decimals(0.4316, 3)) == ("25.0", "0.432")
