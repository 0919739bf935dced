// How a question of codex is put to the host, and how the host's answer is put to codex.
//
// Questions that this runner does not know get a proper refusal, so that codex never waits for an answer that nobody can give.

import { randomUUID } from 'node:crypto';
import { Form } from '../lib/forms.mjs';
import { chosen, questionOptions, questionTitle } from '../lib/questions.mjs';

/**
 * @typedef {object} CodexAsk
 * @property {number | string} rpcId
 * @property {(outcome: import('../lib/pending_permissions.mjs').Outcome, message?: string) => unknown} result
 * @property {Form} [form] that an MCP server wants filled in
 */
/**
 * @typedef {{ kind: 'ask', ask: import('../lib/pending_permissions.mjs').PermissionAsk, native: CodexAsk }
 *   | { kind: 'refuse', notice: string }} Reaction
 */

/**
 * @param {Record<string, any>} request a request of the server
 * @param {Record<string, any>[]} items the thread items that have begun and not ended
 * @returns {Reaction}
 */
export function reactionTo(request, items) {
  const params = request.params ?? {};
  const item = items.find(({ id }) => id === params.itemId);
  switch (request.method) {
    case 'item/commandExecution/requestApproval':
      return decision(request, 'command', commandTitle(params), 'execute', commandInput(params));
    case 'item/fileChange/requestApproval':
      return decision(request, 'apply_patch', changeTitle(item), 'edit', { ...params, changes: item?.changes ?? [] });
    case 'item/permissions/requestApproval':
      return permissionProfile(request);
    case 'mcpServer/elicitation/request':
      return elicitation(request, items);
    case 'item/tool/requestUserInput':
      return userInput(request);
    default:
      return { kind: 'refuse', notice: `codex asked for ${request.method}, which this runner does not offer` };
  }
}

/**
 * @param {Record<string, any>} request
 * @param {string} toolName
 * @param {string} title
 * @param {import('../lib/pending_permissions.mjs').ToolKind} kind
 * @param {unknown} input
 * @returns {Reaction}
 */
function decision(request, toolName, title, kind, input) {
  const words = { allow: 'accept', allowAlways: 'acceptForSession', deny: 'decline', denyAlways: 'decline' };
  return ask(request, { toolName, title, kind, input }, (outcome) => ({ decision: words[outcome] ?? 'decline' }));
}

/**
 * codex asks to widen its sandbox.
 * @param {Record<string, any>} request
 * @returns {Reaction}
 */
function permissionProfile(request) {
  const { permissions, reason } = request.params;
  const title = reason ? `More permissions: ${reason}` : 'More permissions for this turn';
  return ask(request, { toolName: 'permissions', title, kind: 'other', input: request.params }, (outcome) => {
    const granted = outcome === 'allow' || outcome === 'allowAlways';
    return { permissions: granted ? permissions : {}, scope: outcome === 'allowAlways' ? 'session' : 'turn' };
  });
}

/**
 * codex wants the user to choose.
 * @param {Record<string, any>} request
 * @returns {Reaction}
 */
function userInput(request) {
  const asked = request.params.questions ?? [];
  const questions = asked.map((/** @type {any} */ { question, options }) => ({
    text: String(question ?? ''),
    choices: (options ?? []).map((/** @type {any} */ option) => String(option.label)),
  }));
  const about = { toolName: 'request_user_input', title: questionTitle(questions), input: { questions: asked } };
  const reaction = ask(request, { ...about, kind: /** @type {const} */ ('other') }, (outcome, message) => {
    const answers = chosen(questions, outcome === 'allow' ? message : undefined);
    return {
      answers: Object.fromEntries(answers.map((words, /** @type {number} */ at) => [asked[at].id, { answers: words }])),
    };
  });
  if (reaction.kind === 'ask') reaction.ask.options = questionOptions();
  return reaction;
}

/**
 * A question of an MCP server, or codex's own question whether an MCP tool may be called, which takes the same way.
 * @param {Record<string, any>} request
 * @param {Record<string, any>[]} items
 * @returns {Reaction}
 */
function elicitation(request, items) {
  const params = request.params ?? {};
  const meta = params._meta ?? {};
  if (meta.codex_approval_kind !== 'mcp_tool_call') {
    const { serverName: server, message, requestedSchema: schema, url } = params;
    const form = new Form({ server, message, schema, url });
    return { kind: 'ask', ask: form.ask(randomUUID()), native: { rpcId: request.id, form, result: () => null } };
  }
  // Older versions do not name the tool.
  const call = items.find(
    ({ type, server, tool }) =>
      type === 'mcpToolCall' && server === params.serverName && tool === (meta.tool_name ?? tool),
  );
  const tool = meta.tool_name ?? call?.tool;
  const name = tool ? `${params.serverName}: ${tool}` : params.serverName;
  const about = { toolName: name, title: params.message || name, input: meta.tool_params ?? params };
  return ask(request, { ...about, kind: 'other', toolCallId: call?.id }, (outcome) => {
    if (outcome === 'deny' || outcome === 'denyAlways') return { action: 'decline', content: null, _meta: null };
    return { action: 'accept', content: {}, _meta: outcome === 'allowAlways' ? { persist: 'session' } : null };
  });
}

/**
 * @param {Record<string, any>} request
 * @param {Pick<import('../lib/pending_permissions.mjs').PermissionAsk, 'toolName' | 'title' | 'kind' | 'input' | 'toolCallId'>} about
 * @param {CodexAsk['result']} result
 * @returns {Reaction}
 */
function ask(request, about, result) {
  return {
    kind: 'ask',
    ask: {
      requestId: randomUUID(),
      toolCallId: request.params.itemId,
      ...about,
      options: [
        { outcome: 'allow', label: 'Allow' },
        { outcome: 'allowAlways', label: 'Allow in this session' },
        { outcome: 'deny', label: 'Deny' },
      ],
    },
    native: { rpcId: request.id, result },
  };
}

/** @param {Record<string, any>} params */
function commandTitle(params) {
  const command = params.commandActions?.[0]?.command ?? params.command;
  return command ? `Run: ${String(command).split('\n')[0].slice(0, 200)}` : params.reason || 'Run a command';
}

/** @param {Record<string, any>} params */
function commandInput({ command, cwd, reason, commandActions, networkApprovalContext }) {
  return { command, cwd, reason, commandActions, networkApprovalContext };
}

/** @param {Record<string, any> | undefined} item */
function changeTitle(item) {
  const paths = (item?.changes ?? []).map((/** @type {{ path: string }} */ change) => change.path);
  if (paths.length === 0) return 'Change files';
  return `Change ${paths[0]}${paths.length > 1 ? ` and ${paths.length - 1} more` : ''}`;
}
