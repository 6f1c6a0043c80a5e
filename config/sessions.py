"""Who is signed in: Django's sessions and accounts in the database, read by queries that are compiled once."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotate.prepared import Prepared

SESSION = Prepared(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), key=str, now=datetime)
USER = Prepared(lambda pk: get_user_model().objects.filter(pk=pk), pk=int)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = SESSION.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found


class Accounts(ModelBackend):
    def get_user(self, user_id: int):
        user = USER.first(pk=user_id)
        return user if user and self.user_can_authenticate(user) else None
