#!/usr/bin/env python3
"""Opens a page of ours in headless Chromium, and demands that it works as promised.

    check.py PAGE [--pictures FOLDER]

It asks: no console error, no request, sorting and filtering, readable without script, no text of a log became an element, labels and
captions, contrast in light and dark (WCAG AA), nothing wider than a phone. Speaks WebDriver to chromedriver with the standard library
alone. Exit: 0 all is well; 1 a demand fails; 77 Chromium or chromedriver is missing.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

MISSING = 77


class Browser:
    """One session of chromedriver."""

    def __init__(self, profile):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
        if not driver or not chromium:
            print("chromium or chromedriver is missing: the page was not opened")
            sys.exit(MISSING)
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        start_new_session=True)
        for line in self.process.stdout:
            if port := re.search(r"successfully on port (\d+)", line):
                break
        else:
            raise RuntimeError("chromedriver did not start")
        self.base = f"http://127.0.0.1:{port[1]}"
        arguments = ["--headless=new", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--window-size=1280,900"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        capabilities = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                        "goog:chromeOptions": {"binary": chromium, "args": arguments}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.base += "/session/" + answer["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            # Straight to this machine, whatever proxy the environment names.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode(errors='replace')[:600]}") from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def js(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            # The driver and the browser that it started: their own group.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)


failures = []


def demand(what, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + what + (f": {detail}" if detail and not holds else ""))
    if not holds:
        failures.append(what)


# Contrast of every text with what is behind it; https://www.w3.org/TR/WCAG21/#contrast-minimum.
CONTRAST = """
const parse = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = c => { const [r, g, b] = parse(c).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                     return .2126 * r + .7152 * g + .0722 * b; };
const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, p = parse(c);
                      if (p.length < 4 || p[3] > 0) return c; } return "rgb(255,255,255)"; };
const bad = new Map();
const check = (e, ink, ground, big) => { const a = light(ink), b = light(ground), r = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (r < (big ? 3 : 4.5)) bad.set(ink + " on " + ground, r.toFixed(2) + " " + (e.textContent || "").trim().slice(0, 30)); };
for (const e of document.body.querySelectorAll("*")) {
  if (e.closest("script") || e.closest("svg")) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
  const s = getComputedStyle(e); check(e, s.color, behind(e), parseFloat(s.fontSize) >= 24);
}
for (const t of document.querySelectorAll("svg text")) {
  const box = t.getBBox(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  let ground = behind(t.closest("svg").parentElement);
  for (const r of t.closest("svg").querySelectorAll("rect")) { const b = r.getBBox();
    if (b.x <= x && x <= b.x + b.width && b.y <= y && y <= b.y + b.height && r.compareDocumentPosition(t) & 4) ground = getComputedStyle(r).fill; }
  check(t, getComputedStyle(t).fill, ground, false);
}
return Object.fromEntries(bad);
"""

COLUMN = """
const [table, i] = arguments;
return [...document.getElementById(table).tBodies[0].rows].map(r => r.cells[i].dataset.v ?? r.cells[i].textContent.trim());
"""


def quiet(browser, url):
    """No word on the console, and no request but the page's own."""
    console = [entry["message"] for entry in browser.log("browser")]
    demand("no console message", not console, console[:3])
    asked = set()
    for entry in browser.log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"].split("#")[0])
    demand("no request", asked <= {url, "data:,", "about:blank"}, sorted(asked - {url})[:3])


def sorts(browser):
    tables = browser.js("return [...document.querySelectorAll('table[data-sort]')].filter(t => t.offsetParent).map(t => t.id)")
    demand("there are tables", len(tables) > 0)
    for table in tables:
        heads = browser.js("return [...document.getElementById(arguments[0]).tHead.rows[0].cells].map(h => [h.className, h.querySelectorAll('button').length])", table)
        wrong = []
        for i, (style, buttons) in enumerate(heads):
            given = browser.js(COLUMN, table, i)
            numeric = "r" in style.split()
            for way in ["descending", "ascending"] if numeric else ["ascending", "descending"]:
                state = browser.js("const h = document.getElementById(arguments[0]).tHead.rows[0].cells[arguments[1]];"
                                   "h.querySelector('button').click(); return h.getAttribute('aria-sort')", table, i)
                now = browser.js(COLUMN, table, i)
                keys = [float(v) for v in now if v != ""] if numeric else [v.lower() for v in now]
                right = keys == sorted(keys, reverse=way == "descending") and sorted(now) == sorted(given)
                if numeric and "" in now:
                    right &= all(v == "" for v in now[now.index(""):])
                if state != way or not right or buttons != 1:
                    wrong.append((i, way, state))
            browser.js("document.getElementById(arguments[0]).tHead.rows[0].cells[arguments[1]].querySelector('button').click()", table, i)
            if browser.js(COLUMN, table, i) != given:
                wrong.append((i, "the third click gives the report's order"))
        demand(f"{table} sorts by each of {len(heads)} columns", not wrong, wrong[:3])


def filters(browser):
    inputs = browser.js("return [...document.querySelectorAll('input[type=search]')].filter(i => i.offsetParent)"
                        ".map(i => [i.id, i.labels.length, i.id.slice('filter-'.length)])")
    for field, labels, table in inputs:
        word = browser.js("return [...document.getElementById(arguments[0]).tBodies[0].rows].at(-1).cells[0].textContent", table).split()[0].lower()
        typed = ("const f = document.getElementById(arguments[0]); f.value = arguments[1]; f.dispatchEvent(new Event('input'));"
                 "const rows = [...document.getElementById(arguments[2]).tBodies[0].rows];"
                 "return [rows.filter(r => r.offsetParent).length, rows.filter(r => r.textContent.toLowerCase().includes(arguments[1].trim())).length,"
                 "rows.length, f.parentElement.querySelector('output').textContent]")
        some, meant, rows, said = browser.js(typed, field, word, table)
        none, *_ = browser.js(typed, field, "no such word at all", table)
        every, *_ = browser.js(typed, field, "", table)
        right = labels == 1 and 0 < some == meant and none == 0 and every == rows and said == f"{some} of {rows} rows"
        demand(f"{table} filters", right, (word, some, meant, none, every, rows, said))
    return len(inputs)


def structure(browser):
    found = browser.js("""
        const all = s => [...document.querySelectorAll(s)];
        return {
          scripts: document.scripts.length, foreign: all("img,iframe,object,embed,link,base,form,meta[http-equiv=refresh],foreignObject").length,
          handlers: all("*").filter(e => [...e.attributes].some(a => /^on|^style$/i.test(a.name))).length,
          headings: all("h1,h2,h3").map(h => +h.tagName[1]),
          tables: all("table").filter(t => !t.caption || !t.tHead || [...t.querySelectorAll("th")].some(h => !h.scope)).length,
          pictures: all("svg").filter(s => s.getAttribute("role") !== "img" || !s.getAttribute("aria-label")).length,
          ids: all("[id]").map(e => e.id), links: all("a[href^='#']").map(a => decodeURIComponent(a.hash.slice(1))),
          outside: all("a:not([href^='#'])").filter(a => !/^https:/.test(a.getAttribute("href"))).length,
          marker: typeof window.pwned, lang: document.documentElement.lang, title: document.title };""")
    demand("one script, ours; nothing that loads, no handler, no style attribute",
           found["scripts"] == 1 and found["foreign"] == 0 and found["handlers"] == 0, found)
    levels = found["headings"]
    demand("one h1, and no level is skipped", levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels)
    demand("tables have captions, heads and scopes; pictures have names", found["tables"] == 0 and found["pictures"] == 0)
    demand("ids are unique, links lead somewhere",
           len(set(found["ids"])) == len(found["ids"]) and set(found["links"]) <= set(found["ids"]) and found["outside"] == 0,
           sorted(set(found["links"]) - set(found["ids"])))
    demand("no text of a log ran", found["marker"] == "undefined" and found["lang"] == "en" and found["title"] != "")


def scheme(browser, name):
    browser.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true })")
    bad = browser.js(CONTRAST)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = false })")
    demand(f"contrast of texts, {name}", not bad, dict(list(bad.items())[:5]))


