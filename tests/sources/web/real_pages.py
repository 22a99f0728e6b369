"""Small pages, each of a kind that real sites have and that a crawl once lost or read wrongly."""

from tests.sources.web.hostile_site import PARAGRAPH, html

P = f"<p>{PARAGRAPH}</p>"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx"
    b"\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)
MOVING = {
    "typing": "<h1>We build <span id=t></span></h1><script>let k = 0; setInterval(() => { t.textContent = "
    "'mills and sluices '.slice(0, k++ % 18); }, 30)</script>",
    "clock": "<h1>Clock</h1><p id=t>0</p><script>setInterval(() => { t.textContent = performance.now(); }, 7)</script>",
    "carousel": "<style>@keyframes run { to { transform: translateX(-500px) } } .run { animation: run 1s infinite "
    "linear; width: 900px }</style><div class=run><h1>Carousel</h1></div>",
    "marquee": "<h1>Marquee</h1><marquee scrollamount=20>Words that run past all day</marquee>",
    "frames": "<h1>Frames</h1><p id=t>x</p><script>const f = () => { "
    "t.style.marginLeft = `${performance.now() % 300}px`; requestAnimationFrame(f); }; f();</script>",
    "shadow": "<my-ring></my-ring><script>customElements.define('my-ring', class extends HTMLElement { "
    "connectedCallback() { this.attachShadow({mode: 'open'}).innerHTML = '<style>@keyframes r { "
    "to { margin-left: 400px } } h1 { animation: r 0.7s infinite }</style><h1>Shadow</h1>'; }})</script>",
    "worker": "<h1>Worker</h1><p id=t>0</p><script>const w = new Worker(URL.createObjectURL(new Blob(['"
    "setInterval(() => postMessage(1), 5)']))); w.onmessage = () => { t.style.paddingLeft = "
    "`${performance.now() % 100}px`; }</script>",
}  # fmt: skip


