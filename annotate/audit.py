"""The ledger in words: what each kind of act is called, and which page shows what it was done to. PURE.

An act is `noun.verb` on a subject `noun:id`. A name in braces is taken from the act's data, or is the subject's id.
Whoever reads the ledger adds the names of today: of the `user` in the data, and of the `project`.
"""

import re
from collections.abc import Mapping

SAID = {
    "account.password_changed": "chose a new password",
    "account.recovery_code_used": "used up a recovery code in place of the phone",
    "account.recovery_codes_renewed": "made other recovery codes",
    "account.second_factor_off": "turned the second factor off",
    "account.second_factor_on": "turned the second factor on",
    "account.second_factor_reset": "reset the second factor of account {id}",
    "account.sign_in_failed": "was not let in: {what}",
    "account.signed_in": "signed in",
    "account.signed_out_everywhere": "ended all sessions of account {id}",
    "backbone.registered": "looked at a backbone and registered it",
    "case.decided": "decided a case by judgement {judgement}",
    "case.dismissed": "dismissed a case: {reason}",
    "case.opened": "began to answer task {id} as a reviewer",
    "case.reopened": "opened a case again that was {was}",
    "case.revealed": "asked for the names behind a case",
    "comment.added": "commented on task {task}",
    "comment.deleted": "deleted a comment on task {task}",
    "guidelines.changed": "wrote version {number} of the guidelines",
    "invite.created": "invited somebody as {role}",
    "invite.revoked": "withdrew an invitation",
    "invite.used": "came in by an invitation",
    "items.imported": "brought in items from a file ({format})",
    "job.cancelled": "cancelled job {id}",
    "job.launched": "launched job {id} ({job_kind})",
    "judgement.restored": "took back a withdrawal: {judgements} judgements count again",
    "judgement.revised": "changed an answer: judgement {id} in place of {old}",
    "judgement.stored": "stored {judgements} judgements that came with a file",
    "judgement.submitted": "submitted judgement {id}",
    "judgement.withdrawn": "withdrew {judgements} judgements: {why}",
    "judgements.exported": "exported the judgements as {format} ({container})",
    "known.added": "gave task {id} a known answer ({of})",
    "known.changed": "changed the known answer of task {id}",
    "known.retired": "retired the known answer of task {id}",
    "member.added": "added {user} as {role}",
    "member.changed": "changed the role of {user} from {before} to {role}",
    "member.quota": "changed the quota of {user} from {before} to {quota}",
    "member.removed": "removed {user} from the project",
    "person.erased": "erased person {id}; their judgements were {judgements}",
    "person.exported": "took the file of all that is stored about {user}",
    "policy_run.imported": "brought in {rollouts} rollouts of a policy",
    "pool.imported": "brought in a pool of {prompts} prompts",
    "pool.judged": "made a pool of {prompts} prompts from judgements",
    "project.changed": "changed the settings: {fields}",
    "project.created": "made the project",
    "qualification.failed": "did not pass the qualification set",
    "qualification.passed": "passed the qualification set",
    "qualification.reset": "let {user} try the qualification set again",
    "rater.erased": "erased a rater who has no account; the judgements were {judgements}",
    "round.failed": "ended round {number}, which failed",
    "round.kept": "ended round {number}: the version before stays",
    "round.promoted": "ended round {number}: its version was promoted",
    "round.started": "started round {number} ({reason})",
    "rounds.changed": "changed when the project retrains by itself",
    "schema.changed": "wrote version {number} of what raters are asked",
    "selection.changed": "changed the order in which tasks are served to {strategy}",
    "selection.ordered": "put {tasks} tasks in front",
    "selection.stopped": "took the order of tasks back",
    "serve_token.created": "made a scorer's token, {name}",
    "serve_token.revoked": "revoked the scorer's token {name}",
    "snapshot.frozen": "froze a snapshot of {used} judgements",
    "suite.each_version": "set whether every new version runs on suite {id}: {on}",
    "suite.frozen": "froze a suite of {pairs} pairs",
    "task.asked_again": "asked raters again: {why}",
    "task.asking_undone": "took back what raters were asked again",
    "task.assigned": "kept {tasks} tasks for {users}",
    "task.flagged": "flagged task {id}: {note}",
    "task.leased": "was given task {id}",
    "task.made": "made {tasks} tasks",
    "task.priority": "gave {tasks} tasks the priority {priority}",
    "task.skipped": "skipped task {id}: {reason}",
    "task.unassigned": "made {tasks} tasks everybody's again",
    "task.unskipped": "took task {id} up again",
    "token.created": "made the token {name} for {user}: {scopes} in {project}",
    "token.revoked": "revoked the token {name} of {user}: {scopes} in {project}",
    "user.changed": "changed account {id}: {fields}",
    "user.created": "made account {id}",
    "user.keys": "chose other keys for judging",
    "version.archived": "archived version {number}",
    "version.candidate": "made version {number} a candidate again",
    "version.downloaded": "downloaded the archive of version {number} ({form})",
    "version.promoted": "promoted version {number}",
    "version.transformed": "made version {number} by transforms",
    "webhook.created": "added a webhook to {url}",
    "webhook.disabled": "switched off webhook {id}",
    "webhook.enabled": "switched on webhook {id}",
    "webhook.removed": "removed the webhook to {url}",
    "webhook.resent": "had message {source} of webhook {id} sent again",
    "webhook.secret": "gave webhook {id} a new secret",
    "webhook.tested": "sent a test to webhook {id}",
    "world.written": "wrote the demo's world",
}
# Kind or noun → the route of the page, and where its argument comes from. The kind goes before the noun.
PAGES = {
    "accesstoken": ("annotate:members", {}),
    "backbone": ("worker:backbones", {}),
    "case": ("annotate:case", {"pk": "task"}),
    "case.opened": ("annotate:case", {"pk": "id"}),
    "comment": ("annotate:case", {"pk": "task"}),
    "guidelines.changed": ("annotate:guidelines_version", {"number": "number"}),
    "invite": ("annotate:members", {}),
    "items.imported": ("annotate:items", {}),
    "job": ("worker:job", {"pk": "id"}),
    "judgement": ("worker:judgement_lineage", {"pk": "id"}),
    "judgement.restored": ("worker:lineage", {}),
    "judgement.stored": ("annotate:items", {}),
    "judgement.withdrawn": ("worker:lineage", {}),
    "judgements.exported": ("annotate:export", {}),
    "known": ("annotate:known", {}),
    "membership": ("annotate:members", {}),
    "policyrun": ("inspector:drift_of_pools", {}),
    "pool": ("worker:pools", {}),
    "project": ("annotate:project", {}),
    "project.changed": ("annotate:settings", {}),
    "round": ("worker:rounds", {}),
    "roundpolicy": ("worker:rounds", {}),
    "schema.changed": ("annotate:schema", {}),
    "selectionpolicy": ("worker:selection", {}),
    "servetoken": ("worker:serving", {}),
    "snapshot": ("worker:versions", {}),
    "suite": ("worker:suite", {"pk": "id"}),
    "task": ("annotate:case", {"pk": "id"}),
    "version": ("worker:version", {"number": "number"}),
}