def size(browser, width, height, mobile=False):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)


def picture(browser, folder, name, **clip):
    if folder:
        shot = browser.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=bool(clip), **clip)
        (folder / name).write_bytes(base64.b64decode(shot["data"]))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    page = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[sys.argv.index("--pictures") + 1]) if "--pictures" in sys.argv else None
    profile = tempfile.mkdtemp(prefix="page-check-")
    browser = Browser(profile)
    try:
        check(browser, page.as_uri(), folder)
    finally:
        browser.close()
        shutil.rmtree(profile, ignore_errors=True)
    if failures:
        print(f"{len(failures)} demands fail")
        sys.exit(1)


def check(browser, url, folder):
    # What the browser's own first page asked for is not ours.
    browser.open("about:blank")
    browser.log("performance")
    started = time.monotonic()
    browser.open(url)
    print(f"      {time.monotonic() - started:.2f} s to load")
    quiet(browser, url)
    structure(browser)
    sorts(browser)
    filters(browser)
    for name in ["light", "dark"]:
        scheme(browser, name)
        size(browser, 1200, 1000)
        picture(browser, folder, f"{name}.png")
        height = browser.js("return document.documentElement.scrollHeight")
        for part, y in enumerate(range(0, min(height, 8000), 2000), 1):
            picture(browser, folder, f"{name}-{part}.png", clip={"x": 0, "y": y, "width": 1200, "height": 2000, "scale": 1})
    scheme(browser, "light")
    size(browser, 390, 844, True)
    wide = browser.js("return [document.documentElement.scrollWidth, innerWidth]")
    out = browser.js("return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll *, .rows *') && e.getBoundingClientRect().right > 391)"
                     ".map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 40))")
    demand("nothing is wider than a phone", wide[0] <= 390, (wide, out[:6]))
    picture(browser, folder, "phone.png", clip={"x": 0, "y": 0, "width": 390, "height": 3200, "scale": 1})
    browser.cdp("Emulation.clearDeviceMetricsOverride")
    paper = browser.cdp("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)
    pages = base64.b64decode(paper["data"])
    demand("it prints", pages.startswith(b"%PDF") and len(pages) > 10_000)
    if folder:
        (folder / "print.pdf").write_bytes(pages)
    quiet(browser, url)

    # The policy holds: a script that gets in is not run.
    refused = browser.js("const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s); s.remove();"
                         "return typeof window.pwned")
    words = " ".join(entry["message"] for entry in browser.log("browser"))
    demand("the policy refuses other scripts", refused == "undefined" and "Content Security Policy" in words, words[:200])

    # Without script: the same tables, and no control that does nothing.
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url)
    root = browser.cdp("DOM.getDocument", depth=0)["root"]["nodeId"]
    html = browser.cdp("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    controls = len(re.findall(r"<(?:button|input)\b", html))
    demand("readable without script", html.count("<tr") > 2 and "What to do first" in html or "attempts" in html)
    demand("no control without script", controls == 0, controls)
    if folder:
        size(browser, 1200, 1000)
        picture(browser, folder, "no-script.png")


if __name__ == "__main__":
    main()
