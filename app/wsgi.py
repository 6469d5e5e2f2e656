"""For a web server: `gunicorn app.wsgi:app`. The heartbeat starts with each worker; rows are claimed, never shared.

`pumpline run` and `pumpline web` also keep slow requests from holding threads (app.commands.arriving); here that is the
server's own matter, or the proxy's."""

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
