"""Expand only: what the code before it can live with, while it serves."""

from pathlib import Path

import django.contrib.postgres.operations as postgres
from django.db import connection, migrations, models

from annotate import migrations as before

names = {path.stem for path in Path(before.__file__).parent.glob("[0-9]*.py")}
INDEX = models.Index(fields=["later"], name="task_later")
ADD_INDEX = postgres.AddIndexConcurrently if connection.vendor == "postgresql" else migrations.AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("annotate", name) for name in sorted(names)]
    operations = [
        migrations.AddField("task", "later", models.IntegerField(null=True)),
        migrations.AddField("judgement", "mood", models.CharField(max_length=20, db_default="calm")),
        migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
        ADD_INDEX("task", INDEX),
    ]
