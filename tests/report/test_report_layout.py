"""The page in a real browser: nothing overflows, nothing overlaps, the switches work."""

import json
import re
import shutil
import subprocess

import pytest

from cellcarve.report.page import page_of

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium to look at the page with")
WIDTHS = (900, 1366, 1920)

PROBE = """
<script>
window.onerror = (text) => { window.broken = text; };
window.addEventListener("load", () => {
  const wide = document.documentElement.clientWidth, bad = [];
  const name = (e) => `${e.tagName}.${e.getAttribute("class") || ""} "${e.textContent.trim().slice(0, 40)}"`;
  const overlap = (a, b) => {
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    return x > 1.5 && y > 1.5;
  };
  const pairs = (items) => items.forEach((a, i) => items.slice(i + 1).forEach((b) => {
    if (overlap(a, b)) bad.push(`overlap: ${name(a)} | ${name(b)}`);
  }));
  if (document.documentElement.scrollWidth > wide) bad.push("page wider than the window");
  const inline = (e) => getComputedStyle(e).display === "inline";
  const prose = ["P", "H1", "DT", "FIGCAPTION", "LABEL", "TBODY"];
  document.querySelectorAll("body *:not(svg, svg *, script)").forEach((e) => {
    if (e.getBoundingClientRect().right > wide + 1) bad.push(`beyond the right edge: ${name(e)}`);
    if (e.scrollWidth > e.clientWidth + 1 && !inline(e)) bad.push(`wider than its box: ${name(e)}`);
    if (!prose.includes(e.tagName))
      pairs([...e.children].filter((c) => c.tagName !== "SCRIPT" && !inline(c)));
  });
  const charts = document.querySelectorAll("svg.chart, svg.scale");
  charts.forEach((svg) => pairs([...svg.querySelectorAll("text")]));

  const map = document.querySelector("svg.map"), before = map.getAttribute("viewBox");
  document.querySelector("[data-by='0.6667']").click();
  if (map.getAttribute("viewBox") === before) bad.push("zooming in changes nothing");
  document.querySelector("[data-by='0']").click();
  if (map.getAttribute("viewBox") !== before) bad.push("reset does not reset");
  const layer = document.querySelector("[data-layer=dots]");
  layer.click();
  if (getComputedStyle(document.querySelector(".dots")).display !== "none") bad.push("dots stay");
  layer.click();
  const pair = document.querySelector(".columns.n2"), first = pair.querySelector("svg");
  document.querySelector("[data-flip]").click();
  if (pair.querySelectorAll("svg")[1] !== first) bad.push("flip does not swap");
  if (!pair.querySelector("h3").textContent.endsWith("after")) bad.push("titles stay");
  if (window.broken) bad.push(window.broken);
  const out = document.createElement("pre");
  out.id = "found";
  out.textContent = JSON.stringify(bad);
  document.body.append(out);
});
</script>
"""


def found(page, width, folder):
    """What the probe complains of."""
    file = folder / f"page{width}.html"
    file.write_text(page.replace("</head>", PROBE + "</head>"), encoding="utf-8")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},1200", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    said = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert said, "the probe did not finish"
    return json.loads(said.group(1))


def test_the_probe_sees_faults(scattered, tmp_path):
    page = page_of(scattered(500, 9))
    faults = '<div style="width: 3000px">wide</div><h3 style="margin-bottom: -12px">over</h3><h3>under</h3>'
    said = " ".join(found(page.replace("<h2>Genes", faults + "<h2>Genes"), 1280, tmp_path))
    assert "page wider" in said
    assert 'beyond the right edge: DIV. "wide"' in said
    assert 'overlap: H3. "over" | H3. "under"' in said


@pytest.mark.parametrize("width", WIDTHS)
def test_real_tissue(width, breast, tmp_path):
    assert found(page_of(breast), width, tmp_path) == []


def test_long_names_and_many_digits(scattered, tmp_path):
    run = scattered(120_000, 900, genes=60, side=900.0)
    run.table.genes[:] = [f"ENSMUSG{k:020d}_with_a_long_tail_{k}" for k in range(60)]
    run.table.notes.append("a_word_without_any_space_" * 12)
    run.record["settings"] = {
        "genes_exclude": tuple(f"Gene{k}*" for k in range(40)),
        "prior": "/very/long" * 30,
    }
    run.record["inputs"] = [{"path": "/folder" * 40, "bytes": 10**12, "sha256_of_ends": "f" * 64}]
    run.segmentation.model = {
        "a_rather_long_name_of_a_learned_value": {"inner": [0.123456] * 7},
        "text": "x" * 300,
    }
    for width in (900, 1280):
        assert found(page_of(run), width, tmp_path) == []
