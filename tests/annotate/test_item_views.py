import io
import json

import pytest

from annotate.models import Item, Role
from annotate.services.item import import_items
from annotate.services.project import add_member, change_schema, create_project

ROW = {
    "id": "tall-tree",
    "turns": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Which *tree* is tallest? Café \\ 'so'"},
    ],
    "context": ["Redwoods reach 115 metres."],
    "responses": [
        {"text": "A **redwood** <script>alert(1)</script>.", "source": "secret-model"},
        {"text": "An oak, naturally."},
    ],
    "metadata": {"gold": "the-gold-answer"},
    "judgements": [
        {
            "shown": [1, 0],
            "outcome": "ranking",
            "ranking": [[0], [1]],
            "strength": 3,
            "spans": [{"response": 1, "start": 0, "end": 6, "quote": "An oak", "category": "wrong", "note": "no"}],
            "ratings": {"0": {"helpful": 5}},
            "omissions": [{"response": 0, "note": "its height"}],
            "corrections": {"1": "A redwood, naturally."},
            "rationale": "Oaks are short.",
            "rater": "dana",
        },
        {"shown": [0, 1], "outcome": "both_bad"},
    ],
}


def bring_in(project, *rows):
    import_items(project=project, file=io.BytesIO("\n".join(map(json.dumps, rows)).encode()), format="jsonl")


@pytest.fixture
def reviewer(project, person):
    user = person("dora")
    add_member(project=project, user=user, role=Role.REVIEWER)
    return user


@pytest.fixture
def items(project):
    bring_in(project, ROW, *({"prompt": f"Question {n}?", "responses": ["x", "y", "z"]} for n in range(60)))


def test_ratings_stand_with_their_mean_by_the_weights_of_the_criteria(client_of, reviewer, project):
    helpful, clarity = project.schema.criteria
    weighed = project.schema.model_copy(update={"criteria": (helpful.model_copy(update={"weight": 3.0}), clarity)})
    change_schema(project=project, schema=weighed)
    rated = {"shown": [0], "outcome": "ranking", "ranking": [[0]]}
    rows = [rated | {"ratings": {"0": {"helpful": 5, "clarity": 2}}}, rated | {"ratings": {"0": {"helpful": 4}}}]
    bring_in(project, ROW | {"judgements": rows})
    html = client_of(reviewer).get(f"/p/answers/items/{Item.objects.get().pk}/").content.decode()
    assert html.count("weighted mean") == 1  # of one criterion alone it is the rating itself
    assert "weighted mean <strong>0.81</strong>" in html  # (3 · 1 + 1 · ¼) / 4


def test_the_list_shows_a_page_with_counts(client_of, reviewer, items):
    page = client_of(reviewer).get("/p/answers/items/").context["page"]
    assert (page.paginator.count, len(page.object_list)) == (61, 50)
    assert (page[0].responses_total, page[0].judged) == (2, 2)
    assert (page[1].responses_total, page[1].judged) == (3, 0)
    assert len(client_of(reviewer).get("/p/answers/items/?page=2").context["page"]) == 11


def test_the_list_takes_as_many_queries_for_fifty_as_for_one(
    client_of, reviewer, project, django_assert_max_num_queries
):
    bring_in(project, *({"prompt": f"Question {n}?", "responses": ["x", "y"]} for n in range(60)))
    browser = client_of(reviewer)
    with django_assert_max_num_queries(7):
        browser.get("/p/answers/items/")


@pytest.mark.parametrize("words", ["TALLEST", "tall-tree", "an oak, nat", "Café", "é \\ 'so'", "hi"])
def test_search_finds_words_of_prompt_response_and_id(client_of, reviewer, items, words):
    response = client_of(reviewer).get("/p/answers/items/", {"q": words})
    assert [item.external_id for item in response.context["page"]] == ["tall-tree"]


