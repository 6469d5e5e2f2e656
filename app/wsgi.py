"""For a web server: `gunicorn app.wsgi:app`. The heartbeat starts with each worker; rows are claimed, never shared."""

import atexit

from app import create_app

app = create_app()

if app.extensions["settings"].scheduler:
    app.extensions["engine"].start()
    atexit.register(app.extensions["engine"].stop)
