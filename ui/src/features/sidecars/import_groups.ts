// Which of the user's MCP servers are the same, and what is to be known of each before it is shared?

import type { ImportedServer } from '../../protocol/ImportedServer';

/** Servers that are the same but for their names and where they are set up. */
export interface SameServer {
  identity: string;
  /** One at least, in the order of the files. */
  servers: ImportedServer[];
  /** The sidecar that it is already, if it is one. */
  knownAs: string | null;
}

/** The programs that have servers set up, as people call them. */
export const sourceNames: Record<string, string> = {
  claude: 'Claude Code',
  codex: 'Codex',
  gemini: 'Gemini CLI',
  vscode: 'VS Code',
  project: '.mcp.json',
};

export function sourceName(source: string): string {
  return sourceNames[source] ?? source;
}

/** Each server once, those that are no sidecar yet first, otherwise in the order in which they were found. */
export function groupsOf(servers: ImportedServer[]): SameServer[] {
  const groups = new Map<string, SameServer>();
  for (const server of servers) {
    const group = groups.get(server.identity);
    if (group) group.servers.push(server);
    else groups.set(server.identity, { identity: server.identity, servers: [server], knownAs: null });
    const same = groups.get(server.identity);
    if (same) same.knownAs ??= server.knownAs ?? null;
  }
  return [...groups.values()].toSorted((a, b) => Number(a.knownAs !== null) - Number(b.knownAs !== null));
}

/** Whether a sidecar can be made of one of these that is worth offering at first: none is switched off everywhere. */
export function isOffered(group: SameServer): boolean {
  return group.knownAs === null && group.servers.some(({ disabled }) => !disabled);
}

/** The one of the same that is taken unless the user says otherwise: the first that is in use. */
export function usual(group: SameServer): ImportedServer | undefined {
  return group.servers.find(({ disabled }) => !disabled) ?? group.servers[0];
}

/** The command word by word, or the address. */
export function wordsOf({ server }: ImportedServer): string[] {
  switch (server.type) {
    case 'stdio':
      return server.command;
    case 'http':
      return [server.url];
  }
}
