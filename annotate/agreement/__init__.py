"""How far people agree with each other, how far a model agrees with them, and how sure any share is. PURE numpy.

    intervals   Interval, Undefined, Wilson, bootstrap, medians, changes
    tables      percent, Cohen, Fleiss, Krippendorff's α of a table of ratings
    patterns    the same from a histogram of tasks, with intervals fast enough for a page
    intraclass  intraclass correlation of ratings that are numbers
    spans       unitised agreement (α_U) of marks on texts
    latent      Dawid–Skene: the truth and each rater's errors, from who said what of which
    contests    Crowd-BT: scores of responses and each rater's reliability, from who preferred which
    raters      one rater's biases, consistency, accuracy and pace, from counts
    beside      a model beside people, and the ceiling that people leave it

A statistic that has no value raises Undefined with the reason, and becomes an Interval whose value is None: it never
becomes a silent zero, and never NaN.
"""

from annotate.agreement.beside import (
    auroc,
    best_accuracy,
    ceiling,
    credits,
    margin_ceilings,
    pair_accuracy,
    ranks,
)
from annotate.agreement.contests import Contests, crowd_bt
from annotate.agreement.intervals import (
    Z95,
    Interval,
    Undefined,
    bootstrap,
    difference,
    median,
    percentiles,
    undefined,
    wilson,
)
from annotate.agreement.intraclass import icc
from annotate.agreement.latent import DawidSkene, dawid_skene
from annotate.agreement.patterns import Tasks, aligned, cohen, histogram, summary
from annotate.agreement.spans import Marks, joint_span_alpha, marks, merge, span_alpha
from annotate.agreement.tables import (
    Table,
    cohen_kappa,
    confusion,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    tally,
)

__all__ = [
    "Z95",
    "Contests",
    "DawidSkene",
    "Interval",
    "Marks",
    "Table",
    "Tasks",
    "Undefined",
    "aligned",
    "auroc",
    "best_accuracy",
    "bootstrap",
    "ceiling",
    "cohen",
    "cohen_kappa",
    "confusion",
    "credits",
    "crowd_bt",
    "dawid_skene",
    "difference",
    "fleiss_kappa",
    "histogram",
    "icc",
    "joint_span_alpha",
    "krippendorff_alpha",
    "margin_ceilings",
    "marks",
    "median",
    "merge",
    "pair_accuracy",
    "percent_agreement",
    "percentiles",
    "ranks",
    "span_alpha",
    "summary",
    "tally",
    "undefined",
    "wilson",
]
