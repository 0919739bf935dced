// What is answered to a question of opencode: by the rules of the agent that asks, by the permission mode, or by the user; and
// how such a question reads.
//
// opencode itself would do most of it unasked. What its own rules allow counts here only when the user wrote it; what they deny
// counts always.

import path from 'node:path';

/** @typedef {import('../lib/pending_permissions.mjs').ToolKind} ToolKind */
/** @typedef {import('./agent_rules.mjs').Rule} Rule */
/** @typedef {{ reply: 'once' | 'reject', message?: string }} Reply */

/** @type {Record<string, ToolKind>} */
const KINDS = {
  edit: 'edit',
  bash: 'execute',
  webfetch: 'fetch',
  websearch: 'fetch',
  codesearch: 'fetch',
  task: 'delegate',
  read: 'read',
  glob: 'search',
  grep: 'search',
  list: 'search',
};

/** What plan mode lets pass: it changes nothing, or it is asked about once more when it becomes an act. */
const PLANNING = new Set(['read', 'search', 'fetch', 'delegate']);
const NO_ACT = new Set(['external_directory', 'doom_loop', 'plan_exit', 'todowrite', 'skill', 'lsp']);

/** The answer when no turn runs. @type {Reply} */
export const NOBODY_ASKED = { reply: 'reject', message: 'The turn has ended, so nobody can be asked about this.' };

/**
 * @param {Record<string, any>} asked the properties of `permission.asked`
 * @param {{ rules: Rule[], granted: Rule[], mode: string, folders: string[] }} setting `rules` are those of the agent that asks,
 *   `granted` is what the user allowed for the rest of the session, `folders` are the additional ones
 * @returns {Reply | null} null when the user must be asked
 */
export function settled({ permission, patterns = [], metadata = {} }, { rules, granted, mode, folders }) {
  const ruled = patterns.map((/** @type {string} */ pattern) => ruleFor(rules, permission, pattern));
  if (ruled.some((/** @type {Rule | undefined} */ rule) => rule?.action === 'deny')) {
    return { reply: 'reject', message: 'The user’s configuration of opencode does not allow this.' };
  }
  const kind = KINDS[permission] ?? 'other';
  if (mode === 'plan' && !PLANNING.has(kind) && !NO_ACT.has(permission)) {
    return { reply: 'reject', message: 'In plan mode nothing is changed or run; say what you would do instead.' };
  }
  if (mode === 'bypass') return { reply: 'once' };
  const isAllowed = (/** @type {string} */ pattern, /** @type {number} */ at) =>
    allows(ruled[at], permission) || ruleFor(granted, permission, pattern) !== undefined;
  if (patterns.length > 0 && patterns.every(isAllowed)) return { reply: 'once' };
  if (permission === 'external_directory') return isWithin(metadata, patterns, folders) ? { reply: 'once' } : null;
  return mode === 'acceptEdits' && kind === 'edit' ? { reply: 'once' } : null;
}

/**
 * opencode's own word counts where it is about a folder: the ones in which it keeps what it cut off.
 * @param {Rule | undefined} rule
 * @param {string} permission
 */
function allows(rule, permission) {
  if (rule?.action !== 'allow') return false;
  return rule.own === true || (permission === 'external_directory' && rule.permission === permission);
}

/**
 * @param {Rule[]} rules
 * @param {string} permission
 * @param {string} pattern
 */
function ruleFor(rules, permission, pattern) {
  return rules.findLast(
    (rule) =>
      fits(rule.permission, permission) && (rule.exact ? rule.pattern === pattern : fits(rule.pattern, pattern)),
  );
}

/**
 * `*` is anything, `?` one character; a pattern that ends in ` *` fits without what follows too.
 * @param {string} wildcard
 * @param {string} text
 */
export function fits(wildcard, text) {
  const source = wildcard
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replace(/ \.\*$/, '( .*)?');
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * @param {Record<string, any>} metadata
 * @param {string[]} patterns folders with `/*` behind them
 * @param {string[]} folders
 */
function isWithin(metadata, patterns, folders) {
  const wanted = [metadata.parentDir, ...patterns.map((pattern) => pattern.replace(/[/\\]\*+$/, ''))].filter(Boolean);
  const inside = (/** @type {string} */ target) =>
    folders.some((folder) => {
      const relative = path.relative(folder, target);
      return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
    });
  return wanted.length > 0 && wanted.every(inside);
}

/**
 * @param {Record<string, any>} asked the properties of `permission.asked`
 * @param {Record<string, any> | undefined} called what the tool is called with, where the question does not say
 * @param {boolean} bySubAgent
 * @returns {import('../lib/pending_permissions.mjs').PermissionAsk}
 */
export function question({ id, permission, patterns = [], metadata = {}, always = [], tool }, called, bySubAgent) {
  const what = always.length > 0 ? ` (${always.join(', ')})` : '';
  return {
    requestId: id,
    toolCallId: tool?.callID,
    toolName: permission,
    title: `${titleOf(permission, patterns, metadata)}${bySubAgent ? ' (sub-agent)' : ''}`,
    kind: KINDS[permission] ?? 'other',
    input: { ...called, ...metadata, patterns },
    options: [
      { outcome: 'allow', label: 'Allow' },
      { outcome: 'allowAlways', label: `Allow in this session${what}` },
      { outcome: 'deny', label: 'Deny' },
    ],
  };
}

/**
 * @param {string} permission
 * @param {string[]} patterns
 * @param {Record<string, any>} metadata
 */
function titleOf(permission, patterns, metadata) {
  const line = (/** @type {unknown} */ text) =>
    String(text ?? '')
      .split('\n')[0]
      .slice(0, 200);
  switch (permission) {
    case 'bash':
      return `Run ${line(metadata.command ?? patterns.join('; '))}`;
    case 'edit':
      return `Change ${line(metadata.filepath ?? patterns.join(', '))}`;
    case 'webfetch':
      return `Fetch ${line(metadata.url ?? patterns[0])}`;
    case 'task':
      return `Delegate ${line(metadata.description ?? patterns[0])}`;
    case 'external_directory':
      return `Work outside of the folder: ${line(patterns.join(', '))}`;
    case 'doom_loop':
      return 'Go on although the same call was made again and again';
    default:
      return line(patterns.length > 0 && patterns[0] !== '*' ? `${permission} ${patterns.join(', ')}` : permission);
  }
}

/**
 * The rules of an answer that holds for the rest of the session. opencode is not told of them: it would keep its own.
 * @param {Record<string, any>} asked the properties of `permission.asked`
 * @returns {Rule[]}
 */
export function grantedBy({ permission, patterns = [], always = [] }) {
  if (always.length === 0)
    return patterns.map((/** @type {string} */ pattern) => ({ permission, pattern, action: 'allow', exact: true }));
  return always.map((/** @type {string} */ pattern) => ({ permission, pattern, action: 'allow' }));
}

/**
 * @param {Record<string, any>} answer of the host
 * @returns {Reply}
 */
export function replyTo({ outcome, message }) {
  if (outcome === 'allow' || outcome === 'allowAlways') return { reply: 'once' };
  // Without words opencode ends the turn; with them the model hears why and goes on.
  return { reply: 'reject', message: message || 'The user denied this.' };
}
