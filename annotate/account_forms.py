"""What people type at the door. Each wrong guess counts, whichever form it comes by."""

from collections.abc import Callable

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest

from annotate.door import guess
from annotate.models import User
from annotate.services.second_factor import use_code


class SignInForm(AuthenticationForm):
    def clean(self) -> dict:
        if self.errors:
            return self.cleaned_data
        with guess(self.request, self.cleaned_data["username"]):
            return super().clean()


class PasswordForm(PasswordChangeForm):
    def __init__(self, request: HttpRequest, *args: object) -> None:
        self.request = request
        super().__init__(request.user, *args)

    def clean_old_password(self) -> str:
        with guess(self.request, self.user.get_username()):
            return super().clean_old_password()


def seconds_to_wait(form: forms.BaseForm) -> int:
    """How long whoever sent the form has to wait, 0 if not at all."""
    errors = [error for field in form.errors.as_data().values() for error in field]
    return max((error.params["seconds"] for error in errors if error.code == "throttled"), default=0)


class CodeForm(forms.Form):
    """A code, checked by `use`, which uses it up or raises ValidationError."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput({"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )

    def __init__(self, request: HttpRequest, user: User, use: Callable, *args: object) -> None:
        self.request, self.user, self.use = request, user, use
        super().__init__(*args)

    def clean_code(self) -> object:
        """What `use` gives."""
        with guess(self.request, self.user.get_username(), "code"):
            return self.use(user=self.user, code=self.cleaned_data["code"])


class AgainForm(forms.Form):
    """The password of who is signed in: a session alone does not change how one signs in."""

    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )

    def __init__(self, request: HttpRequest, *args: object) -> None:
        self.request = request
        super().__init__(*args)

    def clean_password(self) -> None:
        user = self.request.user
        with guess(self.request, user.get_username()):
            if not user.check_password(self.cleaned_data["password"]):
                raise forms.ValidationError("This is not your password.")


class AgainWithCodeForm(AgainForm):
    code = forms.CharField(
        max_length=40,
        label="Code of the app, or a recovery code",
        widget=forms.TextInput({"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    def clean(self) -> None:
        if not self.errors:
            user = self.request.user
            with guess(self.request, user.get_username(), "code"):
                use_code(user=user, code=self.cleaned_data["code"])
