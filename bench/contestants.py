"""What the webhook is measured against: the least one can answer, and what one would write first."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, abort, request
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.twiml.messaging_response import MessagingResponse  # type: ignore[import-untyped]

from bench.house import AUTH_TOKEN, PUBLIC_URL
from bench.postgres import url_for

_ANSWER = "Thank you for your text. A nurse will read it and call you back."


class _Base(DeclarativeBase):
    pass


class Text(_Base):
    __tablename__ = "text"
    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(unique=True)
    sender: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]


def echo() -> Flask:
    """A signature check and the same text back as TwiML."""
    app = Flask("echo")

    @app.post("/twilio/sms")
    def sms() -> Response:
        _require_signature()
        return _twiml(request.form["Body"])

    return app


def naive(folder: Path) -> Flask:
    """A signature check, one ORM insert with SQLAlchemy's and the database's defaults, and always the same answer."""
    app = Flask("naive")
    engine = create_engine(url_for(folder / "naive") or f"sqlite:///{folder / 'naive.db'}")
    with suppress(SQLAlchemyError):  # another worker made it at the same moment
        _Base.metadata.create_all(engine)

    @app.post("/twilio/sms")
    def sms() -> Response:
        _require_signature()
        with Session(engine) as session:
            form = request.form
            session.add(Text(sid=form["MessageSid"], sender=form["From"], body=form["Body"], at=datetime.now(UTC)))
            session.commit()
        return _twiml(_ANSWER)

    return app


def _require_signature() -> None:
    validator = RequestValidator(AUTH_TOKEN)
    signature = request.headers.get("X-Twilio-Signature", "")
    if not validator.validate(PUBLIC_URL + "/twilio/sms", request.form, signature):
        abort(403)


def _twiml(body: str) -> Response:
    answer = MessagingResponse()
    answer.message(body)
    return Response(str(answer), content_type="text/xml")
