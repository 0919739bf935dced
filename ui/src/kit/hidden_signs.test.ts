// Is every sign named that a reader would not see, or see as another?

import { describe, expect, it } from 'vitest';
import { doubts, stretches } from './hidden_signs';

const named = (text: string, lines = false) =>
  stretches(text, lines).flatMap((one) => (one.type === 'hidden' ? [one.name] : []));

describe('a text that is to be believed', () => {
  it('stays as it is where there is nothing to hide', () => {
    expect(stretches('npm ci --ignore-scripts')).toEqual([{ type: 'plain', text: 'npm ci --ignore-scripts' }]);
    expect(doubts([{ text: 'run = "node a.mjs"\n\tx\r\n', lines: true }])).toEqual({ hidden: false, foreign: false });
  });

  it.each([
    ['turned around', 'rm \u202e-rf', 'U+202E'],
    ['isolated', 'a\u2066b', 'U+2066'],
    ['of no width', 'no\u200bde', 'U+200B'],
    ['a joiner', 'no\u200dde', 'U+200D'],
    ['a soft hyphen', 'no\u00adde', 'U+00AD'],
    ['another space', 'a\u00a0b', 'U+00A0'],
    ['an ideographic space', 'a\u3000b', 'U+3000'],
    ['a line separator', 'a\u2028b', 'U+2028'],
    ['a filler', 'a\u3164b', 'U+3164'],
    ['an empty pattern', 'a\u2800b', 'U+2800'],
    ['a tag', 'a\u{e0041}b', 'U+E0041'],
    ['a variation', 'a\ufe0fb', 'U+FE0F'],
    ['an escape', '\u001b[2Ka', 'U+001B'],
    ['a line break in a word', 'a\nb', 'U+000A'],
    ['half of a pair', 'a\ud800b', 'U+D800'],
  ])('%s', (_, text, name) => {
    expect(named(text)).toEqual([name]);
    expect(doubts([{ text }]).hidden).toBe(true);
  });

  it('has line breaks and tabs where it has lines, and a lone return is none', () => {
    expect(named('a\n\tb\r\nc', true)).toEqual([]);
    expect(named('a\rb', true)).toEqual(['U+000D']);
  });

  it('marks letters that can look like others', () => {
    expect(stretches('nоde')).toEqual([
      { type: 'plain', text: 'n' },
      { type: 'foreign', text: 'о' },
      { type: 'plain', text: 'de' },
    ]);
    expect(doubts([{ text: 'nоde' }])).toEqual({ hidden: false, foreign: true });
  });
});