@pytest.mark.parametrize("words", ["%", "_tree_is", "nowhere", "\0\0x\0x", "x' OR 1=1"])
def test_search_takes_signs_as_they_are(client_of, reviewer, items, words):
    response = client_of(reviewer).get("/p/answers/items/", {"q": words})
    assert response.context["page"].paginator.count == 0
    assert "Nothing found" in response.content.decode()


def test_split_filter(client_of, reviewer, items):
    both = [client_of(reviewer).get("/p/answers/items/", {"split": s}).context["page"] for s in ("train", "test")]
    assert sum(page.paginator.count for page in both) == 61
    assert {item.split for item in both[1]} == {"test"}


def test_typing_gets_the_rows_alone(client_of, reviewer, items):
    html = client_of(reviewer).get("/p/answers/items/?q=oak", headers={"HX-Request": "true"}).content.decode()
    assert html.strip().startswith('<div id="rows">')
    assert "<h1>" not in html


def test_a_page_number_that_is_none_is_forgiven(client_of, reviewer, items):
    assert client_of(reviewer).get("/p/answers/items/?page=x").context["page"].number == 1
    assert client_of(reviewer).get("/p/answers/items/?page=99").context["page"].number == 2


def test_an_empty_project_says_what_to_do(client_of, alice, reviewer):
    assert "/p/answers/import/" in client_of(alice).get("/p/answers/items/").content.decode()
    assert "/p/answers/import/" not in client_of(reviewer).get("/p/answers/items/").content.decode()


def test_an_item_with_all_that_was_said_of_it(client_of, reviewer, items):
    item = Item.objects.get(external_id="tall-tree")
    html = client_of(reviewer).get(f"/p/answers/items/{item.pk}/").content.decode()
    for said in (
        "<em>",
        "1 much better than 2",
        "both bad",
        "<q>An oak</q>",
        "its height",
        "helpful <strong>5</strong>",
        "Oaks are short.",
        "A redwood, naturally.",
        "Rater 1",
        "Redwoods reach",
    ):
        assert said in html
    assert "<script>alert" not in html


def test_who_judged_is_for_researchers_and_reviewers_are_blind(client_of, alice, reviewer, items):
    path = f"/p/answers/items/{Item.objects.get(external_id='tall-tree').pk}/"
    for name in ("dana", "a nameless rater"):
        assert name not in client_of(reviewer).get(path).content.decode()
        assert name in client_of(alice).get(path).content.decode()


def test_who_wrote_a_response_is_for_researchers(client_of, alice, reviewer, items):
    path = f"/p/answers/items/{Item.objects.get(external_id='tall-tree').pk}/"
    for secret in ("secret-model", "the-gold-answer"):
        assert secret not in client_of(reviewer).get(path).content.decode()
        assert secret in client_of(alice).get(path).content.decode()


def test_an_item_takes_few_queries(client_of, reviewer, project, django_assert_max_num_queries):
    tie = {"shown": [0, 1], "outcome": "tie"}
    bring_in(project, ROW | {"judgements": ROW["judgements"] + [tie] * 30})
    browser = client_of(reviewer)
    with django_assert_max_num_queries(14):
        browser.get(f"/p/answers/items/{Item.objects.get().pk}/")


@pytest.mark.parametrize("path", ["", "{}/"])
def test_who_may_look(client_of, client, bob, charlie, items, path):
    path = "/p/answers/items/" + path.format(Item.objects.first().pk)
    assert client_of(charlie).get(path).status_code == 404
    assert client_of(bob).get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_only_reading(client_of, alice, items):
    assert client_of(alice).post("/p/answers/items/").status_code == 405
    assert client_of(alice).post(f"/p/answers/items/{Item.objects.first().pk}/").status_code == 405


def test_an_item_of_another_project_is_not_found(client_of, alice, items):
    other = create_project(slug="other", name="Other", actor=alice)
    bring_in(other, ROW)
    assert client_of(alice).get(f"/p/answers/items/{other.items.get().pk}/").status_code == 404
    assert client_of(alice).get("/p/answers/items/999999/").status_code == 404
