// What the harness sees of a page and does on it. Runs in a world of its own: the page neither sees
// nor changes it. Values of fields never leave the page.
globalThis.authspec ??= (() => {
  let controls = [];
  const all = (root) =>
    [...root.querySelectorAll("*")].flatMap((e) => (e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]));
  const isShown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const isButton = (e) =>
    e.matches("button:not([type=reset]), input:is([type=submit], [type=image], [type=button]), [role=button]:not(input)");
  const isField = (e) =>
    e.matches("input:not([type=submit], [type=image], [type=button], [type=reset]), select, textarea");
  const text = (e) =>
    ((e.matches("input") ? e.value : e.innerText) || e.getAttribute("aria-label") || e.title || "").trim();
  const attribute = (e, name) => e.getAttribute(name) ?? "";
  const keep = (e) => controls.push(e) - 1;

  const field = (e) => {
    const at = keep(e);
    const kind = e.matches("input") ? e.type : e.localName;
    return {
      at,
      name: e.name || e.id || attribute(e, "aria-label") || `#${at}`,
      kind: isShown(e) || ["checkbox", "radio"].includes(kind) ? kind : "hidden",
      isShown: isShown(e),
      checked: e.checked === true,
      required: e.required === true,
      autocomplete: attribute(e, "autocomplete"),
    };
  };
  const button = (e) => ({
    at: keep(e),
    name: attribute(e, "name"),
    value: attribute(e, "value"),
    label: text(e),
    isSubmit: e.matches("button, input") && ["submit", "image"].includes(e.type),
  });
  // A form without method and address is sent by its script.
  const method = (form) =>
    form && (form.hasAttribute("method") || form.hasAttribute("action"))
      ? attribute(form, "method").toUpperCase() || "GET"
      : "POST";

  // What may change the page by itself: script, another document in it, a movement.
  const isLively = (e) =>
    e.matches("script, iframe, frame, object, embed, meta[http-equiv=refresh i]") ||
    e.getAttributeNames().some((name) => name.startsWith("on"));
  const moves = () => document.getAnimations().some((animation) => animation.playState === "running");

  const read = () => {
    controls = [];
    const groups = new Map();
    const links = [];
    for (const e of document.body ? all(document) : []) {
      if (e.matches("a[href]") && isShown(e)) links.push({ at: keep(e), href: attribute(e, "href"), text: text(e) });
      const isOne = isField(e);
      if (!isOne && !(isButton(e) && isShown(e))) continue;
      const form = e.form ?? e.closest("form");
      if (!groups.has(form)) {
        const action = form ? attribute(form, "action") : "";
        groups.set(form, { isLoose: !form, action, method: method(form), fields: [], buttons: [] });
      }
      groups.get(form)[isOne ? "fields" : "buttons"].push(isOne ? field(e) : button(e));
    }
    const forms = [...groups.values()];
    return {
      url: location.href,
      isReady: document.readyState === "complete",
      document: performance.timeOrigin,
      size: document.documentElement?.outerHTML.length ?? 0,
      isLively: moves() || all(document).some(isLively),
      forms,
      links,
    };
  };

  const select = (selector) => {
    try {
      return all(document).filter((e) => e.matches(selector));
    } catch {
      return [];
    }
  };
  const first = (found) => {
    const one = found.find(isShown);
    return one ? keep(one) : null;
  };
  const named = (name) => all(document).filter((e) => isField(e) && [e.name, e.id].includes(name));
  const labelled = (words) =>
    all(document).filter((e) => isField(e) && [...(e.labels ?? [])].some((l) => text(l) === words));
  const saying = (words) => {
    const same = (e) => text(e).toLowerCase() === words.trim().toLowerCase();
    return all(document).filter((e) => (isButton(e) || e.matches("a, label, summary, [role]")) && same(e));
  };

  const act = (at, what) => {
    const e = controls[at];
    if (!e?.isConnected || e.disabled) return false;
    what(e);
    return true;
  };
  return {
    read,
    field: (what) => first([...named(what), ...select(what), ...labelled(what)]),
    target: (what) => first([...select(what), ...saying(what), ...named(what)]),
    present: (what) => select(what).some(isShown),
    click: (at) => act(at, (e) => e.click()),
    focus: (at) => act(at, (e) => (e.focus(), e.select?.())),
    changed: (at) => act(at, (e) => e.dispatchEvent(new Event("change", { bubbles: true }))),
    // For the picture: nothing that was typed, and nothing that a page keeps in its fields.
    blank: () => all(document).filter(isField).forEach((e) => (e.value = "")),
    source: () => {
      const copy = document.documentElement.cloneNode(true);
      copy.querySelectorAll("script, style, noscript").forEach((e) => e.remove());
      copy.querySelectorAll("input, option, button").forEach((e) => e.removeAttribute("value"));
      copy.querySelectorAll("textarea").forEach((e) => e.replaceChildren());
      return copy.outerHTML;
    },
  };
})();
