// How does an agent's markdown become HTML that can do nothing? Its own HTML is shown as text, images are not loaded,
// links carry only addresses that may be opened, and a short list of elements passes the last gate.

import DOMPurify from 'dompurify';
import { Marked, type Token } from 'marked';
import { openableUrl } from '../../../host/host';

const ELEMENTS = [
  ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'ul', 'ol', 'li', 'pre', 'code'],
  ...['strong', 'em', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span'],
];

const escaped: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replace(/[&<>"']/g, (sign) => escaped[sign] ?? sign);

/** A link that shows where it leads; anything but http, https and mailto stays words. */
function link(href: string, words: string): string {
  const url = openableUrl(href);
  return url === null ? words : `<a href="${escape(url)}" title="${escape(url)}">${words}</a>`;
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ href, text }) => {
      const words = `<span>Image, not loaded: ${escape(text || href)}</span>`;
      return link(href, words);
    },
    link({ href, tokens }) {
      return link(href, this.parser.parseInline(tokens));
    },
    // A checkbox is a form element; its sign says the same.
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

/** The HTML of parsed blocks. */
export function safeHtml(tokens: Token[]): string {
  return DOMPurify.sanitize(marked.parser(tokens), {
    ALLOWED_TAGS: ELEMENTS,
    ALLOWED_ATTR: ['href', 'title', 'start', 'align'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}
