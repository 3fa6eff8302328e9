// The little of Markdown that models write most: code blocks, code, bold, headings, lists. Text only ever becomes text nodes.

import { h } from './dom.js';

const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/;

function inline(text) {
  return text.split(INLINE).map((piece) => {
    if (piece.startsWith('`') && piece.length > 2) return h('code', {}, piece.slice(1, -1));
    if (piece.startsWith('**') && piece.length > 4) return h('b', {}, piece.slice(2, -2));
    return piece;
  });
}

function block(text) {
  const heading = /^#{1,6} (.*)$/.exec(text);
  if (heading) return h('p', {}, h('b', {}, inline(heading[1])));
  return h('p', {}, inline(text));
}

export function markdown(text) {
  return text.split(/(```[^\n]*\n[\s\S]*?(?:\n```|$))/).flatMap((part) => {
    if (part.startsWith('```'))
      return [h('pre', {}, h('code', {}, part.replace(/^```[^\n]*\n/, '').replace(/\n```$/, '')))];
    return part
      .split(/\n{2,}/)
      .map((t) => t.trim())
      .filter(Boolean)
      .map(block);
  });
}
