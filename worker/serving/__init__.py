"""An HTTP scorer for outside policy training: `manage.py serve_rm`. A process of its own, which may hold a model."""
