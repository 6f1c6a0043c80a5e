"""Who is signed in: Django's sessions and accounts in the database, read by queries that are compiled once."""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotate.prepared import Prepared
from annotate.signed_in import too_old

SESSION = Prepared(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), key=str, now=datetime)
USER = Prepared(lambda pk: get_user_model().objects.filter(pk=pk), pk=int)


class SessionStore(db.SessionStore):
    """Ends SESSION_COOKIE_AGE after its last use, and SESSION_MAX_DAYS after it began whatever is done."""

    def load(self) -> dict:
        found = self._get_session_from_db()
        data = self.decode(found.session_data) if found else {}
        if too_old(data):
            self._session_key = None
            return {}
        if found and found.expire_date - timezone.now() < timedelta(seconds=settings.SESSION_COOKIE_AGE * 0.9):
            self.modified = True  # used: it starts anew, written down once in a while and not at each request
        return data

    def create_model_instance(self, data: dict) -> Session:
        data.setdefault("began", int(time.time()))
        return super().create_model_instance(data)

    def _validate_session_key(self, key: str | None) -> bool:
        """Whether we may have made it; whatever else stands in the cookie is no session."""
        return bool(key) and len(key) == 32 and key.isascii() and key.isalnum()

    def _get_session_from_db(self) -> Session | None:
        found = SESSION.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found


class Accounts(ModelBackend):
    def get_user(self, user_id: int):
        user = USER.first(pk=user_id)
        return user if user and self.user_can_authenticate(user) else None
