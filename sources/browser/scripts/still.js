// Ends all animations, in a page whose scripts and timeline stand still: those that end at their end, others at their
// beginning. Media are paused, the caret is hidden, and the page is at its top.
() => {
  const own = (name) => {
    const { get, value } = Object.getOwnPropertyDescriptor(Document.prototype, name);
    return get ? get.call(document) : (...given) => value.apply(document, given);
  };
  const stop = (root, all) => {
    const animations = root.getAnimations?.() ?? [];
    for (const animation of animations) {
      try {
        if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
        else animation.cancel();
      } catch { /* it cannot be ended: its effect has no end to jump to */ }
    }
    let number = animations.length;
    for (const element of all) {
      if (element.shadowRoot) number += stop(element.shadowRoot, element.shadowRoot.querySelectorAll("*"));
      if (element instanceof SVGSVGElement) element.pauseAnimations();
      if (element instanceof HTMLMediaElement) element.pause();
    }
    return number;
  };
  const documentItself = { getAnimations: own("getAnimations") };
  if (stop(documentItself, own("querySelectorAll")("*"))) { // where something moved, something else may begin to; a rule for all elements costs a new layout
    const still = own("createElement")("style");
    still.textContent = "*, *::before, *::after { transition: none !important; }";
    own("documentElement").append(still);
  }
  let focused = own("activeElement");
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (focused && focused !== own("body")) focused.style?.setProperty("caret-color", "transparent", "important");
  scrollTo({ top: 0, left: 0, behavior: "instant" });
}
