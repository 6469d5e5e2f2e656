"""Makes app/domain/data/common_passwords.bin of a list of passwords that were seen in breaches.

    python -m tools.make_password_list passwords.json

The list that is shipped is `passwords.json` of @zxcvbn-ts/language-common 4.1.3 (MIT): some 49,000 of the commonest.
The file holds the first six bytes of the SHA-256 of each, in order: it spells out no password.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from app.domain.password_rules import COMMON, KEPT_BYTES, plainly


def main() -> None:
    words = {plainly(word) for word in json.loads(Path(sys.argv[1]).read_text())}
    kept = sorted({sha256(word.encode()).digest()[:KEPT_BYTES] for word in words if word})
    COMMON.write_bytes(b"".join(kept))
    print(f"{len(kept)} passwords in {COMMON}")


if __name__ == "__main__":
    main()
