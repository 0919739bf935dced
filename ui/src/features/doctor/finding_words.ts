// How is it said where a program was found, where it was not, and what all of it means?

import type { Candidate } from '../../protocol/Candidate';
import type { DoctorReport } from '../../protocol/DoctorReport';
import type { EnvironmentReport } from '../../protocol/EnvironmentReport';
import type { Found } from '../../protocol/Found';
import type { FoundBy } from '../../protocol/FoundBy';
import type { ProviderChoice } from '../../protocol/ProviderChoice';
import type { SandboxReport } from '../../protocol/SandboxReport';
import { plural } from '../../state/figures';

/** Runtimes as people write them. */
export const runtimeNames: Record<string, string> = { deno: 'Deno', node: 'Node', bun: 'Bun' };

/** Folders by what is in them. */
export const placeNames: Record<string, string> = {
  data: 'Everything that is kept',
  config: 'Settings',
  logs: 'Debug log',
  run: 'Sockets',
  cache: 'What can be made again',
  sessions: 'Journals of sessions',
};

/** `2.1.4 at /usr/bin/node, found in the login shell's PATH`. */
export function foundWords(found: Found): string {
  const version = found.version ?? 'Unknown version';
  return `${version} at ${found.path}, ${sourceWords(found.source)}`;
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
export function candidateLines(candidates: Candidate[]): { path: string; words: string; isChosen: boolean }[] {
  return candidates.map((candidate) => ({
    path: candidate.path,
    words: [candidate.version, sourceWords(candidate.source), candidate.reason].filter(Boolean).join(' · '),
    isChosen: candidate.verdict === 'chosen',
  }));
}

/** Where the environment of agents comes from. */
export function environmentWords(environment: EnvironmentReport): string {
  const { source } = environment;
  if (source.type === 'ownProcess') return `Outrigger's own, because ${source.reason}`;
  const age = source.ageSeconds ? `, kept from ${Math.round(source.ageSeconds / 60)} minutes ago` : '';
  return `${source.shell}${source.interactive ? ', interactive' : ''}, asked in ${environment.workspace}${age}`;
}

/** What the system has to keep a session to its scope, and what that means for one with and without a scope. */
export function sandboxWords(sandbox: SandboxReport): { badge: string; words: string } {
  const without = 'One without a scope has all rights of your user.';
  const advised = `A scope is advised only: writes outside are refused where an agent asks, and reported otherwise. ${without}`;
  switch (sandbox.type) {
    case 'landlock':
      return {
        badge: `Landlock ABI ${sandbox.abi}`,
        words: `Tried out, and it works here: the kernel holds a session with a scope to it, with all that it starts. ${without}`,
      };
    case 'missing':
      return { badge: 'None', words: `${sentence(sandbox.reason)} ${advised}` };
    case 'notLookedFor':
      return {
        badge: 'Not looked for',
        words: `Only Linux is looked at here. On macOS Seatbelt holds a session to its scope; elsewhere nothing does. Each pod says how it is held. ${without}`,
      };
  }
}

/** The answer before the details. */
export function verdictWords(
  report: DoctorReport,
  choices: ProviderChoice[],
): { tone: 'good' | 'warn' | 'bad'; title: string; more: string[] } {
  const ready = choices.filter((choice) => choice.available && choice.provider.needsCli);
  const problems = [
    ...report.places.filter((place) => !place.writable).map((place) => `${place.path} cannot be written.`),
    ...(report.settings.problem === null ? [] : ['The settings file cannot be read; the defaults are in use.']),
    ...report.manifestErrors.map((error) => `The manifest ${error.path} cannot be used.`),
  ];
  if (problems.length > 0) return { tone: 'bad', title: 'Something here is in the way', more: problems };
  if (ready.length === 0)
    return {
      tone: 'warn',
      title: 'No agent was found',
      more: ['The demo agent can be started. Install one of the agents below, or say where it is.'],
    };
  const untested = report.providers.filter((provider) => provider.found?.inTestedRange === false);
  return {
    tone: 'good',
    title: `${plural(ready.length, 'agent')} can be started`,
    more: [
      `${ready.map((choice) => choice.provider.name).join(', ')}.`,
      ...untested.map((provider) => `${provider.name} has a version that was not tested; it is used all the same.`),
    ],
  };
}

/** The same words with a capital at the beginning and a full stop. Names keep their own spelling. */
export function sentence(text: string): string {
  const words = text.trim();
  const begins = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(begins) ? begins : `${begins}.`;
}
