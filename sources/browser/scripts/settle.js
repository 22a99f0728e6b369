// Waits until the page has stopped changing, at most `limitMs`. Lazy images are fetched, fonts loaded, animations ended.
// Returns whether it came to rest.
async ({ quietMs, limitMs }) => {
  // The document's own, whatever parts of the page are called (`<form name="images">`).
  const own = (name) => {
    const { get, value } = Object.getOwnPropertyDescriptor(Document.prototype, name);
    return get ? get.call(document) : (...given) => value.apply(document, given);
  };
  const deadline = performance.now() + limitMs;
  const left = () => Math.max(0, deadline - performance.now());
  const bounded = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, left()))]);

  for (const image of own("querySelectorAll")("img[loading=lazy], iframe[loading=lazy]")) image.loading = "eager";
  await bounded(own("fonts").ready);
  const near = [...own("images")].filter((image) => !image.complete && image.getBoundingClientRect().top < innerHeight);
  await bounded(Promise.all(near.map((image) => image.decode().catch(() => undefined))));

  let changed = performance.now();
  if (own("scripts").length) { // without scripts nothing changes after load
    const watcher = new MutationObserver(() => { changed = performance.now(); });
    watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    let resources = performance.getEntriesByType("resource").length;
    changed = performance.now();
    while (left() > 0 && performance.now() - changed < quietMs) {
      await new Promise((done) => setTimeout(done, Math.min(30, quietMs)));
      const now = performance.getEntriesByType("resource").length;
      if (now !== resources) {
        resources = now;
        changed = performance.now();
      }
    }
    watcher.disconnect();
  }
  const atRest = left() > 0;

  const animations = own("getAnimations")();
  for (const animation of animations) {
    try {
      if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
      else animation.cancel();
    } catch { /* it cannot be ended: its effect has no end to jump to */ }
  }
  for (const media of own("querySelectorAll")("video, audio")) media.pause();
  if (animations.length) { // where something moved, something else may begin to; a rule for all elements costs a new layout
    const still = own("createElement")("style");
    still.textContent = "*, *::before, *::after { transition: none !important; }";
    own("documentElement").append(still);
  }
  let focused = own("activeElement");
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (focused && focused !== own("body")) focused.style?.setProperty("caret-color", "transparent", "important");
  scrollTo({ top: 0, left: 0, behavior: "instant" });
  return atRest;
}
