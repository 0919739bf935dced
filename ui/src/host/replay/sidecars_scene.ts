// Which sidecars are pretended? One in each state and with each question, many at once, and one whose words want to deceive.

import type { ImportedServer } from '../../protocol/ImportedServer';
import type { SidecarImports } from '../../protocol/SidecarImports';
import type { SidecarLogLine } from '../../protocol/SidecarLogLine';
import type { SidecarView } from '../../protocol/SidecarView';
import type { ToolDefinition } from '../../protocol/ToolDefinition';
import type { TrustQuestion } from '../../protocol/TrustQuestion';

const WORKSPACE = '~/src/oars/.outrigger/sidecars';
const OWN = '~/.config/outrigger/sidecars';

/** A sidecar that may run and does not yet. */
export function sidecar(name: string, more: Partial<SidecarView> = {}, root = WORKSPACE): SidecarView {
  return {
    name,
    description: '',
    folder: `${root}/${name}`,
    share: 'workspace',
    trust: { type: root === OWN ? 'own' : 'trusted' },
    state: { type: 'idle' },
    tools: [],
    refusedTools: [],
    rss: 0,
    cpuMs: 0,
    calls: 0,
    users: [],
    ...more,
  };
}

function tool(
  name: string,
  description: string,
  properties: Record<string, unknown>,
  more: Partial<ToolDefinition> = {},
) {
  const inputSchema = { type: 'object', properties, ...(more.inputSchema ?? {}) };
  return { name, description, readOnly: false, ...more, inputSchema };
}

const database: ToolDefinition[] = [
  tool(
    'query',
    'Asks the staging database and returns its rows.\nOnly SELECT is let through; everything else is refused by the role that it connects with.',
    {
      sql: { type: 'string', description: 'One statement' },
      limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50, description: 'Rows at most' },
      format: { enum: ['table', 'csv', 'json'], default: 'table' },
      explain: { type: 'boolean', description: 'Tell the plan as well' },
      parameters: { type: 'array', items: {}, description: 'Values for $1, $2, …' },
    },
    { readOnly: true, inputSchema: { required: ['sql'] } },
  ),
  tool('tables', 'Lists the tables and their sizes.', {}, { readOnly: true }),
  tool(
    'describe',
    'Columns, keys and indexes of a table.',
    { table: { type: 'string' } },
    { readOnly: true, inputSchema: { required: ['table'] } },
  ),
  tool('explain', 'The plan of a statement.', { sql: { type: 'string' } }, { readOnly: true }),
  tool('export', 'Writes the rows of a statement into a file.', { sql: { type: 'string' }, path: { type: 'string' } }),
  tool('backup', 'Makes a copy of the staging database. Takes minutes, and tells how far it is.', {}),
  {
    name: 'refresh',
    description: 'Loads the newest anonymised copy of production.',
    inputSchema: { type: 'object' },
    readOnly: false,
  },
];

/** What a pretended sidecar offers once it runs. */
export function toolsOf(name: string): ToolDefinition[] {
  return name === 'staging-db' ? database : database.slice(1, 4);
}

const manifest = `description = "Cuts a release: version, changelog, tag, packages"
build = ["npm ci --ignore-scripts", "npm run build"]
run = ["node", "dist/server.mjs", "--notes", "Release notes of \${workspace}"]
share = "workspace"

[env]
pass = ["SSH_AUTH_SOCK", "GPG_TTY"]
secret = { NPM_TOKEN = "keyring:npm" }
`;

const release: TrustQuestion = {
  name: 'release',
  folder: `${WORKSPACE}/release`,
  build: [
    ['npm', 'ci', '--ignore-scripts'],
    ['npm', 'run', 'build'],
  ],
  run: ['node', 'dist/server.mjs', '--notes', 'Release notes of ${workspace}'],
  passes: ['SSH_AUTH_SOCK', 'GPG_TTY'],
  secrets: ['NPM_TOKEN from keyring:npm'],
  manifest,
  hash: 'h-release',
};

const docs: TrustQuestion = {
  ...release,
  name: 'docs-search',
  folder: `${WORKSPACE}/docs-search`,
  build: [['uv', 'sync']],
  run: ['uv', 'run', 'serve.py', '--listen', '0.0.0.0'],
  passes: [],
  secrets: [],
  manifest: 'build = "uv sync"\nrun = "uv run serve.py --listen 0.0.0.0"\n',
  hash: 'h-docs',
};

