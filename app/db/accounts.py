"""What an account holds besides its password: authenticator, recovery codes, passkeys; and invitations to open one."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.people import Role
from app.db.types import Id, SealedOrNone


class Authenticator(Base):
    """A time-based one-time password (RFC 6238): a secret shared with an app on somebody's phone."""

    __tablename__ = "authenticator"
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    secret: Mapped[str | None] = mapped_column(SealedOrNone, nullable=False)  # base32; None where it cannot be read
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]  # None: shown, and no code has come back yet
    last_step: Mapped[int] = mapped_column(default=0)  # a code counts once: the newest half minute that was used


class RecoveryCode(Base):
    """Instead of the authenticator, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_staff_id", "staff_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    code_hash: Mapped[str]  # keyed
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential: it stands for password and second factor together."""

    __tablename__ = "passkey"
    __table_args__ = (Index("ix_passkey_staff_id", "staff_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    credential_id: Mapped[str] = mapped_column(unique=True)  # base64url
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int] = mapped_column(default=0)
    name: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """A link that opens one account, once. Only its hash is kept."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_clinic_id", "clinic_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(state_column(Role))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
