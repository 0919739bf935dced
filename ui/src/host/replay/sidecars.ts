// How do pretended sidecars behave? As their owner would: they build, start, fail and are tried again, ask for trust, answer calls with
// progress, and tell of every change.

import type { SidecarCallFrame } from '../../protocol/SidecarCallFrame';
import type { SidecarImports } from '../../protocol/SidecarImports';
import type { SidecarLogLine } from '../../protocol/SidecarLogLine';
import type { SidecarState } from '../../protocol/SidecarState';
import type { SidecarsFrame } from '../../protocol/SidecarsFrame';
import type { SidecarView } from '../../protocol/SidecarView';
import type { ToolAnswer } from '../../protocol/ToolAnswer';
import type { WireError } from '../../protocol/WireError';
import type { WrittenImport } from '../../protocol/WrittenImport';
import type { HandCall } from '../sidecars';
import { importable, logOf, sidecarsOf, toolsOf } from './sidecars_scene';

/** How long a step of a pretended sidecar takes, in milliseconds. */
const STEP = 120;

export class ReplaySidecars {
  #all: SidecarView[];
  #watchers = new Set<(frame: SidecarsFrame) => void>();
  #logs = new Map<string, SidecarLogLine[]>();
  #imports: SidecarImports;
  #isLost: boolean;
  /** Hands to the tests: what was answered, called and cancelled. */
  readonly told: { trusted: string[]; called: HandCall[]; cancelled: number } = {
    trusted: [],
    called: [],
    cancelled: 0,
  };

  constructor(scene: string, query: URLSearchParams) {
    this.#all = sidecarsOf(query.get('sidecars') ?? scene);
    this.#imports = importable(query.get('imports') ?? '');
    this.#isLost = query.get('owner') === 'lost';
  }

  watch(on: (frame: SidecarsFrame) => void): () => void {
    this.#watchers.add(on);
    queueMicrotask(() => {
      if (this.#isLost)
        on({ type: 'lost', message: 'The owner of the tool sidecars cannot be reached: no answer in time.' });
      else on(this.#frame(this.#all));
    });
    return () => this.#watchers.delete(on);
  }

  /** Whether anybody is told of changes. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  start(name: string): void {
    this.#runnable(name);
    this.#run(name);
  }

  async stop(name: string): Promise<void> {
    this.change(name, { state: { type: 'stopping' } });
    await later(STEP);
    const rest = { tools: [], rss: 0, cpuMs: 0, calls: 0, users: [] };
    this.change(name, { ...rest, state: { type: 'stopped', why: 'asked' } }, ['pid', 'reloadFailed']);
  }

  trust(name: string, hash: string, trusted: boolean): void {
    const view = this.#named(name);
    if (trusted && (view.trust.type !== 'needed' || view.trust.question.hash !== hash)) {
      const message = `${name} has changed since you were asked about it; look at it again and decide anew`;
      throw { code: 'badRequest', message } satisfies WireError;
    }
    this.told.trusted.push(`${name} ${hash} ${trusted}`);
    this.change(name, { trust: trusted ? { type: 'trusted' } : asked(view) });
    if (!trusted) this.change(name, { state: { type: 'idle' }, tools: [], rss: 0, cpuMs: 0, users: [] }, ['pid']);
  }

  log(name: string): SidecarLogLine[] {
    this.#named(name);
    return this.#logs.get(name) ?? logOf(name);
  }

  call(call: HandCall, on: (frame: SidecarCallFrame) => void): () => void {
    this.told.called.push(call);
    let isOver = false;
    const view = this.#named(call.sidecar);
    this.#figures(view.folder, { calls: view.calls + 1 });
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#figures(view.folder, { calls: Math.max(0, this.#named(call.sidecar).calls - 1) });
    };
    void (async () => {
      for (const frame of script(call)) {
        if (frame === 'hangs') return;
        await later(STEP / 4);
        if (isOver) return;
        if (frame.type !== 'progress') over();
        on(frame);
      }
    })();
    return () => {
      if (!isOver) this.told.cancelled += 1;
      over();
    };
  }

  imports(): SidecarImports {
    return this.#imports;
  }

  import(ids: string[]): WrittenImport[] {
    const servers = ids.map((id) => {
      const found = this.#imports.servers.find((server) => server.id === id);
      if (!found) throw { code: 'badRequest', message: `no server ${id} was found` } satisfies WireError;
      return found;
    });
    const written = servers.map(({ id, name, secret }) => {
      const wants = secret.map((one, n) => (n % 2 === 0 ? `env:${one}` : `keyring:${one}`));
      return { id, name, folder: `~/.config/outrigger/sidecars/${name}`, wants };
    });
    const made = written.map(({ name, folder }, n): SidecarView => {
      const trust = { type: 'own' as const };
      const more = { refusedTools: [], rss: 0, cpuMs: 0, calls: 0, users: [], tools: [] };
      return {
        name,
        folder,
        description: `Shared from ${servers[n]?.file}`,
        share: 'machine',
        trust,
        state: { type: 'idle' },
        ...more,
      };
    });
    this.#all = [...this.#all, ...made];
    this.#tell(this.#frame(made));
    return written;
  }

  /** Makes a sidecar another one, as its owner would tell. */
  change(name: string, change: Partial<SidecarView>, without: ('pid' | 'reloadFailed')[] = []): void {
    const view = { ...this.#named(name), ...change };
    for (const key of without) delete view[key];
    this.#all = this.#all.map((other) => (other.name === name ? view : other));
    this.#tell(this.#frame([view]));
  }

  /** A sidecar that appears while the place is open. */
  add(view: SidecarView): void {
    this.#all = [...this.#all, view];
    this.#tell(this.#frame([view]));
  }

  #run(name: string): void {
    const steps: [SidecarState, Partial<SidecarView>][] = [
      [{ type: 'building' }, { tools: [], rss: 0 }],
      [{ type: 'starting' }, { pid: 4242, rss: 21_000_000 }],
      [
        { type: 'connected', tools: toolsOf(name).length },
        { tools: toolsOf(name), rss: 48_200_000, cpuMs: 640 },
      ],
    ];
    void (async () => {
      for (const [state, more] of steps) {
        this.change(name, { ...more, state });
        this.#note(name, state);
        await later(STEP);
      }
    })();
  }

  #note(name: string, state: SidecarState): void {
    const line = { at: new Date().toISOString(), from: 'outrigger' as const, text: `It is ${state.type}.` };
    this.#logs.set(name, [...this.log(name), line]);
  }

  #figures(folder: string, more: { calls: number }): void {
    this.#all = this.#all.map((view) => (view.folder === folder ? { ...view, ...more } : view));
    const view = this.#all.find((one) => one.folder === folder);
    if (!view) return;
    const { rss, cpuMs, calls, users } = view;
    this.#tell({ type: 'figures', figures: [{ folder, rss, cpuMs, calls, users }] });
  }

