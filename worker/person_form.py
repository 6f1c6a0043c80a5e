"""What a superuser types to erase a person."""

from django import forms

CHOICES = [
    ("keep", "Keep them under a pseudonym that nobody can tell from whom"),
    ("remove", "Remove them: others are asked in their place, and versions trained on them are marked"),
]


class EraseForm(forms.Form):
    judgements = forms.ChoiceField(label="Their judgements", choices=CHOICES, widget=forms.RadioSelect)
    name = forms.CharField(label="Type the name of the account to confirm", max_length=150)

    def __init__(self, *args: object, name: str = "", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.expected = name
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self.expected:
            raise forms.ValidationError("This is not the name of the account.")
        return self.expected
