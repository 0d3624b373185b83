"""Builds the documentation into build/docs: one self-contained page for each Markdown file, and checks every link.

Run it with `make docs`. It fails if a link between pages, or to a heading, leads nowhere.
"""

import html
import re
import sys
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "docs"
PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")

STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --paper: #fdfdfb; --faint: #e7e5df; --mark: #2f6f4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e6; --paper: #16191c; --faint: #2b3035; --mark: #7cc7a0; } }
body { font: 16px/1.6 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
main, nav { max-width: 52rem; margin: 0 auto; padding: 1rem 1.5rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; border-bottom: 1px solid var(--faint); font-size: .9rem; }
a { color: var(--mark); } h1, h2, h3 { line-height: 1.25; margin-top: 2rem; }
pre, code { font: .9em/1.5 ui-monospace, monospace; background: var(--faint); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .8rem 1rem; overflow-x: auto; } pre code { padding: 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--faint); padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; }
"""


def main() -> int:
    """Build every page; return 1 if a link is broken."""
    sources = [ROOT / name for name in PAGES] + sorted((ROOT / "docs").rglob("*.md"))
    broken = [problem for source in sources for problem in broken_links(source)]
    for source in sources:
        target = page_of(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(source, sources), encoding="utf-8")
    for problem in broken:
        print(problem, file=sys.stderr)
    print(f"{len(sources)} pages in {OUT.relative_to(ROOT)}, start at {page_of(ROOT / 'README.md').relative_to(ROOT)}")
    return 1 if broken else 0


def page_of(source: Path) -> Path:
    """Return where the page of a source goes."""
    name = source.relative_to(ROOT / "docs") if source.is_relative_to(ROOT / "docs") else source.relative_to(ROOT)
    return OUT / ("index.html" if source.name == "README.md" else name.with_suffix(".html"))


def title_of(source: Path) -> str:
    """Return a page's first heading."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return next(line.lstrip("# ").strip().replace("`", "") for line in lines if line.startswith("# "))


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-")


def anchors(source: Path) -> set[str]:
    """Return all anchors of a page."""
    return {anchor(line.lstrip("# ")) for line in source.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


def broken_links(source: Path) -> list[str]:
    """Return a sentence for each link of the page that leads nowhere."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", source.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (source.parent / path).resolve() if path else source
        if not target.exists() or (fragment and target.suffix == ".md" and fragment not in anchors(target)):
            found.append(f"{source.relative_to(ROOT)}: the link {link} leads nowhere")
    return found


def render(source: Path, sources: list[Path]) -> str:
    """Return the page as HTML that needs nothing else."""
    here = page_of(source).parent
    body = MarkdownIt("commonmark").enable("table").render(source.read_text(encoding="utf-8"))
    body = re.sub(
        r"<h(\d)>(.*?)</h\1>", lambda found: f'<h{found[1]} id="{anchor(html.unescape(found[2]))}">{found[2]}</h{found[1]}>', body
    )
    body = re.sub(r'href="([^":#]*)\.md(#[^"]*)?"', lambda found: f'href="{_page_link(source, found[1])}{found[2] or ""}"', body)
    links = " ".join(
        f'<a href="{_relative(page_of(each), here)}">{html.escape(title_of(each))}</a>' for each in sources if "decisions" not in each.parts
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title_of(source))}</title>'
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body><nav>{links}</nav><main>{body}</main></body></html>\n"
    )


def _page_link(source: Path, stem: str) -> str:
    return _relative(page_of((source.parent / f"{stem}.md").resolve()), page_of(source).parent)


def _relative(page: Path, here: Path) -> str:
    depth = len(here.relative_to(OUT).parts)
    return "../" * depth + page.relative_to(OUT).as_posix()


if __name__ == "__main__":
    sys.exit(main())
