"""A code beside the password: set up, used, renewed and taken away."""

import secrets
import string

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import RecoveryCode, SecondFactor, User
from annotate.models.project import token_hash
from annotate.sealed import Unsealable, seal, unseal
from annotate.services.event import record
from annotate.services.user import end_sessions
from annotate.totp import new_secret, step_of

RECOVERY = 10
LETTERS = "".join(sorted(set(string.ascii_uppercase + string.digits) - set("IO01")))  # none that looks like another
WRONG = "This code is not right, or it was used already. Take the one that the app shows now."


def has_second_factor(user: User) -> bool:
    """Whether signing in asks for a code."""
    return SecondFactor.objects.on().filter(user=user).exists()


@transaction.atomic
def begin(*, user: User) -> SecondFactor:
    """A new secret, good for nothing until a code of it is given; ValidationError if there is a factor already."""
    if has_second_factor(user):
        raise ValidationError("You sign in with a code already. Turn it off first.")
    sealed = {"sealed": seal(new_secret()), "last_step": 0}
    return SecondFactor.objects.update_or_create(user=user, defaults=sealed)[0]


@transaction.atomic
def confirm(*, user: User, code: str) -> list[str]:
    """From now on signing in asks for a code; the recovery codes, kept nowhere. ValidationError if the code is wrong.

    Sessions that began without a code end.
    """
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if not factor or not _takes(factor, code):
        raise ValidationError(WRONG)
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
    record(kind="account.second_factor_on", subject=user, actor=user)
    end_sessions(user=user, actor=user)
    return _recovery_codes(factor)


@transaction.atomic
def use_code(*, user: User, code: str) -> None:
    """Use up a code of the app, or a recovery code; ValidationError if it is neither, or was used."""
    factor = SecondFactor.objects.on().select_for_update().filter(user=user).first()
    if not factor or not (_takes(factor, code) or _recovers(factor, code)):
        raise ValidationError(WRONG)


@transaction.atomic
def renew_codes(*, user: User) -> list[str]:
    """Other recovery codes; those of before are good for nothing."""
    factor = SecondFactor.objects.on().select_for_update().get(user=user)
    factor.recovery_codes.all().delete()
    record(kind="account.recovery_codes_renewed", subject=user, actor=user)
    return _recovery_codes(factor)


@transaction.atomic
def turn_off(*, user: User, actor: User | None) -> bool:
    """The password is enough again; False if it was. By another than the user, or from the shell, it is a reset."""
    if not SecondFactor.objects.filter(user=user).delete()[0]:
        return False
    if actor == user:
        record(kind="account.second_factor_off", subject=user, actor=actor)
    else:
        record(kind="account.second_factor_reset", subject=user, actor=actor)
    return True


def _takes(factor: SecondFactor, code: str) -> bool:
    """Whether the app shows it, now or a step away, and neither it nor a newer one was used."""
    try:
        secret = unseal(factor.sealed)
    except Unsealable:
        return False
    step = step_of(secret, _plain(code), timezone.now().timestamp())
    if step is None or step <= factor.last_step:
        return False
    SecondFactor.objects.filter(pk=factor.pk).update(last_step=step, sealed=seal(secret))
    return True


def _recovers(factor: SecondFactor, code: str) -> bool:
    found = factor.recovery_codes.filter(sha256=token_hash(_plain(code)), used_at=None)
    if not found.update(used_at=timezone.now()):
        return False
    record(kind="account.recovery_code_used", subject=factor.user, actor=factor.user)
    return True


def _recovery_codes(factor: SecondFactor) -> list[str]:
    codes = ["".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(RECOVERY)]
    RecoveryCode.objects.bulk_create([RecoveryCode(factor=factor, sha256=token_hash(code)) for code in codes])
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()
