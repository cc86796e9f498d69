/** What is wrong with how a page looks, as far as it can be measured, one line each. Runs in the browser. */
export function layoutFaults() {
  const LEAST_CONTRAST = 4.5; // WCAG 2.1, level AA
  const faults = [];

  // A word takes one line, or it is broken.
  const brokenWords = (element, which) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const broken = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const { 0: word, index } of text.data.matchAll(which)) {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word);
      }
    }
    return broken;
  };

  // [red, green, blue, opacity] of a computed colour.
  const parts = (colour) => {
    const [red, green, blue, opacity = 1] = colour.match(/[\d.]+/g).map(Number);
    return [red, green, blue, opacity];
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = parts(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (element) => {
    const below = background(element);
    const ink = over(parts(getComputedStyle(element).color), below);
    const [dark, light] = [luminance(ink), luminance(below)].sort((one, other) => one - other);
    return (light + 0.05) / (dark + 0.05);
  };

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth - clientWidth} pixels too wide`);

  for (const item of document.querySelectorAll('[data-test=viz-item]')) {
    const fault = (text) => faults.push(`${item.dataset.id}: ${text}`);
    // Where there is nothing to show, the renderer's own sign takes room from the title.
    const warns = item.querySelector('[data-test=status-icon-container] button');
    for (const label of warns ? [] : item.querySelectorAll('[data-test=viz-title], [data-test=viz-description]')) {
      if (label.scrollWidth > label.clientWidth + 1) fault(`"${label.innerText}" is cut off`);
    }
    for (const head of item.querySelectorAll('th')) {
      for (const word of brokenWords(head, /\S+/g)) fault(`the header's word ${word} is broken`);
    }
    // Names, such as ARNs, may be.
    for (const cell of item.querySelectorAll('td')) {
      const broken = brokenWords(cell, /(?<![^\s(])\p{Lu}?\p{Ll}{1,17}(?![^\s.,;:)])/gu);
      for (const word of broken) fault(`the word ${word} is broken`);
    }
    for (const scroll of item.querySelectorAll('[data-test=scroll-container]')) {
      if (scroll.scrollWidth > scroll.clientWidth + 1) fault(`the table is ${scroll.scrollWidth - scroll.clientWidth} pixels too wide`);
      const rests = scroll.scrollHeight > scroll.clientHeight + 1;
      if (rests && !/auto|scroll/.test(getComputedStyle(scroll).overflowY)) fault('rows are cut off, and nothing scrolls');
    }
    const texts = item.querySelectorAll('td span, th span, p, li, h2, h3, [data-test=viz-title], [data-test=majorValue]');
    const dim = new Map();
    for (const text of texts) {
      const found = text.innerText?.trim() ? contrast(text) : 21;
      if (found < LEAST_CONTRAST) dim.set(`${getComputedStyle(text).color} at ${found.toFixed(1)}`, text.innerText);
    }
    for (const [colour, text] of dim) fault(`"${text}" is hard to read: ${colour}`);
  }
  return [...new Set(faults)];
}
