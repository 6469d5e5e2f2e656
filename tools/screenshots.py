"""Retakes the pictures in docs/images: starts a simulator of its own, plays a short story, photographs the pages.

Needs Debian's chromium (`apt-get install chromium`). With --everything it writes each page at three widths in both
themes, for a look at all of them.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
PUMPLINE = Path(sys.executable).parent / "pumpline"
IMAGES = ROOT / "docs" / "images"
EMAIL = "ana.lindqvist@northgate.example"
PASSWORD = "a password for pictures"
START_WITHIN_SECONDS = 60
PICTURED = ("home", "on-call", "thread", "schedule", "patients", "patient", "refills", "pump", "content")  # in docs/
WIDTHS = {1440: 900, 1024: 768, 390: 844}


@contextmanager
def running() -> Iterator[str]:
    """Run a simulator of our own on a free port, with an instance folder that is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PUMPLINE_")}
        env = kept | {"PUMPLINE_INSTANCE_DIR": folder, "PUMPLINE_PORT": str(port), "PUMPLINE_LOG_LEVEL": "error"}
        server = subprocess.Popen([PUMPLINE, "run"], env=env, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url, server)
            command = [PUMPLINE, "staff", "add", EMAIL, "--name", "Ana Lindqvist, RN"]
            command += ["--role", "lead_nurse", "--password-stdin"]
            subprocess.run(command, input=PASSWORD, text=True, env=env, check=True, stdout=subprocess.DEVNULL)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urlopen(f"{url}/healthz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("pumpline did not start: run `pumpline doctor`")


def pick(page: Page, name: str) -> None:
    page.locator(".pick", has_text=name).first.click()


def text(page: Page, words: str) -> None:
    page.fill("#t", words)
    page.press("#t", "Enter")
    page.wait_for_load_state("networkidle")


def tell_the_story(page: Page, url: str) -> None:
    """Texts of an ordinary morning, so that every page has something to show."""
    page.goto(f"{url}/simulator")
    pick(page, "Grace Oduya")
    text(page, "can i go in the hot tub at the Y")
    text(page, "i need to talk to a nurse about my bill")
    pick(page, "Rosa Quispe Mamani")
    text(page, "can't make it that day, no ride")
    pick(page, "Someone unknown")
    text(page, "is this the pump people")
    pick(page, "Maeve Hargreave")
    text(page, "TRAVLE")
    page.locator("button[value=own]").click()
    page.wait_for_load_state("networkidle")
    text(page, "1")
    pick(page, "Mateo" if not page.locator(".pick", has_text="Ines").count() else "Ines")
    page.locator("button[value='1']").click()  # past his visit: a missed refill
    page.wait_for_load_state("networkidle")
    page.locator("button[value='1']").click()
    page.wait_for_load_state("networkidle")
    pick(page, "Ruth Abernathy")
    text(page, "its doing the 2 beeps over and over")
    pick(page, "Dana Brandvold")
    text(page, "hes super itchy n twitchy since last nite")
    pick(page, "Maeve Hargreave")
    text(page, "REFILL")


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/staff/")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{url}/staff/")


def addresses(page: Page, url: str) -> dict[str, str]:
    """Return the pages worth a picture, by name."""
    page.goto(f"{url}/staff/")
    acknowledge = page.get_by_role("button", name="Acknowledge")
    if acknowledge.count() > 1:  # one alert taken, one still waiting
        acknowledge.last.click()
    page.goto(f"{url}/simulator")
    phone = page.locator(".pick", has_text="Maeve Hargreave").get_attribute("href") or ""
    on_call = page.locator(".pick", has_text="on-call").get_attribute("href") or ""
    page.goto(f"{url}/staff/patients")
    patient = page.get_by_role("link", name="Hargreave").first.get_attribute("href") or ""
    return {
        "home": f"{url}/",
        "phone": url + phone,
        "on-call": url + on_call,
        "today": f"{url}/staff/",
        "urgent": f"{url}/staff/urgent",
        "inbox": f"{url}/staff/inbox",
        "thread": f"{url}/staff/inbox/1",
        "schedule": f"{url}/staff/schedule",
        "schedule-month": f"{url}/staff/schedule?view=month",
        "schedule-list": f"{url}/staff/schedule?view=list",
        "schedule-days": f"{url}/staff/schedule/days",
        "visit": f"{url}/staff/schedule/visits/2",
        "patients": f"{url}/staff/patients",
        "patient": url + patient,
        "refills": f"{url}/staff/refills",
        "pump": f"{url}{patient}/pump",
        "timeline": f"{url}{patient}/timeline",
        "contacts": f"{url}{patient}/contacts",
        "refill-day": f"{url}{patient}/refill",
        "account": f"{url}/staff/account",
        "authenticator": f"{url}/staff/account/authenticator",
        "content": f"{url}/staff/content",
    }


def photograph(page: Page, address: str, to: Path, *, full: bool = False) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=str(to), full_page=full)


def take(browser: Browser, url: str, out: Path, everything: bool) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    tell_the_story(page, url)
    sign_in(page, url)
    pages = addresses(page, url)
    state = page.context.storage_state()
    for theme in ("light", "dark"):
        for width, height in WIDTHS.items() if everything else ((1440, 900), (390, 844)):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                storage_state=state,
                device_scale_factor=2 if width == 390 else 1,
            )
            page = context.new_page()
            page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
            for name, address in pages.items():
                suffix = ("" if width == 1440 else f"-{width}") + ("-dark" if theme == "dark" else "")
                if everything or name in ("phone", "today") or (name in PICTURED and (width, theme) == (1440, "light")):
                    photograph(page, address, out / f"{name}{suffix}.png", full=everything and name != "content")
                    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                    if wide:
                        problems.append(f"{name} scrolls sideways at {width} px")
            context.close()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    photograph(context.new_page(), f"{url}/staff/sign-in", out / "sign-in.png")
    for problem in dict.fromkeys(problems):
        print(f"problem: {problem}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--everything", action="store_true", help="every page, three widths, both themes")
    wanted = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("there is no chromium here: apt-get install chromium")
    wanted.out.mkdir(parents=True, exist_ok=True)
    with running() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        take(browser, url, wanted.out, wanted.everything)
        browser.close()
    print(f"pictures are in {wanted.out}")


if __name__ == "__main__":
    main()
