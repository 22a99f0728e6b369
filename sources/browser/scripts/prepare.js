// Runs in the page's own world, before its scripts: the one place where closed shadow roots can be opened, so that what they
// show can be read. Nothing is asked of this world; a page that undoes this hides only its own shadow trees.
(() => {
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    return attach.call(this, { ...options, mode: "open" });
  };
})();
