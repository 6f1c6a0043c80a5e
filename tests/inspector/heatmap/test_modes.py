"""The heat-map's ways of showing: one text, the margin, methods side by side; stretches and layers; and its file."""

import html
import json
import re

import pytest
from django.urls import reverse

from tests.inspector.making import explain, make_item
from worker.models import Attribution, Job


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def show(browser, project, version):
    url = reverse("inspector:heatmap", args=[project.slug, version.number])
    return lambda **asked: browser.get(url, asked)


@pytest.fixture
def told(version, oder):
    """Both responses by the exact decomposition."""
    return [explain(version, response, North=-0.4, Baltic=0.3) for response in oder.responses.all()]


def of_stretches(version, response, method="loo", **fields):
    """Each half of the text is a stretch."""
    half = len(response.text) // 2
    units = [{"start": 0, "end": half, "value": 0.5}, {"start": half, "end": len(response.text), "value": -1.0}]
    own = {"version": version, "response": response, "head": "preference", "method": method, "tokens": []}
    return Attribution.objects.create(**own, units=units, baseline=0.25, residual=0.75, score=0.5, **fields)


def texts(page):
    boxes = re.findall(r'<div class="heat[^>]*>(.*?)</div>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", box)) for box in boxes]


def test_one_response_stands_alone(show, version, oder):
    explain(version, oder.responses.first())
    answer = show(mode="one")
    assert texts(answer.content.decode()) == [oder.responses.first().text]
    assert answer.context["map"].margin is None


def test_an_item_with_one_response_is_shown(show, version, project):
    item = make_item(project, "Alone?", "All alone.")
    explain(version, item.responses.first())
    assert texts(show(item=item.pk).content.decode()) == ["All alone."]


def test_in_the_margin_the_second_response_has_its_signs_turned(show, told):
    pair, margin = show().context["map"], show(mode="margin").context["map"]
    assert [p.heat and p.heat.value for p in margin.left.pieces] == [p.heat and p.heat.value for p in pair.left.pieces]
    assert [p.heat and p.heat.value for p in margin.right.pieces] == [
        p.heat and -p.heat.value for p in pair.right.pieces
    ]
    assert margin.left.sums.score + margin.right.sums.score == pytest.approx(margin.margin.score)
    assert margin.right.bars[0].value == -pair.right.bars[0].value


def test_the_margin_adds_up(show, told):
    sums = show().context["map"].margin
    assert sums.score == pytest.approx(told[0].score - told[1].score)
    assert sums.baseline + sums.features + sums.parts + sums.residual == pytest.approx(sums.score)


def test_methods_stand_under_the_same_text_in_rows(show, version, oder, told):
    for response in oder.responses.all():
        explain(version, response, method="ig", North=-0.2)
        of_stretches(version, response, cost={"tokens": 30, "seconds": 0.5})
    answer = show(mode="methods")
    page = answer.content.decode()
    assert texts(page) == [response.text for response in oder.responses.all()]
    assert answer.context["map"].keys == ("exact", "ig", "loo")
    assert "--m1:rgb(var(--neg) / 1.00);--m2:rgb(var(--neg) / 1.00);--m3:rgb(var(--neg) / 1.00)" in page
    assert "does not add up" in page
    loo = answer.context["table"][2]
    assert loo.cost == {"tokens": 60, "seconds": 1.0, "nodes": None}


def test_how_far_methods_agree_is_counted_over_tokens_or_over_stretches(show, version, oder, told):
    for response in oder.responses.all():
        explain(version, response, method="ig", North=-0.4, Baltic=0.3)
        of_stretches(version, response)
    answer = show(mode="methods")
    same, first, _ = answer.context["between"]
    tokens = sum(len(inside) for inside in ([t for t in one.tokens if t["part"] == "response"] for one in told))
    assert (same.over, same.found.spearman.n, same.found.pearson.value) == ("tokens", tokens, pytest.approx(1))
    assert (first.over, first.found.spearman.n) == ("stretches", 4)
    assert answer.context["agree"].startswith("Exact decomposition and integrated gradients agree most (Spearman 1.00")


def test_agreement_has_an_interval_over_the_sentences_of_both_texts(show, version, project):
    long = "One is here. Two was there. Three is far. Four was near. Five is old."
    item = make_item(project, "Tell me a lot.", long, "Six was new. Seven is odd.")
    for response in item.responses.all():
        explain(version, response, here=-0.4, far=0.7, odd=0.5)
        explain(version, response, method="ig", here=-0.2, far=0.1, was=0.6)
    answer = show(item=item.pk, mode="methods")
    (one,) = answer.context["between"]
    assert -1 <= one.found.spearman.low < one.found.spearman.value < one.found.spearman.high <= 1
    assert "over redrawn sentences" in answer.content.decode()


def test_stretches_are_painted_and_said_not_to_add_up(show, version, oder):
    for response in oder.responses.all():
        of_stretches(version, response)
    answer = show(method="loo")
    page = answer.content.decode()
    assert texts(page) == [response.text for response in oder.responses.all()]
    assert "Leave one out does not add up" in page
    assert [p.heat.value for p in answer.context["map"].left.pieces] == [0.5, -1.0]
    assert answer.context["map"].left.sums.parts == -0.5


def test_layers_are_bars_beside_the_plain_text(show, version, oder):
    layers = [{"name": "embeddings", "value": 0.5}, {"name": "layer 1", "value": -0.25}]
    own = {"version": version, "head": "preference", "method": "layers", "tokens": [], "layers": layers}
    for response in oder.responses.all():
        Attribution.objects.create(response=response, **own, baseline=0.25, residual=0.0, score=0.5)
    answer = show(method="layers")
    page = answer.content.decode()
    assert texts(page) == [response.text for response in oder.responses.all()]
    assert "data-v" not in page
    assert [(bar.name, bar.width) for bar in answer.context["map"].left.layers] == [("embeddings", 50), ("layer 1", 25)]


def test_special_tokens_and_the_prompt_are_told_and_counted(show, told):
    page = show().content.decode()
    assert 'data-v="0.01">[CLS]</span> +0.0100' in page
    assert "Prompt: 1 tokens add −0.0200" in page


def test_the_first_method_that_is_there_is_shown_when_none_is_named(show, version, oder):
    for response in oder.responses.all():
        explain(version, response, method="grad")
    assert show().context["choice"].method == "grad"
    assert show(method="exact").context["map"] is None


def test_the_numbers_come_as_a_file_with_offsets_and_sums(show, told):
    answer = show(format="json")
    found = json.loads(answer.content)["numbers"]
    first = found["texts"][0]
    assert first["text"][slice(*(first["explanations"][0]["tokens"][2][edge] for edge in ("start", "end")))] == "In"
    assert found["methods"][0]["score"] == pytest.approx(told[0].score - told[1].score)
    assert b"texts.explanations.tokens" in show(format="csv").content


def test_there_is_no_file_of_what_is_not_explained(show, oder):
    assert show(format="json").status_code == 404
    assert not Job.objects.exists()


def test_a_link_keeps_all_choices_and_names_nothing_usual(show, told, oder):
    asked = {"mode": "margin", "group": "word", "cut": "keep", "level": "80", "head": "preference", "method": "exact"}
    a, b = oder.responses.all()
    assert show(**asked).context["choice"].query == (
        f"item={oder.pk}&a={a.pk}&b={b.pk}&head=preference&method=exact&mode=margin&group=word&cut=keep&level=80"
    )
    assert show().context["choice"].query == f"item={oder.pk}&a={a.pk}&b={b.pk}&head=preference&method=exact"


def test_four_thousand_tokens_are_there_and_the_text_is_the_response(show, version, project):
    long = " ".join(f"word{n}" for n in range(4000)) + ".\n"
    item = make_item(project, "Tell me a lot.", long, "No.")
    for response in item.responses.all():
        explain(version, response)
    page = show(item=item.pk).content.decode()
    assert texts(page) == [long, "No."]
    assert page.count('class="piece') == 4001 + 2
    assert len(page) < 700_000
