# One image for web, workers and beat; compose.yaml says who runs what.
FROM python:3.11-slim

RUN useradd --uid 10001 --create-home touchstone \
 && install -d -o touchstone -m 0700 /var/lib/touchstone /mnt/touchstone
WORKDIR /srv/touchstone

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY manage.py ./
COPY annotate annotate
COPY config config
COPY inspector inspector
COPY static static
COPY templates templates
COPY worker worker

ENV VAR_DIR=/var/lib/touchstone HF_HOME=/var/lib/touchstone/hub PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER touchstone
