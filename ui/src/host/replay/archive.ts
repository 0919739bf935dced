// What does the replayed archive find and sum up? The scene's own words, and a pretended past of other folders.
//
// `?archive=building` has not read everything yet, `?archive=broken` cannot be used, `?archive=empty` has no past.

import type { ArchiveState } from '../../protocol/ArchiveState';
import type { Item } from '../../protocol/Item';
import type { SearchAnswer } from '../../protocol/SearchAnswer';
import type { SearchHit } from '../../protocol/SearchHit';
import type { SearchKind } from '../../protocol/SearchKind';
import type { SearchRequest } from '../../protocol/SearchRequest';
import type { SnippetPart } from '../../protocol/SnippetPart';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { WireError } from '../../protocol/WireError';
import { ansiRuns } from '../../features/transcript/tool/ansi_runs';
import { wordsOf } from '../item_words';
import { pastHits } from './past';

/** Characters around the first hit of a snippet. */
const AROUND = 70;

export interface Searched {
  summary: SessionSummary;
  items: Item[];
}

/** How far the replayed archive has come. */
export function archiveState(query: URLSearchParams): ArchiveState {
  return query.get('archive') === 'building'
    ? { sessionsBehind: 214, bytesBehind: 1_830_000_000, fedElsewhere: false }
    : { sessionsBehind: 0, bytesBehind: 0, fedElsewhere: false };
}

/** Throws where the archive is broken. */
export function soundArchive(query: URLSearchParams): void {
  if (query.get('archive') !== 'broken') return;
  const error: WireError = {
    code: 'dataFolder',
    message:
      'failed to open ~/.local/share/outrigger/archive.sqlite3: permission denied; make it writable for your user, or free space on its disk',
  };
  throw error;
}

/** The hits in these sessions and in the past, the newest first. */
export function searchIn(sessions: Searched[], request: SearchRequest, query: URLSearchParams): SearchAnswer {
  soundArchive(query);
  const wanted = partsOf(request.text);
  const past = query.get('archive') === 'empty' ? [] : pastHits();
  const all = [...sessions.flatMap(({ summary, items }) => items.flatMap((item) => candidate(summary, item))), ...past];
  const hits = all
    .filter(({ hit, text }) => fits(hit, request) && wanted.length > 0 && wanted.every((part) => part.test(text)))
    .map(({ hit, text }) => ({ ...hit, snippet: snippetOf(text, wanted) }))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  const limit = request.limit || 20;
  return { hits: hits.slice(0, limit), more: hits.length > limit, state: archiveState(query) };
}

function candidate(summary: SessionSummary, item: Item): { hit: SearchHit; text: string }[] {
  const kind = kindOf(item);
  if (kind === null) return [];
  const { session, title, provider, workspace } = summary;
  const hit = { session, title, provider, workspace, seq: item.seq, item: item.id, kind, at: item.at, snippet: [] };
  // As the archive does it: what is to be found are words, not colours.
  const plain = (text: string) =>
    ansiRuns(text)
      .map((run) => run.text)
      .join('');
  return [{ hit, text: wordsOf(item).map(plain).join('\n') }];
}

function kindOf({ body }: Item): SearchKind | null {
  switch (body.type) {
    case 'userMessage':
      return 'prompt';
    case 'agentMessage':
      return 'message';
    case 'thought':
    case 'toolCall':
    case 'error':
      return body.type;
    case 'plan':
    case 'pod':
    case 'permission':
    case 'opened':
    case 'turnEnd':
    case 'notice':
    case 'ended':
    case 'unknown':
      return null;
  }
}

function fits(hit: SearchHit, { provider, workspace, since, kinds = [] }: SearchRequest): boolean {
  return (
    (provider === undefined || hit.provider === provider) &&
    (workspace === undefined || hit.workspace === workspace || hit.workspace.startsWith(`${workspace}/`)) &&
    (since === undefined || Date.parse(hit.at) >= Date.parse(since)) &&
    (kinds.length === 0 || kinds.includes(hit.kind))
  );
}

/** Words and phrases; the last word may be a beginning. */
function partsOf(text: string): RegExp[] {
  const parts = [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)];
  return parts.flatMap((match, at) => {
    const words = (match[1] ?? match[0]).trim();
    if (!/[\p{L}\p{N}]/u.test(words)) return [];
    const isOpen = at === parts.length - 1 && match[1] === undefined;
    const escaped = words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return [new RegExp(`(?<![\\p{L}\\p{N}])${escaped}${isOpen ? '' : '(?![\\p{L}\\p{N}])'}`, 'iu')];
  });
}

function snippetOf(text: string, wanted: RegExp[]): SnippetPart[] {
  const first = Math.min(...wanted.map((part) => text.search(part)));
  const from = Math.max(0, first - AROUND);
  const cut = `${from > 0 ? '…' : ''}${text.slice(from, first + 2 * AROUND)}${text.length > first + 2 * AROUND ? '…' : ''}`;
  const marks = new RegExp(wanted.map((part) => part.source).join('|'), 'giu');
  const parts: SnippetPart[] = [];
  let at = 0;
  for (const match of cut.matchAll(marks)) {
    parts.push({ text: cut.slice(at, match.index), hit: false }, { text: match[0], hit: true });
    at = match.index + match[0].length;
  }
  parts.push({ text: cut.slice(at), hit: false });
  return parts.filter((part) => part.text !== '');
}
