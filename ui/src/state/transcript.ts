// What does the page know of a session's transcript? Items by their place (ordinal), read in pages, changed by events.
//
// A place that was never read, or was let go, is a gap: the list shows an empty row and asks for it when it is looked at.
// Items that are only streamed have no place yet; they stand after all others, in the order in which they began.
// This module knows neither the host nor the screen.

import type { Item } from '../protocol/Item';
import type { ItemPage } from '../protocol/ItemPage';
import type { SessionEvent } from '../protocol/SessionEvent';

/** What a batch of events did, for whoever draws or announces it. */
export interface Change {
  /** Items that were not there before, oldest first. */
  added: Item[];
  /** Items that took the place of a streamed one: its id and the item that stands for it now. */
  replaced: { live: string; item: Item }[];
}

/** A stretch of places that are gaps. */
export interface Gap {
  from: number;
  limit: number;
}

/** What stands nested below a tool call, as far as it has been read. */
export interface Nested {
  count: number;
  latest: Item;
}

/** The transcript of one session, as far as the page holds it. */
export class Transcript {
  #total = 0;
  #items = new Map<number, Item>();
  #places = new Map<string, number>();
  #live: Item[] = [];
  /** What is only streamed moves on when an item comes before it, and then has a place: these stay. By id, and by place. */
  #liveKeys = new Map<string, string>();
  #keys = new Map<number, string>();
  #keysGiven = 0;
  #nested = new Map<string, { ids: Set<string>; latest: Item }>();
  #calls = new Map<string, string | null>();
  #newest = { seq: 0, place: -1 };
  /** The newest plan of each agent: of the session's own under no name, of a sub-agent under its call. */
  #plans = new Map<string, Item>();
  #lastSeq = 0;

  /** Rows: every place, then what is only streamed. */
  get length(): number {
    return this.#total + this.#live.length;
  }

  /** Places, without what is only streamed. */
  get total(): number {
    return this.#total;
  }

  /** Whether a newer plan of the same agent took the place of this one, as far as has been read. */
  isReplaced(plan: Item): boolean {
    const newest = this.#plans.get(plan.parent ?? '');
    return newest !== undefined && newest.id !== plan.id && newest.seq > plan.seq;
  }

  /** The newest record that is reflected: the feed goes on from here. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How many items are held in memory. */
  get held(): number {
    return this.#items.size + this.#live.length;
  }

  /** The item of a row, or undefined for a gap. */
  at(index: number): Item | undefined {
    return index < this.#total ? this.#items.get(index) : this.#live[index - this.#total];
  }