LATE = f"<script>setTimeout(() => {{ document.body.innerHTML = '<h1>Late content</h1>{P}' }}, 1500)</script>"
BONE = "<div class='card__skeleton' style='height:20px;width:400px;background:#ddd;margin:9px'></div>"
CUT = "overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
CLAMP = "width:200px;overflow:hidden;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical"
STRIPES = "position:absolute;top:0;height:30px;background:repeating-linear-gradient(45deg,red,blue 4px)"
IN_P = (
    "const box = document.createElement('div'); box.textContent = 'in a paragraph'; b.append('start', box, 'end');"
    "const list = document.createElement('ul'); list.innerHTML = '<li>one<li>two'; b.append(list);"
    "const outer = document.createElement('a'), inner = document.createElement('a'); outer.href = inner.href = '/';"
    "inner.textContent = 'inner'; outer.append('outer ', inner); c.append(outer);"
    "const cell = document.createElement('td'); cell.textContent = 'cell'; c.append(cell);"
)
WALLS = {
    "en": ("We use cookies", "Accept all"),
    "es": ("Utilizamos cookies", "Aceptar todo"),
    "de": ("Wir schätzen Ihre Privatsphäre", "Alle akzeptieren"),
    "ja": ("当サイトではクッキーを使用します", "同意する"),
    "fr": ("Nous utilisons des traceurs", "Tout accepter"),
    "pt": ("A sua privacidade importa", "Aceitar"),
    "ru": ("Мы используем файлы cookie", "Принять"),
    "it": ("Usiamo i cookie", "Accetta tutto"),
    "nl": ("Wij vragen uw toestemming", "Akkoord"),
    "pl": ("Używamy plików cookie", "Akceptuję"),
    "tr": ("Çerezleri kullanıyoruz", "Tümünü kabul et"),
    "fa": ("ما از کوکی‌ها استفاده می‌کنیم", "پذیرش همه"),
    "zh": ("我们重视您的隐私", "接受"),
}
PAID = "<script type='application/ld+json'>{\"isAccessibleForFree\": false}</script>"
CONTENT = {
    "spinner": html("<div class=spinner-border style='width:40px;height:40px;border:4px solid'></div>" + LATE),
    "skeleton": html(BONE * 5 + LATE),
    "spin": html("<svg class='h-8 w-8 animate-spin' width=40 height=40><circle cx=20 cy=20 r=15 fill=none stroke=red />"
                 f"</svg>{LATE}"),
    "pulse": html(f"<div class=animate-pulse><p style='height:20px;width:99px;background:#ddd'></p><p></div>{LATE}"),
    "says-loading": html(f"<div role=status>Carregando…</div>{LATE}"),
    "blob": html(f"<div class=animate-pulse style='width:90px;height:90px;background:#def'></div><h1>Hero</h1>{P * 3}"
                 "<script>1</script>"),
    "skeleton-stays": html(BONE * 5 + "<script>1</script>"),
    "loading": html("<p>Chargement en cours…</p>"),
    "unstyled": html(f"<h1>Plain</h1>{P * 3}", "<link rel=stylesheet href=/gone.css>"),
    "broken": html(f"<h1>Pictures</h1>{P * 3}<img src=/gone.png width=200 height=100>"),
    "results": html("<h1>2,410 results</h1><p>410 of 404,000 books match.</p>"),
    "room": html(f"<h1>Room 404</h1>{P * 4}"),
    "e404": html("<h1>404</h1><p>Sorry.</p>"),
    "e404-fr": html("<h1>Page introuvable</h1><p>Désolé.</p>"),
    "paid": html(f"<h1>Report</h1>{P}<p>Subscribe to continue reading</p>", PAID),
    "blog": html(f"<h1>Blog</h1>{P * 4}<p>Subscribe to our newsletter. Cookie policy.</p><a href=x>Read more</a>"),
    "framed-wall": html(f"<h1>News</h1>{P}<div style='position:fixed;inset:20%;background:#fff'><iframe src=/in-frame "
                        "width=500 height=300></iframe></div>"),
    "icons": html("<h1><span class=i>menu</span> Title</h1><a href=/><span class=i>home</span> Home page</a> "
                  f"<span class=i>&#xe001;</span> <i>ill</i>{P}",
                  "<style>@font-face { font-family: Signs; src: url(/signs.ttf) } .i { font: 24px Signs }</style>"),
    "details": html("<details>folded <b>text</b><summary>Open me</summary>more</details><div style='content-visibility:"
                    f"hidden;height:50px'>skipped</div>{P}"),
    "covered": html("<div style='position:relative;height:30px;width:300px'>alpha beta gamma<div style='left:0;"
                    f"width:20px;pointer-events:none;{STRIPES}'></div><div style='left:80px;width:99px;{STRIPES}'>"
                    f"</div></div>{P}"),
    "ellipsis": html(f"<div style='width:150px;{CUT}'>one two three four five six seven eight nine "
                     f"eleven</div><div style='{CLAMP}'>"
                     f"{PARAGRAPH}</div><div style='width:150px;{CUT}'>fits well</div>"),
    "declared": html("<div><template shadowrootmode=closed><p>closed words <slot></slot></p></template>"
                     f"slotted</div>{P}"),
    "headings": html(f"<h1>Short</h1><h2 style='text-align:center'>Centred <a href=x>heading</a></h2>{P}"),
    "flex": html("<div style='display:flex'><img src=/picture/0 width=200 height=100><p>beside</p></div>" + P),
    "nested": html(f"<p>before <img src=/picture/0 width=50 height=50> after</p><p id=b></p><div id=c></div>{P}<script>"
                   f"{IN_P}</script>"),
    "gradient": html("<div style='background:linear-gradient(90deg,rgba(255,0,0,.3),transparent) #abe;height:80px'>"
                     f"below</div>{P}"),
    "clipped": html("<h1 style='background:linear-gradient(90deg,red,blue);background-clip:text;color:transparent'>Red "
                    f"to blue</h1>{P}"),
    "placeholder": html(f"<input class=x placeholder='Red one'>{P}", "<style>.x::placeholder { color: red }</style>"),
    "font": html(f"<h1 style='font-family:\"DejaVu Serif\"'>Installed</h1>{P}",
                 "<style>@font-face { font-family: 'DejaVu Serif'; src: url(/gone.ttf) }</style>"),
}  # fmt: skip


def wall(text: str, button: str) -> str:
    return html(
        f"<h1>News</h1>{P}<div style='position:fixed;inset:20%;background:#fff'>{text} <button>{button}</button></div>"
    )
