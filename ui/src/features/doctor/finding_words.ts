// How is it said where a program was found, and where it was not?

import type { Candidate } from '../../protocol/Candidate';
import type { EnvironmentReport } from '../../protocol/EnvironmentReport';
import type { Found } from '../../protocol/Found';
import type { FoundBy } from '../../protocol/FoundBy';

/** `2.1.4 at /usr/bin/node, found in the login shell's PATH`. */
export function foundWords(found: Found): string {
  const version = found.version ?? 'unknown version';
  const untested = found.inTestedRange === false ? ' · outside the tested versions' : '';
  return `${version} at ${found.path}, ${sourceWords(found.source)}${untested}`;
}

/** How a program was found. */
export function sourceWords(source: FoundBy): string {
  switch (source.type) {
    case 'variable':
      return `named by ${source.name}`;
    case 'settings':
      return 'named in the settings';
    case 'loginPath':
      return "in the login shell's PATH";
    case 'ownPath':
      return "in Outrigger's own PATH";
    case 'knownPlace':
      return 'in a known place';
    case 'tool':
      return `from ${source.name}`;
  }
}

/** The places that were looked at. */
export function candidateLines(candidates: Candidate[]): { path: string; words: string }[] {
  return candidates.map((candidate) => ({
    path: candidate.path,
    words: [sourceWords(candidate.source), candidate.reason].filter((word) => word !== '').join(' · '),
  }));
}

/** Where the environment of agents comes from. */
export function environmentWords(environment: EnvironmentReport): string {
  const { source } = environment;
  const folders = `${environment.pathEntries.length} folders in PATH`;
  if (source.type === 'ownProcess') return `Outrigger's own, because ${source.reason} · ${folders}`;
  return `From the login shell ${source.shell}${source.interactive ? ' (interactive)' : ''} · ${folders}`;
}
