// Which agents and which machine does the replay pretend? The ones that a user would most likely have, or none at all.

import type { DoctorReport } from '../../protocol/DoctorReport';
import type { ProviderChoice } from '../../protocol/ProviderChoice';
import type { ProviderInfo } from '../../protocol/ProviderInfo';

const capabilities = {
  steer: true,
  interrupt: true,
  resume: true,
  permissions: true,
  setModel: true,
  images: true,
  mcp: true,
  partials: true,
  cost: true,
};

function provider(id: string, name: string, models: string[], needsCli: string | null): ProviderInfo {
  return {
    id,
    name,
    capabilities,
    models: models.map((model) => ({ id: model.toLowerCase().replaceAll(' ', '-'), name: model })),
    defaultModel: models[0]?.toLowerCase().replaceAll(' ', '-') ?? null,
    defaultPermissionMode: 'ask',
    needsCli,
    installHint: needsCli && `npm install -g ${id === 'claude' ? '@anthropic-ai/claude-code' : '@openai/codex'}`,
  };
}

/** The agents; without their CLIs only the demo can be started. */
export function choicesOf(found: boolean): ProviderChoice[] {
  const missing = (cli: string) => `No \`${cli}\` in the login shell's PATH or in the usual places.`;
  return [
    {
      provider: provider('claude', 'Claude Code', ['Sonnet 5', 'Opus 5', 'Haiku 5'], 'claude'),
      available: found,
      note: found ? '2.1.214 at ~/.local/bin/claude' : missing('claude'),
    },
    {
      provider: provider('codex', 'Codex', ['GPT 6 Codex'], 'codex'),
      available: false,
      note: missing('codex'),
    },
    {
      provider: provider('demo', 'Demo agent', ['Demo 1'], null),
      available: true,
      note: 'Built in: no account, no network',
    },
  ];
}

/** Doctor's report on the pretended machine. */
export function reportOf(found: boolean): DoctorReport {
  const node = {
    path: '/usr/bin/node',
    resolved: '/usr/bin/node',
    source: { type: 'loginPath' as const },
    version: '20.20.2',
    inTestedRange: true,
  };
  return {
    ok: found,
    version: '0.1.0',
    tookMs: 412,
    environment: {
      source: { type: 'loginShell', shell: '/bin/zsh', interactive: true, ageSeconds: null },
      workspace: '~/src/oars',
      tookMs: 180,
      pathEntries: [{ folder: '/usr/bin', fromLoginShell: true }],
      unreadable: [],
    },
    places: [
      { name: 'data', path: '~/.local/share/outrigger', writable: true, freeBytes: 81_000_000_000, problem: null },
      { name: 'logs', path: '~/.local/share/outrigger/logs', writable: true, freeBytes: 81_000_000_000, problem: null },
    ],
    settings: { path: '~/.config/outrigger/config.toml', exists: false, problem: null },
    runtimes: [
      { id: 'deno', chosen: false, minVersion: '2.1', found: null, candidates: [], problem: 'Not found', fix: null },
      { id: 'node', chosen: true, minVersion: '20', found: node, candidates: [], problem: null, fix: null },
    ],
    providers: choicesOf(found).map(({ provider: info, available, note }) => ({
      id: info.id,
      name: info.name,
      needsCli: info.needsCli !== null,
      usable: available,
      found: null,
      candidates: info.needsCli
        ? [
            {
              path: `/usr/local/bin/${info.needsCli}`,
              source: { type: 'knownPlace' as const },
              version: null,
              verdict: 'missing' as const,
              reason: 'Nothing is there.',
            },
          ]
        : [],
      warnings: [],
      problem: available ? null : note,
      fix: info.installHint,
    })),
    runners: [],
    manifestErrors: [],
    limits: [],
  };
}
