// How do pretended pod trees behave? As the ledger would: scopes that exclude each other, names that are taken, budgets that are
// changed, trees that are stopped from below.

import { coverOf, ruleWords } from '../../features/pods/scope_words';
import type { Budget } from '../../protocol/Budget';
import type { Confinement } from '../../protocol/Confinement';
import type { FileHolder } from '../../protocol/FileHolder';
import type { HeldRule } from '../../protocol/HeldRule';
import type { Item } from '../../protocol/Item';
import type { MomentKind } from '../../protocol/MomentKind';
import type { PodMoment } from '../../protocol/PodMoment';
import type { PodTree } from '../../protocol/PodTree';
import type { ScopeRule } from '../../protocol/ScopeRule';
import type { SessionId } from '../../protocol/SessionId';
import type { StartSession } from '../../protocol/StartSession';
import type { TreePod } from '../../protocol/TreePod';
import type { WireError } from '../../protocol/WireError';
import { FILES } from './files';

export const enforced: Confinement = { level: 'enforced', by: 'Landlock ABI 6', why: [], open: [] };
const noUse = {
  depth: 0,
  children: 0,
  pods: 0,
  spawns: 0,
  spawnsLastMinute: 0,
  turns: 0,
  costUsd: 0,
  wallSeconds: 0,
};

/** A pod of a tree, spawned so many minutes ago. */
export function treePod(
  session: SessionId,
  name: string,
  parent: SessionId | null,
  minutes: number,
  { used, ...more }: Partial<Omit<TreePod['entry'], 'used'>> & { used?: Partial<TreePod['entry']['used']> } = {},
  confinement?: Confinement,
): TreePod {
  const entry = {
    session,
    name,
    parent,
    spawnedBy: parent,
    closing: false,
    outcome: null,
    spawnedAt: Date.now() - minutes * 60_000,
    endedAt: null,
    workspace: '~/src/oars',
    scope: null,
    budget: null,
    ...more,
    used: { ...noUse, ...used },
  };
  return confinement ? { entry, confinement } : { entry };
}

/** A rule of a pod, below the pretended workspace. */
export function held(path: string, reach: HeldRule['reach'] = 'tree', permission: HeldRule['permission'] = 'write') {
  return { permission, path: path === '' ? '~/src/oars' : `~/src/oars/${path}`, reach };
}

/** All trees of a scene. */
export class ReplayPods {
  pods: TreePod[];
  #watchers = new Set<() => void>();

  constructor(pods: TreePod[]) {
    this.pods = pods;
  }

  tree(session: SessionId): PodTree {
    const root = this.#root(session);
    return { pods: this.pods.filter((pod) => this.#root(pod.entry.session) === root && root !== null), at: Date.now() };
  }

  watch(session: SessionId, on: (tree: PodTree) => void): () => void {
    const tell = () => on(structuredClone(this.tree(session)));
    this.#watchers.add(tell);
    queueMicrotask(tell);
    return () => this.#watchers.delete(tell);
  }

  setBudget(session: SessionId, budget: Budget): void {
    this.#change(session, { budget });
  }

  /** The live pods that a stop ends, those furthest below first. */
  ending(session: SessionId, itself: boolean): SessionId[] {
    const children = this.pods.filter(({ entry }) => entry.parent === session && entry.outcome === null);
    const own = itself && this.#entry(session)?.outcome === null ? [session] : [];
    return [...children.flatMap(({ entry }) => this.ending(entry.session, true)), ...own];
  }

  end(session: SessionId): void {
    this.#change(session, { outcome: 'cancelled', endedAt: Date.now() });
  }

  /** Reserves a place below a live pod; throws what is in the way. Gives its rules. */
  spawn(session: SessionId, start: StartSession): HeldRule[] | null {
    const parent = start.parent === undefined ? undefined : this.#entry(start.parent);
    if (!parent) throw fails('noSuchSession', `session ${start.parent ?? ''} is not in the pod tree`);
    const taken = this.pods.find(
      ({ entry }) => entry.parent === parent.session && entry.outcome === null && entry.name === start.name,
    );
    if (taken) {
      throw fails(
        'badRequest',
        `there is a pod named \`${start.name ?? ''}\` already; choose another name, or stop that one first`,
      );
    }
    const { pods } = parent.budget ?? {};
    const live = this.tree(parent.session).pods.filter(({ entry }) => entry.outcome === null).length - 1;
    if (pods != null && live >= pods) {
      throw fails(
        'budgetUsed',
        `live pods under the budget of \`${parent.name}\`: ${live} of ${pods} used; wait for a pod to end, or stop one`,
      );
    }
    const rules = start.scope?.map((rule) => resolved(rule)) ?? null;
    for (const rule of rules ?? []) this.#refuse(rule, parent.session);
    const made = treePod(session, start.name ?? 'pod', parent.session, 0, {
      scope: rules,
      budget: start.budget ?? null,
    });
    this.pods = [...this.pods, rules ? { ...made, confinement: enforced } : made];
    this.#tell();
    return rules;
  }

  whoMayWrite(path: string): FileHolder[] {
    const whole = path === '.' ? '~/src/oars' : `~/src/oars/${path.replace(/\/$/, '')}`;
    const depth = (session: SessionId): number => {
      const parent = this.#entry(session)?.parent;
      return parent ? 1 + depth(parent) : 0;
    };
    return this.pods
      .filter(({ entry }) => entry.outcome === null)
      .flatMap(({ entry }) => {
        const rule = entry.scope?.find((one) => one.permission === 'write' && coverOf(one, whole) === 'all');
        return rule ? [{ session: entry.session, name: entry.name, rule }] : [];
      })
      .sort((a, b) => depth(b.session) - depth(a.session));
  }

  #refuse(rule: HeldRule, parent: SessionId): void {
    if (rule.permission === 'read') return;
    const above = new Set<SessionId>();
    for (let at: SessionId | null = parent; at !== null; at = this.#entry(at)?.parent ?? null) above.add(at);
    const has = this.#entry(parent);
    if (has?.scope && !has.scope.some((own) => own.permission === 'write' && coverOf(own, rule.path) === 'all')) {
      throw fails(
        'scopeRefused',
        `${ruleWords(rule, '~/src/oars')} is not within the scope of \`${has.name}\`, which is ${has.scope.map((own) => ruleWords(own, '~/src/oars')).join(', ')}; ask for a part of that`,
      );
    }
    for (const { entry } of this.pods) {
      if (entry.outcome !== null || above.has(entry.session)) continue;
      const other = entry.scope?.find(
        (one) =>
          one.permission === 'write' && (coverOf(one, rule.path) !== 'none' || coverOf(rule, one.path) !== 'none'),
      );
      if (other) {
        throw fails(
          'scopeRefused',
          `${ruleWords(rule, '~/src/oars')} overlaps ${ruleWords(other, '~/src/oars')}, which pod \`${entry.name}\` (session ${entry.session}) holds; wait for it to end, stop it, or choose a scope beside it`,
        );
      }
    }
  }

  #change(session: SessionId, change: Partial<TreePod['entry']>): void {
    this.pods = this.pods.map((pod) =>
      pod.entry.session === session ? { ...pod, entry: { ...pod.entry, ...change } } : pod,
    );
    this.#tell();
  }

  #tell(): void {
    for (const tell of this.#watchers) tell();
  }

  #entry(session: SessionId): TreePod['entry'] | undefined {
    return this.pods.find(({ entry }) => entry.session === session)?.entry;
  }

