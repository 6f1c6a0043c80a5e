"""The ledger's lines about the door. No password is ever in them, nor a name that is nobody's: it may be a password."""

from annotate.models import User
from annotate.services.event import record


def signed_in(*, user: User, address: str) -> None:
    """Somebody came in."""
    record(kind="account.signed_in", subject=user, actor=user, address=address)


def guessed_wrong(*, name: str, address: str, what: str) -> None:
    """Somebody guessed at the account of this name, if there is one."""
    user = User.objects.filter(username=name).first() or User()
    record(kind="account.sign_in_failed", subject=user, address=address, what=what)
