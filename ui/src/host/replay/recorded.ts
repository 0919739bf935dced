// What did real agents do in a small project? Sessions of real CLIs, recorded by `./dev record`, with their times moved to now.

import type { Item } from '../../protocol/Item';
import type { SessionSummary } from '../../protocol/SessionSummary';
import { minutesAgo } from './scene_parts';
import lexer from './recorded/lexer.json';
import ports from './recorded/ports.json';
import rename from './recorded/rename.json';

/** A session as it was when it was recorded. */
export interface Recorded {
  summary: SessionSummary;
  items: Item[];
}

const recordings = { lexer, ports, rename };

/** A recording of which the last item came so many minutes ago. Each call gives items of their own. */
export function recorded(name: keyof typeof recordings, minutes: number): Recorded {
  const { summary, items } = structuredClone(recordings[name]) as unknown as Recorded;
  const last = Math.max(...items.map((item) => Date.parse(item.at)));
  const later = Date.parse(minutesAgo(minutes)) - last;
  const moved = (at: string) => new Date(Date.parse(at) + later).toISOString();
  return { summary, items: items.map((item) => ({ ...item, at: moved(item.at) })) };
}
