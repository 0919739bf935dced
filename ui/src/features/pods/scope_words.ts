// How is a scope said, and what does it cover? Paths are told relative to the workspace.
//
// What is decided about scopes is decided in Rust; this only draws and foretells it.

import type { Confinement } from '../../protocol/Confinement';
import type { ConfinementLevel } from '../../protocol/ConfinementLevel';
import type { HeldRule } from '../../protocol/HeldRule';
import type { ScopeRule } from '../../protocol/ScopeRule';

/** A rule as it is being chosen. */
export interface Pick {
  path: string;
  permission: 'read' | 'write';
  reach: 'tree' | 'entries' | 'file';
}

/** A path below the workspace without the workspace, others as they are; the workspace itself is empty. */
export function below(workspace: string, path: string): string {
  const root = workspace.replace(/\/+$/, '');
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

/** `src/lexer/`, `docs/*`, `src/lib.rs`, or `the whole workspace`. */
export function ruleWords(rule: HeldRule, workspace: string): string {
  const path = below(workspace, rule.path);
  if (path === '') return rule.reach === 'tree' ? 'the whole workspace' : './*';
  return { file: path, entries: `${path.replace(/\/$/, '')}/*`, tree: `${path.replace(/\/$/, '')}/` }[rule.reach];
}

/** What a reach means, in words. */
export const reachWords = {
  tree: 'with everything below',
  entries: 'only what lies directly in it',
  file: 'this file',
} as const;

/** Rules that one line names; more are counted. */
const NAMED = 3;

/** A scope in one line: what may be written, or that nothing may. */
export function scopeWords(rules: HeldRule[] | null, workspace: string): string {
  if (rules === null) return 'No scope';
  const writes = rules.filter((rule) => rule.permission === 'write').map((rule) => ruleWords(rule, workspace));
  if (writes.length === 0) return 'Reads only';
  const more = writes.length - NAMED;
  return `Writes ${writes.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Whether a rule covers a path, or something below it. */
export function coverOf(rule: HeldRule, path: string): 'all' | 'part' | 'none' {
  const own = rule.path.replace(/\/+$/, '');
  if (path === own) return rule.reach === 'entries' ? 'part' : 'all';
  if (path.startsWith(`${own}/`)) {
    if (rule.reach === 'tree') return 'all';
    return rule.reach === 'entries' && !path.slice(own.length + 1).includes('/') ? 'all' : 'none';
  }
  return own.startsWith(`${path}/`) ? 'part' : 'none';
}

/** Whether a file may be written by these rules. */
export function mayWrite(rules: HeldRule[], path: string): HeldRule | undefined {
  return (
    rules.find((rule) => rule.permission === 'write' && rule.path !== path && coverOf(rule, path) === 'all') ??
    rules.find((rule) => rule.permission === 'write' && rule.path === path && rule.reach !== 'entries')
  );
}

/** An absolute path without `.` and `..`, from one that may be relative to a folder. */
export function settled(folder: string, path: string): string {
  const whole = path.startsWith('/') || path.startsWith('~') ? path : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..' && parts.length > 1) parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/');
}

/** A level in a word, and how good that is. */
export const levels: Record<ConfinementLevel, { word: string; tone: 'plain' | 'good' | 'warn'; hint: string }> = {
  enforced: { word: 'Enforced', tone: 'good', hint: 'The kernel refuses every write outside the scope' },
  partial: { word: 'Partial', tone: 'warn', hint: 'The kernel refuses most writes outside the scope' },
  advised: {
    word: 'Advised',
    tone: 'warn',
    hint: 'Nothing refuses a write outside the scope; such writes are reported',
  },
};

/** All that is to be said about how a pod is held to its scope. */
export function confinementWords(confinement: Confinement): string {
  const { level, by, why } = confinement;
  return [`${levels[level].hint}${by ? ` (${by})` : ''}.`, ...why].join(' ');
}

/** The rule that a choice asks for. */
export function ruleOf({ path, permission, reach }: Pick): ScopeRule {
  const clean = path.trim().replace(/^\.\//, '');
  const folder = clean === '' || clean === '.' ? '.' : `${clean.replace(/\/+$/, '')}/`;
  return { permission, path: reach === 'file' ? clean.replace(/\/+$/, '') : folder, recursive: reach === 'tree' };
}

/** A choice for a path of the file tree, where folders end in `/`. */
export function pickOf(path: string, permission: Pick['permission'] = 'write'): Pick {
  const isFolder = path === '' || path.endsWith('/');
  return { path: isFolder ? path.replace(/\/$/, '') || '.' : path, permission, reach: isFolder ? 'tree' : 'file' };
}

/** Which pod has which colour of a chart: by its place in the tree, beginning anew after six. */
export const colourOf = (place: number) => `pod-colour-${(place % 6) + 1}`;
