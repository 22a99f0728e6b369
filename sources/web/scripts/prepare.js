// Runs before the page's own scripts. Closed shadow roots are opened, so that what they show can be read.
(() => {
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    return attach.call(this, { ...options, mode: "open" });
  };
})();
