// Is an agent's markdown harmless, and does a growing text leave its finished blocks alone?

import { Lexer, type Tokens } from 'marked';
import { describe, expect, it } from 'vitest';
import { hostileMarkdown } from '../../../host/replay/hostile';
import { BlockReader, blocksOf, LONGEST_OPEN, type Block } from './blocks';

const htmlOf = (text: string) =>
  new BlockReader()
    .read(text)
    .map((block) => (block.type === 'prose' ? block.html() : ''))
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
    const shown = (list: Block[]) => list.map((block) => (block.type === 'prose' ? block.html() : block));
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

  it('shows a paragraph without an end as it came, and as markdown once it has one', () => {
    const reader = new BlockReader();
    const long = `**${'word '.repeat(LONGEST_OPEN / 4)}`;
    expect(reader.read(`One.\n\n${long}`, true).map(({ type }) => type)).toEqual(['prose', 'plain']);
    expect(reader.read(`One.\n\n${long} more`, true)[1]).toEqual({ type: 'plain', raw: `${long} more` });
    const ended = reader.read(`One.\n\n${long} more**\n\nTwo`, true);
    expect(ended.map(({ type }) => type)).toEqual(['prose', 'prose', 'prose']);
    expect(ended[1]?.type === 'prose' && ended[1].html()).toMatch(/^<p><strong>word/);
    expect(new BlockReader().read(long, false)[0]?.type).toBe('prose');
  });

  it('keeps headings that are a line under words', () => {
    const kinds = ['A\n===\nB', 'A\nB\n---', 'A\n\nB\n ==', 'A\n=b', 'A'].map((source) => htmlOf(source));
    expect(kinds.map((html) => html.match(/<h\d/)?.[0] ?? '')).toEqual(['<h1', '<h2', '<h1', '', '']);
  });

  it('knows a finished text again', () => {
    expect(blocksOf('One.\n\nTwo.')).toBe(blocksOf('One.\n\nTwo.'));
  });

  it('knows whether a fence is closed', () => {
    const closed = (source: string) =>
      new BlockReader().read(source).map((block) => block.type === 'code' && block.closed);
    expect(closed('```js\nlet a')).toEqual([false]);
    expect(closed('```js\nlet a\n```')).toEqual([true]);
  });
});

describe('words with an @', () => {
  const texts = [
    'word @1732270000000@ word @1732270000001@ word',
    'Write to someone@example.org, or a.b+c@example.co.uk. Not to me@localhost@.',
    'actions/checkout@v4 and @scope/pkg@1.2.3 *and some@where.net* or _1@2_ `3@4`',
    'See www.example.org, https://example.org/@me?a=b, mailto:a@example.org, HTTP://EXAMPLE.org and xhttp://a.example@b.',
    'a@www.example.org (b@c.d) <e@f.gh> x_y@z.org ~g@h~ **i@j.kl**',
  ];

  it.each(texts)('are read as Marked reads them: %s', (text) => {
    const link = ({ href, text }: Tokens.Link) => `${text}>${new URL(href).href}`;
    const links = new Lexer({ gfm: true })
      .lex(text)
      .flatMap((token) => ('tokens' in token ? inside(token.tokens ?? []) : []));
    const shown = [...parsed(text).querySelectorAll('a')].map((a) => `${a.textContent}>${a.getAttribute('href')}`);
    expect(shown).toEqual(links.filter((token) => token.type === 'link').map((token) => link(token as Tokens.Link)));
    const plain = parsed(text).textContent.trim();
    expect(plain).toBe(text.replace(/[*`<>~]|_(?=1)|(?<=2)_/g, ''));
  });
});

/** All tokens below. */
function inside(tokens: Tokens.Generic[]): Tokens.Generic[] {
  return tokens.flatMap((token) => [token, ...(token.type === 'link' ? [] : inside(token.tokens ?? []))]);
}
