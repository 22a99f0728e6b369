// Waits until the page has stopped changing, at most `limitMs`. Lazy images are fetched, fonts loaded, animations ended.
// Returns whether it came to rest.
async ({ quietMs, limitMs }) => {
  const deadline = performance.now() + limitMs;
  const left = () => Math.max(0, deadline - performance.now());
  const bounded = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, left()))]);

  for (const image of document.querySelectorAll("img[loading=lazy], iframe[loading=lazy]")) image.loading = "eager";
  await bounded(document.fonts.ready);
  const near = [...document.images].filter((image) => !image.complete && image.getBoundingClientRect().top < innerHeight);
  await bounded(Promise.all(near.map((image) => image.decode().catch(() => undefined))));

  let changed = performance.now();
  if (document.scripts.length) { // without scripts nothing changes after load
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

  for (const animation of document.getAnimations()) {
    try {
      if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
      else animation.cancel();
    } catch { /* it cannot be ended: its effect has no end to jump to */ }
  }
  for (const media of document.querySelectorAll("video, audio")) media.pause();
  const still = document.createElement("style");
  still.textContent = "*, *::before, *::after { caret-color: transparent !important; transition: none !important; " +
    "scroll-behavior: auto !important; }";
  document.documentElement.append(still);
  scrollTo(0, 0);
  return atRest;
}
