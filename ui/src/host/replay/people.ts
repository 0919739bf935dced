// Which agents does the replay pretend? The ones that a user would most likely have, or none at all.

import type { AgentOffers } from '../../protocol/AgentOffers';
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

const installs: Record<string, string> = {
  claude: 'curl -fsSL https://claude.ai/install.sh | bash',
  'claude-acp': 'npm install -g @agentclientprotocol/claude-agent-acp',
  codex: 'npm install -g @openai/codex',
  'codex-acp': 'npm install -g @agentclientprotocol/codex-acp',
  gemini: 'npm install -g @google/gemini-cli',
  opencode: 'npm install -g opencode-ai',
  qwen: 'npm install -g @qwen-code/qwen-code',
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
    installHint: installs[id] ?? null,
  };
}

/** Id, name, models, program, and the version that is found where any is. */
export const agents: [id: string, name: string, models: string[], cli: string | null, version: string | null][] = [
  ['claude', 'Claude Code', ['Sonnet 5', 'Opus 5', 'Haiku 5'], 'claude', '2.1.214'],
  ['opencode', 'OpenCode', [], 'opencode', '1.18.2'],
  ['demo', 'Demo agent', ['Demo 1'], null, ''],
  ['claude-acp', 'Claude Agent (ACP)', [], 'claude-agent-acp', null],
  ['codex', 'Codex', ['GPT 6 Codex'], 'codex', null],
  ['codex-acp', 'Codex (ACP)', [], 'codex-acp', null],
  ['gemini', 'Gemini CLI', [], 'gemini', null],
  ['qwen', 'Qwen Code', [], 'qwen', null],
];

const noRuntime = 'no JavaScript runtime was found that is new enough: deno 2.0, node 18.17 or bun 1.1';

/** The agents; without their CLIs only the demo can be started, and without a runtime nothing. */
export function choicesOf(found: boolean, runtime = true): ProviderChoice[] {
  const all = agents.map(([id, name, models, cli, version]): ProviderChoice => {
    const available = runtime && (cli === null || (found && version !== null));
    const missing = cli === null ? noRuntime : `\`${cli}\` was not found in any of 23 places.`;
    const note =
      cli === null && runtime
        ? 'built in: no account, no network'
        : available
          ? `~/.local/bin/${cli ?? ''} (${version ?? ''})`
          : missing;
    return { provider: provider(id, name, models, cli), available, note };
  });
  return all.sort((a, b) => Number(b.available) - Number(a.available));
}

/** What an agent offers once it runs: commands of its own, and models with how hard they may think. */
export function offersOf(id: string): AgentOffers {
  if (id !== 'claude') return { commands: [], models: [] };
  const command = (name: string, description: string, hint: string | null = null) => ({ name, description, hint });
  return {
    commands: [
      command('compact', 'Summarise the conversation and go on with the summary', '[what to keep]'),
      command('context', 'What the context is filled with'),
      command('init', 'Write a CLAUDE.md for this folder'),
      command('review', 'Review a pull request', '[number]'),
      command('security-review', 'Look for weaknesses in the changes of this branch'),
    ],
    models: [
      { id: 'sonnet-5', name: 'Sonnet 5', description: 'For everyday work', efforts: ['low', 'medium', 'high'] },
      { id: 'opus-5', name: 'Opus 5', description: 'For hard problems', efforts: ['low', 'medium', 'high'] },
      { id: 'haiku-5', name: 'Haiku 5', description: 'For quick answers', efforts: null },
    ],
  };
}
