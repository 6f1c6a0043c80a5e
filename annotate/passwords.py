"""What follows from a new password."""

from annotate.models import User
from annotate.services.access_token import revoke_tokens


class TokensEnd:
    """No check at all: Django tells each of its validators that a password was changed, by whichever door."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password will do."""

    def password_changed(self, password: str, user: User | None = None) -> None:
        revoke_tokens(tokens=user.tokens.all(), actor=user, why="password changed")

    def get_help_text(self) -> str:
        return "A new password ends the access tokens you have made."
