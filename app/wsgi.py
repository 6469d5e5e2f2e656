"""For a web server: `gunicorn app.wsgi:app`. The heartbeat starts with each worker; rows are claimed, never shared."""

import atexit

from app import create_app
from app.logs import configure_logging
from app.settings import load_settings

settings = load_settings()
configure_logging(settings.log_level)
app = create_app(settings)

if settings.scheduler:
    app.extensions["engine"].start()
    atexit.register(app.extensions["engine"].stop)
