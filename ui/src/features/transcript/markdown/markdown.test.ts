// Is an agent's markdown harmless, and does a growing text leave its finished blocks alone?

import { describe, expect, it } from 'vitest';
import { hostileMarkdown } from '../../../host/replay/hostile';
import { BlockReader, type Block } from './blocks';
import { safeHtml } from './safe_html';

const htmlOf = (text: string) =>
  new BlockReader()
    .read(text)
    .map((block) => (block.type === 'prose' ? safeHtml(block.tokens) : ''))
    .join('');

function parsed(text: string): HTMLElement {
  const root = document.createElement('div');
  root.innerHTML = htmlOf(text);
  return root;
}

describe('hostile markdown', () => {
  const root = parsed(hostileMarkdown);

  it('makes no element that could act', () => {
    const allowed = /^(P|BR|HR|H[1-6]|BLOCKQUOTE|UL|OL|LI|PRE|CODE|STRONG|EM|DEL|A|TABLE|THEAD|TBODY|TR|TH|TD|SPAN)$/;
    for (const element of root.querySelectorAll('*')) expect(element.tagName).toMatch(allowed);
  });

  it('makes no attribute but an address, a title and an alignment', () => {
    for (const element of root.querySelectorAll('*'))
      for (const attribute of element.attributes) expect(['href', 'title', 'align', 'start']).toContain(attribute.name);
  });

  it('links only to the web and to mail', () => {
    const links = [...root.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? '');
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect(link).toMatch(/^(https?:\/\/|mailto:)/);
  });

  it('shows its own HTML as words', () => {
    expect(root.textContent).toContain('<script>window.pwned = 2</script>');
  });
});

it('does not load images, and says so', () => {
  const root = parsed('![a cat](https://example.org/cat.png)');
  expect(root.querySelector('img')).toBeNull();
  expect(root.textContent?.trim()).toBe('Image, not loaded: a cat');
});

describe('a text that grows', () => {
  const text =
    '# One\n\nTwo **words** here.\n\n- a\n- b\n\n```rust\nfn main() {}\n```\n\nLast [x](https://example.org) words.\n\n| a |\n|---|\n| b |\n';

  it('comes to the same blocks as the whole text', () => {
    const reader = new BlockReader();
    for (let end = 1; end <= text.length; end += 3) reader.read(text.slice(0, end));
    const blocks = reader.read(text);
    const shown = (list: Block[]) => list.map((block) => (block.type === 'code' ? block.text : safeHtml(block.tokens)));
    expect(shown(blocks)).toEqual(shown(new BlockReader().read(text)));
  });

  it('keeps finished blocks as the same objects', () => {
    const reader = new BlockReader();
    const first = reader.read('One.\n\nTwo.\n\nThr');
    const second = reader.read('One.\n\nTwo.\n\nThree and more');
    expect(second[0]).toBe(first[0]);
    expect(second[1]).toBe(first[1]);
    expect(second[2]).not.toBe(first[2]);
  });

  it('begins anew when the text is another one', () => {
    const reader = new BlockReader();
    reader.read('One.\n\nTwo.\n\nThree.');
    expect(reader.read('Other.')).toHaveLength(1);
  });

  it('knows whether a fence is closed', () => {
    const closed = (source: string) =>
      new BlockReader().read(source).map((block) => block.type === 'code' && block.closed);
    expect(closed('```js\nlet a')).toEqual([false]);
    expect(closed('```js\nlet a\n```')).toEqual([true]);
  });
});