  #runnable(name: string): void {
    if (this.#named(name).trust.type !== 'needed') return;
    const message = `the sidecar \`${name}\` comes with the workspace and is not trusted yet`;
    throw { code: 'badRequest', message } satisfies WireError;
  }

  #named(name: string): SidecarView {
    const found = this.#all.find((view) => view.name === name);
    if (!found) throw { code: 'badRequest', message: `there is no sidecar \`${name}\` here` } satisfies WireError;
    return found;
  }

  #frame(sidecars: SidecarView[]): SidecarsFrame {
    return { type: 'changed', order: this.#all.map(({ folder }) => folder), sidecars };
  }

  #tell(frame: SidecarsFrame): void {
    for (const on of this.#watchers) on(structuredClone(frame));
  }
}

function asked(view: SidecarView): SidecarView['trust'] {
  if (view.trust.type === 'needed') return { ...view.trust, changed: false };
  const question = {
    name: view.name,
    folder: view.folder,
    build: [],
    run: ['node', 'server.mjs'],
    passes: [],
    secrets: [],
  };
  return {
    type: 'needed',
    changed: false,
    question: { ...question, manifest: 'run = "node server.mjs"\n', hash: 'h-again' },
  };
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What a tool says, in order. */
function script({ tool, arguments: given }: HandCall): (SidecarCallFrame | 'hangs')[] {
  const answer = (answer: ToolAnswer): SidecarCallFrame => ({ type: 'answer', answer });
  const text = (text: string, isError = false) => answer({ content: [{ type: 'text', text }], isError });
  switch (tool) {
    case 'explain':
      return [text('Seq Scan on sessions (cost=0.00..35.50)\nrelation "session" does not exist', true)];
    case 'backup':
      return [{ type: 'progress', progress: 1, total: 3, message: 'Reading tables' }, 'hangs'];
    case 'export':
      return [
        { type: 'progress', progress: 1, total: 2, message: 'Writing' },
        answer({
          content: [
            { type: 'text', text: 'id,name\n1,Ada\n'.repeat(30) },
            {
              type: 'resource_link',
              uri: 'file:///tmp/rows.csv',
              name: 'rows.csv',
              mimeType: 'text/csv',
              size: 182_000,
            },
          ],
          structuredContent: { rows: 30, cut: true },
          isError: false,
        }),
      ];
    case 'gone':
      return [
        { type: 'failed', error: { code: 'unreachable', message: 'The owner hung up in the middle of the call.' } },
      ];
    default:
      return [text(JSON.stringify(given))];
  }
}
