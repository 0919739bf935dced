// Is the user shown where a link leads, and not what it says?

import { describe, expect, it } from 'vitest';
import { askedFor } from './outside_link.svelte';

describe('what is shown before a link opens', () => {
  it('names the place, not what an address pretends before an @', () => {
    const url = new URL('https://github.com@evil.example:8080/x').href;
    expect(askedFor(url, 'https://github.com')).toEqual({
      url,
      place: 'evil.example:8080',
      at: 19,
      words: 'https://github.com',
    });
  });

  it('finds the place after a name that looks like it', () => {
    expect(askedFor('https://a.example@a.example/a.example', 'x').at).toBe(18);
  });

  it('writes look-alike letters in their ASCII form', () => {
    const url = new URL('https://gіthub.com/login').href;
    expect(askedFor(url, 'github.com/login').place).toMatch(/^xn--/);
  });

  it('does not repeat words that are the address', () => {
    expect(askedFor('https://example.org/', 'https://example.org').words).toBeNull();
    expect(askedFor('https://example.org/', 'example.org').words).toBeNull();
    expect(askedFor('https://example.org/a', 'the docs').words).toBe('the docs');
  });

  it('knows a mailbox', () => {
    expect(askedFor('mailto:a@example.org?subject=x', 'write').place).toBe('a@example.org');
  });
});