FORMULA = tuple("=+-@|%＝＋－＠")  # what a cell begins with that is one, in some spreadsheet or other


def said(kind: str, subject: str, data: Mapping[str, object]) -> str:
    """The act in words, to be read after the name of who did it. A kind without words of its own is spelt out."""
    noun, _, number = subject.partition(":")
    if kind not in SAID:
        thing, _, verb = kind.partition(".")
        return f"{thing.replace('_', ' ')} {verb.replace('_', ' ')}: {noun} {number}".strip()
    values = {"id": number} | dict(data)
    return re.sub(r"\{(\w+)\}", lambda place: _word(values.get(place[1])), SAID[kind])


def _word(value: object) -> str:
    """A value of the data, short."""
    words = ", ".join(map(str, value)) if isinstance(value, list) else "–" if value in (None, "") else str(value)
    return words if len(words) <= 200 else words[:199] + "…"


def page(kind: str, subject: str, data: Mapping[str, object]) -> tuple[str, dict[str, int]] | None:
    """(route, its arguments beside the project's) of what was acted on; None where there is no page."""
    noun, _, number = subject.partition(":")
    found = PAGES.get(kind) or PAGES.get(noun)
    if not found:
        return None
    values = {"id": number} | dict(data)
    arguments = {name: str(values.get(source, "")) for name, source in found[1].items()}
    numbers = {name: int(value) for name, value in arguments.items() if value.isascii() and value.isdigit()}
    return (found[0], numbers) if numbers.keys() == arguments.keys() else None


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) or cell.startswith(("\t", "\r", "\n")) else cell
