// Elements without a framework: h() makes one, region() redraws one when its data changed.

const SVG = 'http://www.w3.org/2000/svg';

/** h('button', {class: 'primary', onclick: f}, 'Text'): an element with attributes, listeners and children. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

/** A box that is redrawn only when the data's JSON changed, so that focus, selection and clicks survive the polling. */
export function region(draw, attributes = {}) {
  const box = h('div', attributes);
  let shown;
  box.update = (...data) => {
    const key = JSON.stringify(data);
    if (key !== shown) {
      shown = key;
      box.replaceChildren(...[draw(...data)].flat(9).filter(Boolean));
    }
    return box;
  };
  return box;
}

/** Tells something for a few seconds; errors stay longer. */
export function toast(text, bad = false) {
  const note = h('div', { class: bad ? 'notice bad' : 'notice' }, text);
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), bad ? 9000 : 4000);
}

/** Runs an action of a button; disables it meanwhile and tells of a failure. */
export function action(work) {
  return async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await work(event);
    } catch (error) {
      toast(error.message, true);
    } finally {
      button.disabled = false;
    }
  };
}

/** A modal dialog with a title; answers its content box and a way to close it. */
export function modal(title, onclose = () => {}) {
  const content = h('div');
  const dialog = h(
    'dialog',
    {
      'aria-label': title,
      onclose: () => {
        dialog.remove();
        onclose();
      },
    },
    h(
      'div',
      { class: 'row spread' },
      h('h2', {}, title),
      h('button', { class: 'quiet', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕'),
    ),
    content,
  );
  document.body.append(dialog);
  dialog.showModal();
  return { content, close: () => dialog.close() };
}
