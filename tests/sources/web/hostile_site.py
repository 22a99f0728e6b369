"""A site on loopback with pages that are hostile to crawlers, and a log of requests."""

import contextlib
import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

PARAGRAPH = "The miller opened the sluice before dawn and the wheel began to turn. " * 4
ENDLESS_S = 30  # the limit of an endless response, which its reader closes earlier


# The parts of a script's world that a page can change.
REWRITES = """
const lie = () => { for (;;); };
const fake = () => ({ left: 0, top: 0, right: 0, bottom: 0, width: 0, height: 0, x: 0, y: 0 });
Array.prototype.map = lie; Array.prototype.push = lie; JSON.stringify = () => '{"words": [["false"]]}';
JSON.parse = lie; Map.prototype.get = lie; Promise.race = lie; String.prototype.replace = lie;
Element.prototype.getBoundingClientRect = fake; Range.prototype.getClientRects = () => [fake()];
document.querySelectorAll = lie; Document.prototype.querySelectorAll = lie; window.getComputedStyle = () => ({});
Document.prototype.elementFromPoint = () => null; Element.prototype.checkVisibility = () => false;
for (const name of ["childNodes", "nodeType", "textContent", "parentElement"]) {
  Object.defineProperty(Node.prototype, name, { get: () => "false" });
}
Object.defineProperty(Element.prototype, "tagName", { get: () => "SCRIPT" });
window.MutationObserver = lie; window.setTimeout = lie; performance.now = () => NaN;
"""
NAMED_INPUTS = "".join(
    f"<input name={name} size=3 value=v>"
    for name in ("title", "tagName", "childNodes", "getBoundingClientRect", "nodeType", "parentNode", "labels", "type",
                 "shadowRoot", "getAttribute", "innerText", "closest", "assignedSlot", "firstElementChild")
)  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    """Responds with the page of the path: a string of HTML, or a function that writes."""

    protocol_version = "HTTP/1.1"
    server: "Site"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # clients close connections and reject certificates
            super().handle()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.requests.append(path)
        self.server.agents.add(self.headers.get("User-Agent", ""))
        page = self.server.pages.get(path)
        with contextlib.suppress(OSError):
            if page is None:
                self.answer("<title>Not found</title>", status=404)
            elif isinstance(page, str):
                self.answer(page)
            else:
                page(self)

    do_HEAD = do_GET

    def answer(
        self, body: str | bytes, status: int = 200, kind: str = "text/html; charset=utf-8", **headers: str
    ) -> None:
        """Send a whole response; `_` in a header's name means `-`."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def begin(self, kind: str = "text/html; charset=utf-8") -> None:
        """Send the head of a response without a known length."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True


