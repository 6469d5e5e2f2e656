"""For a web server: `gunicorn app.wsgi:app`. The heartbeat starts with each worker; rows are claimed, never shared."""

import atexit

from app import create_app
from app.logs import configure_logging
from app.settings import load_settings

settings = load_settings()
configure_logging(settings.log_level)
app = create_app(settings)

# without the heartbeat, this machine still takes in what it kept while the database was down
engine = app.extensions["engine" if settings.scheduler else "own_engine"]
engine.start()
atexit.register(engine.stop)