  /** By what each row that there is now is known: the same as long as it shows the same, streamed or finished, wherever it stands. */
  keys(): (index: number) => string | number {
    const total = this.#total;
    const live = this.#live.map((item) => this.#liveKeys.get(item.id));
    return (index) => (index < total ? this.#keys.get(index) : live[index - total]) ?? index;
  }

  /** The row of an item that is held, or -1. */
  indexOf(id: string): number {
    const place = this.#places.get(id);
    if (place !== undefined) return place;
    const live = this.#live.findIndex((item) => item.id === id);
    return live < 0 ? -1 : this.#total + live;
  }

  /** What was read of a sub-agent's work under this tool call. */
  nestedUnder(toolCallId: string): Nested | undefined {
    const nested = this.#nested.get(toolCallId);
    return nested && { count: nested.ids.size, latest: nested.latest };
  }

  /** The tool calls above an item, nearest first, as far as they are held. */
  ancestors(item: Item): string[] {
    const chain: string[] = [];
    let parent = item.parent ?? null;
    while (parent !== null && this.#calls.has(parent) && !chain.includes(parent)) {
      chain.push(parent);
      parent = this.#calls.get(parent) ?? null;
    }
    return chain;
  }

  /** Every item that is held, in order. */
  *heldItems(): Generator<Item> {
    for (let index = 0; index < this.length; index++) {
      const item = this.at(index);
      if (item) yield item;
    }
  }

  /** Takes a page in. Items that are newer than the page are kept as they are. */
  load(page: ItemPage): void {
    this.#total = Math.max(this.#total, page.total);
    page.items.forEach((item, offset) => {
      const place = page.before + offset;
      const known = this.#items.get(place);
      if (!known || known.lastSeq <= item.lastSeq) this.#put(place, item);
    });
    if (page.lastSeq > this.#lastSeq && page.before + page.items.length === this.#total) this.#lastSeq = page.lastSeq;
  }

  /** Forgets what is only streamed: a feed that begins sends it again with its text so far. */
  dropLive(): void {
    for (const item of this.#live) this.#forget(item);
    this.#live = [];
    this.#liveKeys.clear();
  }

  /** Folds events in, in order. */
  apply(events: SessionEvent[]): Change {
    const change: Change = { added: [], replaced: [] };
    for (const event of events) {
      switch (event.type) {
        case 'item':
          this.#applyItem(event.item, event.replaces ?? null, change);
          break;
        case 'append':
          this.#append(event.id, event.text);
          break;
        case 'remove':
          this.#removeLive(event.id);
          break;
        case 'caughtUp':
          this.#lastSeq = Math.max(this.#lastSeq, event.seq);
          break;
        case 'status':
        case 'record':
          break;
      }
    }
    return change;
  }

  /** The gaps between two rows, grown to whole pages of `pageSize` so that scrolling asks seldom. */
  gaps(from: number, to: number, pageSize: number): Gap[] {
    const found: Gap[] = [];
    const first = Math.floor(Math.max(0, from) / pageSize) * pageSize;
    for (let start = first; start < Math.min(to, this.#total); start += pageSize) {
      const end = Math.min(start + pageSize, this.#total);
      for (let place = start; place < end; place++) {
        if (this.#items.has(place)) continue;
        found.push({ from: start, limit: end - start });
        break;
      }
    }
    return found;
  }

  /** Lets go of the items farthest from the rows in view when more than `most` are held. */
  evict(from: number, to: number, most: number): void {
    if (this.#items.size <= most) return;
    const middle = (from + to) / 2;
    const places = [...this.#items.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const place of places.slice(0, this.#items.size - Math.floor(most * 0.75))) {
      const item = this.#items.get(place);
      if (!item || (place >= from && place <= to) || place >= this.#total - 50) continue;
      this.#items.delete(place);
      this.#keys.delete(place);
      this.#forget(item);
    }
  }

  #applyItem(item: Item, replaces: string | null, change: Change): void {
    this.#lastSeq = Math.max(this.#lastSeq, item.lastSeq);
    const key = this.#liveKeys.get(replaces ?? '');
    if (replaces !== null && this.#removeLive(replaces)) change.replaced.push({ live: replaces, item });
    if (isLive(item)) {
      const at = this.#live.findIndex((other) => other.id === item.id);
      if (at >= 0) this.#live[at] = item;
      else {
        this.#live.push(item);
        // Not its id, which a later one may have again.
        this.#liveKeys.set(item.id, `streamed-${++this.#keysGiven}`);
        change.added.push(item);
      }
      this.#remember(item);
      return;
    }
    const place = this.#places.get(item.id);
    if (place !== undefined) this.#put(place, item);
    else if (this.#isNewer(item)) {
      this.#total += 1;
      this.#put(this.#total - 1, item);
      if (key !== undefined) this.#keys.set(this.#total - 1, key);
      if (!change.replaced.some((replaced) => replaced.item === item)) change.added.push(item);
    }
    // Otherwise it is an older item that is not held; it is read anew when somebody scrolls there.
  }

  #isNewer(item: Item): boolean {
    const newest = this.#newest;
    return item.seq > newest.seq || (item.seq === newest.seq && placeInRecord(item) > newest.place);
  }

  #put(place: number, item: Item): void {
    this.#items.set(place, item);
    this.#places.set(item.id, place);
    this.#remember(item);
    if (this.#isNewer(item)) this.#newest = { seq: item.seq, place: placeInRecord(item) };
  }

  #remember(item: Item): void {
    if (item.body.type === 'toolCall') this.#calls.set(item.body.toolCallId, item.parent ?? null);
    if (item.body.type === 'plan' && item.seq >= (this.#plans.get(item.parent ?? '')?.seq ?? 0))
      this.#plans.set(item.parent ?? '', item);
    if (item.parent == null) return;
    const nested = this.#nested.get(item.parent);
    if (!nested) this.#nested.set(item.parent, { ids: new Set([item.id]), latest: item });
    else {
      nested.ids.add(item.id);
      if (isLive(item) || item.seq >= nested.latest.seq) nested.latest = item;
    }
  }

  #forget(item: Item): void {
    this.#places.delete(item.id);
    if (item.body.type === 'toolCall') this.#calls.delete(item.body.toolCallId);
    if (item.parent != null) this.#nested.get(item.parent)?.ids.delete(item.id);
  }

  #removeLive(id: string): boolean {
    const at = this.#live.findIndex((item) => item.id === id);
    const item = this.#live[at];
    if (!item) return false;
    this.#forget(item);
    this.#live.splice(at, 1);
    this.#liveKeys.delete(id);
    return true;
  }

  #append(id: string, text: string): void {
    const place = this.#places.get(id);
    if (place !== undefined) {
      const item = this.#items.get(place);
      if (item) this.#items.set(place, withText(item, text));
      return;
    }
    const at = this.#live.findIndex((item) => item.id === id);
    const item = this.#live[at];
    if (item) this.#live[at] = withText(item, text);
  }
}

/** Whether an item is only streamed and stands in no record yet. */
export function isLive(item: Item): boolean {
  return item.seq === 0;
}

/** The second half of a durable id (`17.0`): items of one record are in this order. */
function placeInRecord(item: Item): number {
  const place = Number(item.id.slice(item.id.lastIndexOf('.') + 1));
  return Number.isFinite(place) ? place : 0;
}

/** The same item with more text. A new object, so that whoever draws it sees that it changed. */
function withText(item: Item, text: string): Item {
  const { body } = item;
  if (body.type === 'agentMessage' || body.type === 'thought')
    return { ...item, body: { ...body, text: body.text + text } };
  if (body.type !== 'toolCall') return item;
  const last = body.content.at(-1);
  const content =
    last?.type === 'text'
      ? [...body.content.slice(0, -1), { ...last, text: last.text + text }]
      : [...body.content, { type: 'text' as const, text }];
  return { ...item, body: { ...body, content } };
}
