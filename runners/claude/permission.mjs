// How a question of claude (`can_use_tool`) is put to the host, and how the host's answer is put to claude.
//
// "Always" holds for the session: claude suggests rules that it would write into the project's settings, which are the
// user's; they are given back to it as rules of the session.

import { asQuestion, questionAnswers } from './question.mjs';

/** What sort of thing claude's own tools do. */
/** @type {Record<string, import('../lib/pending_permissions.mjs').ToolKind>} */
const KINDS = {
  Read: 'read',
  NotebookRead: 'read',
  Write: 'edit',
  Edit: 'edit',
  MultiEdit: 'edit',
  NotebookEdit: 'edit',
  Glob: 'search',
  Grep: 'search',
  ToolSearch: 'search',
  Bash: 'execute',
  PowerShell: 'execute',
  Monitor: 'execute',
  WebFetch: 'fetch',
  WebSearch: 'fetch',
  Task: 'delegate',
  Agent: 'delegate',
  ExitPlanMode: 'think',
};

/**
 * @typedef {object} ClaudeAsk
 * @property {string} requestId
 * @property {string} tool
 * @property {Record<string, any>} input
 * @property {unknown[]} suggestions what would make the question unnecessary for the rest of the session
 */

/** @typedef {import('../lib/pending_permissions.mjs').PermissionAsk} PermissionAsk */

/**
 * @param {Record<string, any>} line a `control_request` with `can_use_tool`
 * @param {Record<string, any> | undefined} call the input of the call as claude's model wrote it, where it was seen
 * @returns {{ ask: PermissionAsk, native: ClaudeAsk }}
 */
export function asPermission(line, call) {
  const request = line.request;
  const suggestions = suggestionsOf(request);
  const input = request.input ?? {};
  return {
    ask: {
      requestId: line.request_id,
      toolCallId: request.tool_use_id,
      toolName: request.tool_name,
      kind: KINDS[request.tool_name] ?? 'other',
      ...shown(request, { ...call, ...input }, suggestions),
    },
    native: { requestId: line.request_id, tool: request.tool_name, input, suggestions },
  };
}

/**
 * @param {Record<string, any>} request
 * @param {Record<string, any>} input
 * @param {any[]} suggestions
 * @returns {Pick<PermissionAsk, 'title' | 'input' | 'options'>}
 */
function shown(request, input, suggestions) {
  if (request.tool_name === 'AskUserQuestion') return asQuestion(input);
  if (request.tool_name === 'ExitPlanMode') return { title: 'Carry out the plan?', input, options: PLAN_OPTIONS };
  /** @type {PermissionAsk['options']} */
  const options = [{ outcome: 'allow', label: 'Allow' }];
  if (suggestions.length > 0) options.push({ outcome: 'allowAlways', label: alwaysLabel(suggestions) });
  options.push({ outcome: 'deny', label: 'Deny' });
  return { title: title(request), input: request.input ?? {}, options };
}

/** @type {PermissionAsk['options']} */
const PLAN_OPTIONS = [
  { outcome: 'allow', label: 'Carry it out, ask about each step' },
  { outcome: 'allowAlways', label: 'Carry it out, accept all edits' },
  { outcome: 'deny', label: 'Keep planning' },
];

/**
 * @param {Record<string, any>} request
 * @returns {any[]}
 */
function suggestionsOf(request) {
  if (request.tool_name === 'ExitPlanMode') return [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }];
  const suggested = Array.isArray(request.permission_suggestions) ? request.permission_suggestions : [];
  return suggested.map((/** @type {any} */ suggestion) => ({ ...suggestion, destination: 'session' }));
}

/**
 * @param {ClaudeAsk} native
 * @param {Record<string, any>} answer the host's `permissionResponse`
 * @returns {Record<string, unknown>} the line for claude
 */
export function asControlResponse(native, answer) {
  const allowed = answer.outcome === 'allow' || answer.outcome === 'allowAlways';
  return controlResponse(native.requestId, allowed ? allow(native, answer) : deny(answer));
}

/**
 * @param {string} requestId of claude's request
 * @param {Record<string, unknown>} response
 * @returns {Record<string, unknown>} the line for claude
 */
export function controlResponse(requestId, response) {
  return { type: 'control_response', response: { subtype: 'success', request_id: requestId, response } };
}

/**
 * @param {Record<string, any>} request with which claude passes on what an MCP server asks for
 * @returns {import('../lib/forms.mjs').Elicitation}
 */
export function asElicitation({
  mcp_server_name: server,
  message,
  requested_schema: schema,
  property_order: order,
  url,
}) {
  return { server, message, schema, order, url };
}

/**
 * @param {ClaudeAsk} native
 * @param {Record<string, any>} answer
 */
function allow(native, answer) {
  const input = native.tool === 'AskUserQuestion' ? questionAnswers(native.input, answer.message) : native.input;
  const allowed = { behavior: 'allow', updatedInput: answer.updatedInput ?? input };
  const always = answer.outcome === 'allowAlways' && native.suggestions.length > 0;
  return always ? { ...allowed, updatedPermissions: native.suggestions } : allowed;
}

/** @param {Record<string, any>} answer */
function deny(answer) {
  return { behavior: 'deny', message: answer.message || 'The user declined this. Ask what to do instead.' };
}

/** @param {Record<string, any>} request */
function title(request) {
  // Older versions name the server in the tool's name only.
  const server = request.mcp_server?.name ?? /^mcp__(.+?)__/.exec(request.tool_name)?.[1];
  const name = server ? `${server}: ${request.display_name}` : request.display_name || request.tool_name;
  const detail =
    request.tool_name === 'Bash' ? request.input?.command : request.description || request.input?.file_path;
  return detail ? `${name}: ${String(detail).split('\n')[0].slice(0, 200)}` : name;
}

/** @param {any[]} suggestions */
function alwaysLabel(suggestions) {
  const mode = suggestions.find((suggestion) => suggestion?.type === 'setMode')?.mode;
  if (mode === 'acceptEdits') return 'Allow all edits in this session';
  const rules = suggestions.flatMap((suggestion) => suggestion?.rules ?? []);
  const names = rules.map((rule) => (rule.ruleContent ? `${rule.toolName}(${rule.ruleContent})` : rule.toolName));
  if (names.length === 0) return 'Allow this in this session';
  return `Allow ${names.join(', ').slice(0, 100)} in this session`;
}
