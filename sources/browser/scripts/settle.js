// Waits until the page has stopped changing and no longer shows that it is loading, at most `limitMs`. Lazy images above
// `height` (CSS pixels from the top) are fetched, fonts loaded. Returns whether it came to rest, and what was missed.
async ({ quietMs, limitMs, waitMs, waitFor, height, loadingText }) => {
  // The document's own, whatever parts of the page are called (`<form name="images">`).
  const own = (name) => {
    const { get, value } = Object.getOwnPropertyDescriptor(Document.prototype, name);
    return get ? get.call(document) : (...given) => value.apply(document, given);
  };
  const deadline = performance.now() + limitMs;
  const left = () => Math.max(0, deadline - performance.now());
  const sleep = (ms) => new Promise((done) => setTimeout(done, Math.min(ms, left())));
  const bounded = (promise) => Promise.race([promise, sleep(limitMs)]);

  if (waitMs) await sleep(waitMs);
  if (waitFor) while (left() > 0 && !own("querySelector")(waitFor)) await sleep(30);
  if (height > innerHeight) { // scripts fetch pictures when they come into the window
    for (let top = innerHeight; top < Math.min(height, own("documentElement").scrollHeight) && left() > 0; top += innerHeight) {
      scrollTo({ left: 0, top, behavior: "instant" });
      await sleep(40);
    }
    scrollTo({ left: 0, top: 0, behavior: "instant" });
  }
  for (const image of own("querySelectorAll")("img[loading=lazy], iframe[loading=lazy]")) {
    if (image.getBoundingClientRect().top < height) image.loading = "eager";
  }
  await bounded(own("fonts").ready);
  const near = [...own("images")].filter((image) => !image.complete && image.loading !== "lazy" && image.getBoundingClientRect().top < height);
  await bounded(Promise.all(near.map((image) => image.decode().catch(() => undefined))));

  // Signs that content is still to come, in the window. Names of classes are conventions, so that only what shows counts.
  const SIGNS = "[aria-busy=true], [role=progressbar]:not([aria-valuenow]), [class*=skeleton i], [class*=shimmer i], [class*=spinner i], " +
    "[class*=loader i], [class*=loading i], [class*=placeholder-glow i], [class*=placeholder-wave i], [class*=ghost-line i], " +
    "[class*=animate-spin], [class*=animate-pulse], [class*=fa-spin], [class*=ant-spin], [class*=lds-]";
  const NAMED = /(^|[^a-z])(skeleton|shimmer|spinner|(pre)?loader|loading|placeholder-(glow|wave)|ghost-line|animate-spin|fa-spin|ant-spin|lds-[a-z]+)s?([^a-z]|$)/i;
  // Bars that pulse, or a part with several of them; a single round one decorates.
  const isSkeleton = (element, name) => {
    if (!/(^|\s)animate-pulse(\s|$)/.test(name) || (element.innerText ?? "").trim()) return false;
    const { width, height } = element.getBoundingClientRect();
    return element.childElementCount > 1 || (height <= 48 && width >= 2 * height);
  };
  const isShown = (element) => {
    const rect = element.getBoundingClientRect();
    const isInside = rect.width >= 12 && rect.height >= 6 && rect.top < innerHeight && rect.bottom > 0 && rect.left < innerWidth && rect.right > 0;
    return isInside && element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  };
  const WAIT = loadingText && new RegExp(loadingText, "i");
  const saysWait = () => { // and nothing else
    const body = own("body");
    const said = !WAIT || !body || body.textContent.length > 4000 ? "" : (body.innerText ?? "").trim();
    return said !== "" && said.length < 60 && WAIT.test(said);
  };
  const isLoading = () => [...own("querySelectorAll")(SIGNS)].slice(0, 200).some((element) => {
    const { className } = element;
    const name = typeof className === "string" ? className : className?.baseVal ?? "";
    const isSign = element.getAttribute("aria-busy") === "true" || element.getAttribute("role") === "progressbar" || NAMED.test(name) || isSkeleton(element, name);
    return isSign && isShown(element) && (element.innerText ?? "").trim().length < 200; // a part with text has come
  }) || saysWait();

  // A clock or a headline that types itself changes again and again, and is no sign that something is missing.
  const NOISE = 3;
  const times = new WeakMap();
  const isNews = (record) => {
    if ([...record.addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE)) return true;
    const number = (times.get(record.target) ?? 0) + 1;
    times.set(record.target, number);
    return number <= NOISE;
  };
  if (own("scripts").length) { // without scripts nothing changes after load
    let changed = performance.now();
    const watcher = new MutationObserver((records) => { if (records.filter(isNews).length) changed = performance.now(); });
    watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    let resources = performance.getEntriesByType("resource").length;
    while (left() > 0 && (performance.now() - changed < quietMs || isLoading())) {
      await sleep(Math.min(30, quietMs));
      const now = performance.getEntriesByType("resource").length;
      if (now !== resources) {
        resources = now;
        changed = performance.now();
      }
    }
    watcher.disconnect();
  }
  const missed = [];
  if (waitFor && !own("querySelector")(waitFor)) missed.push("wait_for_missed");
  if (isLoading()) missed.push("loading");
  return { isAtRest: left() > 0, missed };
}
