"""The page with everybody's phone, in a real browser."""

import os
import shutil

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from bot.services import enrolment
from storage.tables.people import Role
from tests.support.clinic import SimulatedClinic

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), "")
INSISTED = os.environ.get("AFTERGLOW_TESTS_NEED_A_BROWSER") == "1"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM and not INSISTED, reason="no Chromium here (Debian: apt install chromium)"),
]


async def test_a_nurse_joins_and_enrols_on_the_page(clinic: SimulatedClinic) -> None:
    token = clinic.desk.act_now(enrolment.invite_staff, Role.ADMIN)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1700, "height": 900})
        await page.goto(clinic.address)
        await say(page, "Administrator", f"https://t.me/afterglow_simulator_bot?start={token}")
        await expect(phone(page, "Administrator")).to_contain_text("You are in as administrator")
        await say(page, "Nurse", "/enrol")
        await expect(phone(page, "Nurse").get_by_role("img")).to_be_visible()
        await expect(phone(page, "Nurse")).to_contain_text("One-time invitation for P-0001")
        await say(page, "Nurse", "/oncall")
        await phone(page, "Nurse").get_by_role("button", name="I am on call").click()
        before = clinic.clock.now()
        await page.get_by_role("button", name="+1 day").click()
        await expect(page.get_by_role("button", name="+1 day")).to_be_enabled()
        assert (clinic.clock.now() - before).days == 1
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await browser.close()


def phone(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def say(page: Page, name: str, text: str) -> None:
    field = phone(page, name).get_by_role("textbox")
    await field.fill(text)
    await field.press("Enter")