  #root(session: SessionId): SessionId | null {
    const entry = this.#entry(session);
    if (!entry) return null;
    const above = entry.parent ?? entry.spawnedBy;
    return above === null ? session : this.#root(above);
  }
}

function fails(code: WireError['code'], message: string): WireError {
  return { code, message };
}

function resolved({ path, permission, recursive }: ScopeRule): HeldRule {
  const below = path.replace(/^\.$/, '').replace(/\/$/, '');
  const isFolder = path === '.' || path.endsWith('/') || FILES.some((file) => file.startsWith(`${below}/`));
  if (permission === 'read' && below !== '' && !FILES.some((file) => file.replace(/\/$/, '').startsWith(below)))
    throw fails(
      'scopeRefused',
      `${path} does not exist, so there is nothing to read; leave the rule out or name what exists`,
    );
  return held(below, isFolder ? (recursive ? 'tree' : 'entries') : 'file', permission);
}

/** What lies directly in a folder of the pretended workspace. */
export function listed(folder: string): string[] {
  const names = FILES.filter((path) => path.startsWith(folder) && path !== folder).map((path) => {
    const rest = path.slice(folder.length);
    const end = rest.indexOf('/');
    return end < 0 ? rest : rest.slice(0, end + 1);
  });
  const isFolder = (name: string) => name.endsWith('/');
  return [...new Set(names)].sort((a, b) => Number(isFolder(b)) - Number(isFolder(a)) || a.localeCompare(b, 'en'));
}

/** What a time line shows of these items. */
export function momentsOf(items: Item[]): PodMoment[] {
  return items.flatMap((item) => {
    const found = momentOf(item);
    if (found === null) return [];
    const [kind, title, durationMs] = found;
    const made = { at: item.at, item: item.id, kind, title: title.split('\n')[0]?.slice(0, 120) ?? '' };
    return [durationMs === undefined ? made : { ...made, durationMs }];
  });
}

function momentOf({ body }: Item): [MomentKind, string, number?] | null {
  switch (body.type) {
    case 'userMessage':
      return ['prompt', body.text];
    case 'turnEnd':
      return [body.stopReason === 'endTurn' ? 'turn' : 'brokenTurn', '', body.durationMs ?? 0];
    case 'pod':
      return ['spawn', body.name];
    case 'permission':
      return ['request', body.title];
    case 'notice':
      if (body.code === 'budget_used') return ['budgetRefusal', body.text];
      return body.code === 'foreign_write' ? ['foreignWrite', body.text] : null;
    case 'error':
      return ['error', body.message];
    case 'ended':
      return ['end', ''];
    case 'agentMessage':
    case 'thought':
    case 'toolCall':
    case 'plan':
    case 'opened':
    case 'unknown':
      return null;
  }
}
