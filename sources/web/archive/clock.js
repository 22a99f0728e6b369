// What a page in an archive sees of its time: it is the archive's, so that the page is the same in every run.
((moment) => {
  const Real = Date;
  const begin = moment - performance.now();
  const now = () => Math.floor(begin + performance.now());
  Date = new Proxy(Real, {
    construct: (target, values, own) => Reflect.construct(target, values.length ? values : [now()], own),
    apply: () => new Real(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  Real.prototype.constructor = Date;
  let state = 1;
  Math.random = () => {  // Park and Miller's minimal standard generator
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
})