class Site(http.server.ThreadingHTTPServer):
    """A server of pages by path; `requests` is the log of paths, in order."""

    daemon_threads = True

    def __init__(self, pages: dict[str, Any], tls: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        if tls is not None:  # the handshake happens in the connection's thread
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.pages = pages
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.ended = threading.Event()


@contextlib.contextmanager
def serving(pages: dict[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve a site on a loopback port; with `tls`, over https."""
    with Site(pages, tls) as site:
        thread = threading.Thread(target=site.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.ended.set()
            site.shutdown()
            thread.join()


def html(body: str, head: str = "", attributes: str = 'lang="en"') -> str:
    return f"<!doctype html><html {attributes}><head><title>A page</title>{head}</head><body>{body}</body></html>"


def redirect(to: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer("", status=302, Location=to)


def endless(handler: Handler) -> None:
    """Send HTML that never ends, a little at a time."""
    handler.begin()
    handler.wfile.write(b"<title>Endless</title>")
    until = time.monotonic() + ENDLESS_S
    while time.monotonic() < until and not handler.server.ended.wait(0.1):
        handler.wfile.write(b"<p>more</p>")
        handler.wfile.flush()


def silent(handler: Handler) -> None:
    """Send nothing."""
    handler.server.ended.wait(ENDLESS_S)
    handler.close_connection = True


def huge(handler: Handler) -> None:
    """Send a document of 100 MB."""
    handler.begin()
    chunk = b"<p>" + b"x" * 65_000 + b"</p>"
    for _ in range(1600):
        handler.wfile.write(chunk)


def hostile_pages() -> dict[str, Any]:
    """Return the pages by path."""
    p = f"<p>{PARAGRAPH}</p>"
    return {
        "/robots.txt": lambda h: h.answer(
            "User-agent: *\nDisallow: /private/*.html$\nDisallow: /secret\n", kind="text/plain"
        ),
        "/good": html(f"<h1>A good page</h1>{p}<button>Press me</button><a href='/good2'>Another page</a>"),
        "/good2": html(f"<h1>Another page</h1>{p}"),
        "/redirect": redirect("/good2"),
        "/loop": redirect("/loop"),
        "/to-loopback": redirect("http://127.0.0.1:9/"),
        "/to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
        "/to-secret": redirect("/secret"),
        "/elsewhere": redirect("http://elsewhere.test/"),
        "/secret": html("<h1>Secret</h1>"),
        "/private/a.html": html("<h1>Private</h1>"),
        "/private/a.htm": html(f"<h1>Not private</h1>{p}"),
        "/inside": html(
            f"<h1>Reaches inside</h1>{p}<iframe src='http://127.0.0.1:9/frame'></iframe>"
            "<img src='http://169.254.169.254/image.png'>"
            "<script>fetch('http://10.0.0.1/').catch(() => 0); new WebSocket('ws://192.168.0.1/');</script>"
        ),
        "/endless": endless,
        "/silent": silent,
        "/slow-image": html(f"<h1>Waits for a picture</h1>{p}<img src='/silent'>"),
        "/huge": huge,
        "/scroll": html(
            f"<h1>Infinite</h1><div id=list>{p}</div><script>"
            "setInterval(() => { const more = document.createElement('p'); more.textContent = "
            "'and more'; list.append(more); }, 20);"
            "</script>"
        ),
        "/alerts": html(
            f"<h1>Alerts</h1>{p}<script>for (let k = 0; k < 20; k++) alert(k); confirm('?'); prompt('?');</script>"
        ),
        "/windows": html(f"<h1>Windows</h1>{p}<script>for (let k = 0; k < 5; k++) open('/good');</script>"),
        "/moving": html(
            f"<h1>Moving</h1>{p}<script>let k = 0; setInterval(() => {{ "
            "document.body.style.paddingTop = `${(k += 3) % 200}px`; }, 5);</script>"
        ),
        "/tall": html(f"<h1>Tall</h1><div style='height:30000px'>{p}</div><p id=end>The end</p>"),
        "/hang": html(f"{p}<script>while (true);</script>"),
        "/hang-later": html(f"{p}<script>onload = () => setTimeout(() => {{ while (true); }}, 0)</script>"),
        "/latin1": lambda h: h.answer(
            "<title>x</title><h1>Caf\xe9</h1><p>na\xefve".encode("latin-1"), kind="text/html"
        ),
        "/broken": lambda h: h.answer(b"<title>x</title><h1>Broken \xff\xfe\xc3</h1><p>text"),
        "/bomb": html(f"{p}<script>const all = []; for (;;) all.push(new Array(1e6).fill(all.length));</script>"),
        "/download": lambda h: h.answer(b"PK", kind="application/zip"),
        "/attachment": lambda h: h.answer(html(p), Content_Disposition="attachment; filename=x.html"),
        "/text": lambda h: h.answer("plain", kind="text/plain"),
        "/gone": lambda h: h.answer("<h1>Gone</h1>", status=410),
        "/error": lambda h: h.answer("<h1>Error</h1>", status=500),
        "/noai": html(p, "<meta name=robots content='index, noai'>"),
        "/noindex": lambda h: h.answer(html(p), X_Robots_Tag="noindex"),
        "/other-bot": lambda h: h.answer(html(p), X_Robots_Tag="googlebot: noindex"),
        "/blank": html(""),
        "/consent": html(
            f"<h1>News</h1>{p}<div style='position:fixed;inset:0;background:#fff'><h2>We value "
            f"your privacy</h2>"
            "<p>We use cookies. Accept or reject them to go on reading.</p><button>Accept all</button></div>"
        ),
        "/soft404": html("<h1>Page not found</h1><p>Nothing was found here.</p>"),
        "/login": html(
            "<h1>Sign in</h1><form><input name=u placeholder=Name><input type=password><button>Log in</button></form>"
        ),
        "/captcha": html("<h1>Just a moment...</h1><p>Verify you are human by completing the action below.</p>"),
        "/parked": html("<h1>millbrook.test</h1><p>This domain is for sale. Buy this domain.</p>"),
        "/frames": html(f"<h1>Outside</h1><iframe src='/framed' width=400 height=120></iframe>{p}"),
        "/framed": html("<p>Inside the frame</p><button>Framed button</button>"),
        "/frames-elsewhere": html(
            f"<h1>Outside</h1><iframe src='http://other.test/outer' width=400 height=200></iframe>{p}"
        ),
        "/outer": html("<p>On another site</p><iframe src='/framed' width=300 height=100></iframe>"),
        "/moves-on": html("<h1>Not here</h1><script>setTimeout(() => { location = '/good2'; }, 60)</script>"),
        "/rewritten": html(f"<h1>True words</h1>{p}<button>Press me</button>", f"<script>{REWRITES}</script>"),
        "/clobbered": html(
            f"<h1>Form with names</h1><form>{NAMED_INPUTS}<b>inside the form</b></form>{p}<form name=body></form>"
            "<img name=querySelectorAll><img name=documentElement><form name=title></form><img name=images>"
            "<form name=createRange></form><img name=fonts><form name=elementFromPoint></form>"
        ),
        "/shadow": html(
            "<h1>Shadow</h1><my-box>slotted words</my-box><my-closed></my-closed><script>"
            "customElements.define('my-box', class extends HTMLElement { connectedCallback() { "
            "this.attachShadow({mode: 'open'}).innerHTML = '<p>before</p><slot></slot><button>In "
            "the shadow</button>'; }});"
            "customElements.define('my-closed', class extends HTMLElement { connectedCallback() { "
            "this.attachShadow({mode: 'closed'}).innerHTML = '<p>closed words</p>'; }});</script>"
        ),
        "/canvas": html(
            "<canvas id=c width=300 height=80></canvas><script>const pen = c.getContext('2d'); "
            "pen.font = '24px sans-serif';"
            "pen.fillText('painted', 10, 40);</script>"
        ),
        "/arabic": html("<p>كان يا ما كان في قديم الزمان طاحونة على ضفة النهر</p>", attributes="lang=ar dir=rtl"),
        "/hidden": html(
            "<p>seen</p><p style='color:#fff'>white</p><p "
            "style='visibility:hidden'>invisible</p><p style='opacity:0'>clear</p>"
            "<p style='position:absolute;left:-999px'>outside</p><div "
            "style='height:20px;overflow:hidden'>shown<br><br>cutoff</div>"
            "<div style='position:relative;height:40px'>covered<div "
            "style='position:absolute;inset:0;background:#fff'></div></div>"
            "<div style='position:relative;height:40px'>through<div "
            "style='position:absolute;inset:0;background:#fff;"
            "pointer-events:none'></div></div><p style='text-transform:uppercase'>capitals</p>"
        ),
    }