const buildFailure = {
  at: 'build' as const,
  message:
    'The build step `cargo build --release` ended with exit code 101. Mend it; a change in the folder builds it anew.',
  output: [
    '   Compiling oars-lint v0.3.1',
    '\u001b[1m\u001b[31merror[E0433]\u001b[0m: failed to resolve: use of undeclared type `Rule`',
    '  --> src/rules.rs:41:18',
    '   |',
    '41 |     let all = Rule::all();',
    '   |               ^^^^ use of undeclared type `Rule`',
    'error: could not compile `oars-lint` (bin "oars-lint") due to 1 previous error',
  ],
};

function one(): SidecarView[] {
  return [
    sidecar('docs-search', {
      description: 'Searches the documentation by meaning',
      trust: { type: 'needed', changed: true, question: docs },
      state: { type: 'connected', tools: 3 },
      tools: toolsOf('docs-search'),
      pid: 4188,
      rss: 96_400_000,
      cpuMs: 12_300,
      users: ['b-port'],
    }),
    sidecar('lint', {
      description: 'Our own lints, on one file or all',
      state: { type: 'failed', failure: buildFailure, again: { type: 'after', ms: 8000, attempt: 4 } },
    }),
    sidecar('release', {
      description: 'Cuts a release: version, changelog, tag, packages',
      trust: { type: 'needed', changed: false, question: release },
    }),
    sidecar('staging-db', {
      description: 'Asks our staging database, and only reads',
      state: { type: 'connected', tools: database.length },
      tools: database,
      refusedTools: ['`drop everything!`: its schema is no JSON object', 'a tool without a name'],
      pid: 4182,
      rss: 48_200_000,
      cpuMs: 3400,
      calls: 1,
      users: ['b-port', 'b-rename', '01900000-0000-7000-8000-0000000000aa'],
    }),
    sidecar('translate', {
      description: 'Translates the strings of the page',
      state: { type: 'connected', tools: 3 },
      tools: toolsOf('translate'),
      pid: 4201,
      rss: 71_000_000,
      cpuMs: 900,
      reloadFailed: {
        ...buildFailure,
        message: 'The build step `npm run build` ended with exit code 2.',
        output: ["src/index.ts(12,7): error TS2322: Type 'string' is not assignable to type 'number'."],
      },
    }),
    sidecar(
      'browser',
      {
        description: 'Drives a browser',
        state: { type: 'disconnected', why: 'it closed its connection' },
        pid: 4300,
        rss: 310_000_000,
        cpuMs: 64_000,
        share: 'machine',
      },
      OWN,
    ),
    sidecar(
      'broken',
      {
        error: `failed to read the sidecar manifest ${OWN}/broken/sidecar.toml, line 3: \`restart\` is "maybe"; it is one of "onFailure", "always", "never"`,
      },
      OWN,
    ),
    sidecar('git', { description: 'History, blame and diffs', share: 'machine' }, OWN),
    sidecar('metrics', { description: 'Dashboards of the team', state: { type: 'building' }, share: 'machine' }, OWN),
    sidecar('notes', { description: 'My notes', state: { type: 'stopped', why: 'asked' }, share: 'machine' }, OWN),
    sidecar(
      'tickets',
      {
        description: 'Issues of the tracker',
        share: 'machine',
        state: {
          type: 'failed',
          failure: {
            at: 'connect',
            message:
              'The secret TRACKER_TOKEN is not in your environment; set it in your shell’s profile and refresh the environment.',
            output: [],
          },
          again: { type: 'byHand' },
        },
      },
      OWN,
    ),
  ];
}

function many(): SidecarView[] {
  return Array.from({ length: 200 }, (_, n) => {
    const name = `tool-${String(n + 1).padStart(3, '0')}-${'of-a-name-that-goes-on-and-on'.slice(0, (n * 7) % 30)}`;
    const runs = n % 3 === 0;
    return sidecar(
      name,
      {
        description: `Number ${n + 1}`,
        state: runs ? { type: 'connected', tools: 3 } : { type: 'idle' },
        tools: runs ? toolsOf(name) : [],
        rss: runs ? 20_000_000 + n * 100_000 : 0,
      },
      n < 120 ? WORKSPACE : OWN,
    );
  });
}

