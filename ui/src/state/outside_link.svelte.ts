// Where does a link that was pressed lead, and does the user want to go there? Words of an agent may say one place and lead to another.

import type { Host } from '../host/host';
import { keep, kept } from './kept';

const TRUSTED = 'links.trusted';

/** A link that waits for the user's word. */
export interface Asked {
  /** The whole address, as it would be opened. */
  url: string;
  /** The site or mailbox it leads to, in the form that cannot be mistaken for another: ASCII, lower case. */
  place: string;
  /** Where the place stands in the address. */
  at: number;
  /** What stood in the transcript, where that is not the address itself. */
  words: string | null;
}

/** The one link of the window that was pressed. */
export class OutsideLink {
  asked = $state.raw<Asked | null>(null);
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Opens a link of a site that the user trusts, and asks for every other. `url` must be from `openableUrl`. */
  press(url: string, words: string): void {
    const asked = askedFor(url, words);
    if (kept<string[]>(TRUSTED, []).includes(asked.place)) this.#open(url);
    else this.asked = asked;
  }

  /** Opens what was asked for; with `always`, further links to that place open without a question. */
  agree(always: boolean): void {
    if (!this.asked) return;
    const { url, place } = this.asked;
    this.asked = null;
    if (always) keep(TRUSTED, [...new Set([...kept<string[]>(TRUSTED, []), place])]);
    this.#open(url);
  }

  /** Leaves the link alone. */
  refuse(): void {
    this.asked = null;
  }

  #open(url: string): void {
    void this.#host.openUrl(url).catch(() => undefined);
  }
}

/** What the user is shown for an address that may be opened. */
export function askedFor(url: string, words: string): Asked {
  const parsed = new URL(url);
  const place = parsed.protocol === 'mailto:' ? parsed.pathname : parsed.host;
  const said = words.trim();
  const same = said === '' || said === url || `${said}/` === url || `https://${said}` === url.replace(/\/$/, '');
  return { url, place, at: startOfPlace(parsed), words: same ? null : said };
}

/** A name before an `@` may look like the place; in a parsed address that sign stands nowhere earlier. */
function startOfPlace(url: URL): number {
  if (url.protocol === 'mailto:') return url.protocol.length;
  return url.username || url.password ? url.href.indexOf('@') + 1 : url.protocol.length + '//'.length;
}
