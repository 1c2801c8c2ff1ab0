"""The fonts that pages are set in: cut to what is shown, with the letters and the features that are asked of them."""

import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import Page

from app.assets import STATIC

VENDOR = STATIC / "vendor"
INTER = ("inter.woff2",)
MONO = ("jetbrains-mono.woff2", "jetbrains-mono-500.woff2", "jetbrains-mono-600.woff2")
SHOWN = "azAZ09×−←→↑↓≤≥≠≈∞·…–—éü\u2009"


def features_of(font: TTFont) -> set[str]:
    return {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}


@pytest.mark.parametrize("name", INTER + MONO)
def test_every_letter_of_the_pages_is_in_the_font(name: str) -> None:
    known = TTFont(VENDOR / name).getBestCmap()
    assert [letter for letter in SHOWN if ord(letter) not in known and letter != "\u2009"] == []


def test_inter_has_the_letters_that_are_told_apart_and_figures_of_one_width() -> None:
    assert {"cv05", "ss03", "calt", "tnum"} <= features_of(TTFont(VENDOR / "inter.woff2"))
    assert {"cv05", "ss03"} <= features_of(TTFont(VENDOR / "inter-ext.woff2"))


@pytest.mark.parametrize("name", MONO)
def test_the_zero_of_code_can_be_told_from_an_o(name: str) -> None:
    assert "zero" in features_of(TTFont(VENDOR / name))


def test_what_a_page_loads_is_small_and_says_whose_it_is() -> None:
    assert sum((VENDOR / name).stat().st_size for name in INTER + MONO) < 120_000
    for name in INTER + MONO:
        assert "Copyright" in TTFont(VENDOR / name)["name"].getDebugName(0)
        assert "SIL Open Font License" in TTFont(VENDOR / name)["name"].getDebugName(13)


def test_a_page_is_set_in_them_at_every_weight(page: Page) -> None:
    page.goto("/")
    widths = page.evaluate("""async () => {
      const measured = document.createElement("canvas").getContext("2d");
      const found = [];
      for (const weight of [400, 500, 600]) {
        await document.fonts.load(`${weight} 100px "JetBrains Mono"`);
        measured.font = `${weight} 100px "JetBrains Mono", serif`;
        found.push(...["i", "M", "→"].map((letter) => measured.measureText(letter).width));
      }
      return found;
    }""")
    assert widths == pytest.approx([60] * 9, abs=0.01)
    assert page.evaluate("""async () => (await document.fonts.load("400 12px Inter", "a→")).length""") == 1