/** Words that would deceive: turned around, hidden, of another alphabet, and markup. */
function hostile(): SidecarView[] {
  const name = '<img src=x onerror=window.pwned=40>';
  const question: TrustQuestion = {
    name,
    folder: `${WORKSPACE}/a\u202eb`,
    build: [
      ['sh', '-c', 'echo fine \u202e# ;lruc\u202c\u200b && n\u043ede x'],
      ['echo', '', ' two  spaces '],
    ],
    run: ['n\u043ede', 'server.mjs\u2028rm', '<script>window.pwned=41</script>'],
    passes: ['AWS\u200b_KEY'],
    secrets: ['T from env:T'],
    manifest: 'run = "x" # \u2066innocent\u2069\n<img src=x onerror=window.pwned=42>\n',
    hash: 'h-hostile',
  };
  const deceiving = tool('<b>x</b>', '<script>window.pwned=43</script> \u202eabc', {
    '<i>name</i>': { type: 'string', description: '<img src=x onerror=window.pwned=44>' },
  });
  return [
    sidecar(name, { description: name, folder: question.folder, trust: { type: 'needed', changed: false, question } }),
    sidecar('loud', {
      description: '<b>loud</b>',
      state: { type: 'connected', tools: 1 },
      tools: [deceiving],
      refusedTools: ['<i>x</i>'],
    }),
  ];
}

/** The sidecars of a scene; most scenes have none. */
export function sidecarsOf(scene: string): SidecarView[] {
  switch (scene) {
    case 'sidecars':
      return one();
    case 'many':
      return many();
    case 'hostile-sidecars':
      return hostile();
    default:
      return [];
  }
}

/** What a pretended sidecar printed. */
export function logOf(name: string): SidecarLogLine[] {
  if (name !== 'staging-db') return [];
  const at = (second: number) => new Date(Date.now() - 60_000 + second * 1000).toISOString();
  return [
    { at: at(0), from: 'outrigger', text: 'Builds: npm ci' },
    { at: at(2), from: 'build', text: 'added 14 packages, and audited 15 packages in 2s' },
    { at: at(2), from: 'outrigger', text: 'Starts: node server.mjs' },
    { at: at(3), from: 'stderr', text: 'connected to staging as reader' },
    { at: at(3), from: 'mcp', text: 'info: 7 tools' },
    ...Array.from({ length: 60 }, (_, n): SidecarLogLine => ({
      at: at(4 + n / 2),
      from: 'stderr',
      text: `query ${n + 1} took ${((n * 37) % 90) + 4} ms`,
    })),
  ];
}

function imported(id: string, server: ImportedServer['server'], more: Partial<ImportedServer> = {}): ImportedServer {
  const [source = '', name = ''] = id.split('/');
  const files: Record<string, string> = {
    claude: '~/.claude.json',
    codex: '~/.codex/config.toml',
    gemini: '~/.gemini/settings.json',
    vscode: '~/src/oars/.vscode/mcp.json',
    project: '~/src/oars/.mcp.json',
  };
  const identity = server.type === 'http' ? server.url : server.command.filter((word) => word !== '-y').join(' ');
  return {
    id,
    name,
    source,
    file: files[source] ?? '',
    server,
    plain: {},
    secret: [],
    disabled: false,
    identity,
    ...more,
  };
}

/** The MCP servers that a pretended user has set up elsewhere. */
export function importable(which: string): SidecarImports {
  if (which === 'none') return { servers: [], unreadable: [] };
  const files = {
    type: 'stdio' as const,
    command: ['npx', '-y', '@modelcontextprotocol/server-filesystem', '/home/ada/src'],
  };
  return {
    servers: [
      imported('claude/filesystem', files),
      imported(
        'claude/github',
        { type: 'http', url: 'https://api.githubcopilot.com/mcp/' },
        { secret: ['Authorization'] },
      ),
      imported('codex/files', { ...files, command: files.command.filter((word) => word !== '-y') }),
      imported('codex/time', { type: 'stdio', command: ['uvx', 'mcp-server-time'] }, { knownAs: 'time' }),
      imported('gemini/files', files, { disabled: true }),
      imported(
        'vscode/postgres',
        { type: 'stdio', command: ['docker', 'run', '-i', '--rm', 'mcp/postgres', 'postgres://reader@staging/oars'] },
        { secret: ['PGPASSWORD'], plain: { PGSSLMODE: 'require' } },
      ),
      imported('project/sentry', { type: 'http', url: 'https://mcp.sentry.dev/mcp' }, { disabled: true }),
    ],
    unreadable: ['~/.gemini/settings.json: expected `,` or `}` at line 12 column 3'],
  };
}
