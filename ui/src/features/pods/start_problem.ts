// At which field does it stand why a pod cannot start?

import type { WireError } from '../../protocol/WireError';

export type Field = 'name' | 'task' | 'scope' | 'budget' | 'agent';

/** The field that a refusal is about, or null when it is about none of them. */
export function fieldOf({ code, message }: WireError): Field | null {
  switch (code) {
    case 'budgetUsed':
      return 'budget';
    case 'scopeRefused':
      return 'scope';
    case 'unknownProvider':
    case 'cliUnavailable':
    case 'runtimeUnavailable':
      return 'agent';
    case 'badRequest':
      if (message.includes('there is a pod named')) return 'name';
      if (message.includes('this very task')) return 'task';
      return /\b(scope|path)\b/.test(message) ? 'scope' : null;
    case 'badManifest':
    case 'runnerFailed':
    case 'badWorkingDirectory':
    case 'dataFolder':
    case 'noSuchSession':
    case 'sessionEnded':
    case 'alreadyHosted':
    case 'alreadyRunning':
    case 'notPending':
    case 'notSupported':
    case 'notAuthorised':
    case 'unreachable':
    case 'agentFailed':
    case 'internal':
      return null;
  }
}
