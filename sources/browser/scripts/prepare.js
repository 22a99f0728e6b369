// Runs in the page's own world, before its scripts. Nothing is asked of this world; a page that undoes what is done here only
// shows less, or as one kind of Chromium shows it and not the other.
(() => {
  // Closed shadow roots cannot be opened from anywhere else, so that what they show can be read.
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    return attach.call(this, { ...options, mode: "open" });
  };

  // The whole browser shows a message in a frame that cannot be loaded, the headless shell nothing.
  if (location.href === "chrome-error://chromewebdata/") {
    const nothing = new CSSStyleSheet();
    nothing.replaceSync(
      ":root { background: none !important; color-scheme: only light !important; } :root > * { display: none !important; }"
    );
    document.adoptedStyleSheets = [nothing];
  }

  // Each dialog holds the page up until it is dismissed from outside, in the whole browser for long.
  window.alert = () => undefined;
  window.confirm = () => false;
  window.prompt = () => null;

  // Only the headless shell lets a page change the size of its window; only the whole browser has this object.
  for (const name of ["moveBy", "moveTo", "resizeBy", "resizeTo"]) window[name] = () => undefined;
  delete window.chrome;
})();
