'use strict';
// Filters, kept in the fragment: `#anchor?status=fail&q=code`. All else works without this.
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const bar = $('filter'), found = $('found'), search = $('search'), theme = $('theme');
  const boxes = [...bar.querySelectorAll('input[type=checkbox]')];
  const selects = [...bar.querySelectorAll('select')];
  const entries = [...document.querySelectorAll('.req')];
  const groups = [...document.querySelectorAll('section.step')];
  const lines = [...$('rows').rows];
  let texts;

  const plain = (text) => text.toLowerCase().replace(/\s+/g, ' ');
  // What is searched: the entry's own line, where the duty is written, and its scenarios' names.
  const index = () => texts ??= entries.map((entry) => {
    const link = entry.querySelector('.ref a');
    const home = link ? document.getElementById(link.hash.slice(1)) : entry;
    const parts = [...home.querySelectorAll('summary .name, .meta dd')];
    return plain([entry.querySelector('summary, .ref'), ...parts].map((part) => part.textContent).join(' '));
  });

  const split = () => {
    const hash = location.hash.slice(1), at = hash.indexOf('?');
    return at < 0 ? [hash, new URLSearchParams()] : [hash.slice(0, at), new URLSearchParams(hash.slice(at + 1))];
  };

  const state = () => {
    const all = new URLSearchParams();
    for (const box of boxes) if (box.checked) all.append('status', box.value);
    for (const select of selects) if (select.value) all.set(select.name, select.value);
    if (search.value.trim()) all.set('q', search.value.trim());
    if (root.dataset.theme) all.set('theme', root.dataset.theme);
    return all;
  };

  const keep = () => {
    const [anchor] = split(), all = String(state());
    const wanted = '#' + anchor + (all && '?' + all);
    if (wanted !== (location.hash || '#')) history.replaceState(null, '', wanted);
  };

  const apply = () => {
    const statuses = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const chosen = selects.filter((select) => select.value);
    const words = plain(search.value).split(' ').filter(Boolean);
    let count = 0;
    entries.forEach((entry, at) => {
      const data = entry.dataset;
      const shown = (!statuses.size || statuses.has(data.status))
        && chosen.every((select) => data[select.name].split('|').includes(select.value))
        && words.every((word) => index()[at].includes(word));
      entry.hidden = lines[at].hidden = !shown;
      count += shown;
    });
    for (const group of groups) group.hidden = !group.querySelector('.req:not([hidden])');
    const narrowed = statuses.size || chosen.length || words.length;
    found.textContent = narrowed ? `${count} of ${entries.length} requirements` : `${entries.length} requirements`;
  };

  const restore = (all) => {
    for (const box of boxes) box.checked = all.getAll('status').includes(box.value);
    for (const select of selects) {
      const value = all.get(select.name) ?? '';
      select.value = [...select.options].some((option) => option.value === value) ? value : '';
    }
    search.value = all.get('q') ?? '';
  };

  // What an anchor names is opened, and shown even where a filter leaves it out.
  const reveal = (anchor, scroll) => {
    const place = anchor && $(anchor);
    if (!place) return;
    const hidden = place.closest('[hidden]');
    if (hidden) { restore(new URLSearchParams()); apply(); }
    for (let at = place; at; at = at.parentElement) if (at.localName === 'details') at.open = true;
    const inner = place.firstElementChild;
    if (inner?.localName === 'details') inner.open = true;
    if (scroll || hidden) place.scrollIntoView();
  };

  const dark = () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const paint = () => { theme.textContent = dark() ? 'Light' : 'Dark'; };

  const arrive = (first) => {
    const [anchor, all] = split();
    const isState = location.hash.includes('?');
    if (first || isState) {
      if (['light', 'dark'].includes(all.get('theme'))) root.dataset.theme = all.get('theme');
      restore(all);
      apply();
    }
    reveal(anchor, isState);
    keep();
    paint();
  };

  bar.hidden = theme.hidden = false;
  bar.addEventListener('input', () => { apply(); keep(); });
  $('clear').addEventListener('click', () => { restore(new URLSearchParams()); apply(); keep(); });
  $('unfold').addEventListener('click', () => {
    for (const entry of entries) {
      const details = entry.hidden ? null : entry.querySelector('details');
      if (details) details.open = true;
    }
  });
  theme.addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; paint(); keep(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  addEventListener('hashchange', () => arrive(false));

  const copy = async (text, button) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.nextElementSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand('copy');
    }
    button.textContent = done ? 'Copied' : 'Selected';
    setTimeout(() => { button.textContent = 'Copy as curl'; }, 2000);
  };

  const equip = (command) => {
    if (command.previousElementSibling?.classList.contains('copy')) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy as curl';
    button.addEventListener('click', () => copy(command.textContent, button));
    command.before(button);
  };
  for (const command of document.querySelectorAll('.finding .hit pre.c')) equip(command);
  document.addEventListener('toggle', (event) => {
    if (!event.target.open) return;
    for (const command of event.target.querySelectorAll('pre.c')) {
      if (command.closest('details') === event.target) equip(command);
    }
  }, true);

  arrive(true);
})();
