// How a question of claude (`can_use_tool`) is put to the host, and how the host's answer is put to claude.

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
 * @property {Record<string, any>} input
 * @property {unknown[]} suggestions rules that would make the question unnecessary
 */

/**
 * @param {Record<string, any>} line a `control_request` with `can_use_tool`
 * @returns {{ ask: import('../lib/pending_permissions.mjs').PermissionAsk, native: ClaudeAsk }}
 */
export function asPermission(line) {
  const request = line.request;
  const suggestions = Array.isArray(request.permission_suggestions) ? request.permission_suggestions : [];
  /** @type {import('../lib/pending_permissions.mjs').PermissionAsk['options']} */
  const options = [{ outcome: 'allow', label: 'Allow' }];
  if (suggestions.length > 0) options.push({ outcome: 'allowAlways', label: alwaysLabel(suggestions) });
  options.push({ outcome: 'deny', label: 'Deny' });
  return {
    ask: {
      requestId: line.request_id,
      toolCallId: request.tool_use_id,
      toolName: request.tool_name,
      title: title(request),
      kind: KINDS[request.tool_name] ?? 'other',
      input: request.input ?? {},
      options,
    },
    native: { requestId: line.request_id, input: request.input ?? {}, suggestions },
  };
}

/**
 * @param {ClaudeAsk} native
 * @param {Record<string, any>} answer the host's `permissionResponse`
 * @returns {Record<string, unknown>} the line for claude
 */
export function asControlResponse(native, answer) {
  const response =
    answer.outcome === 'allow' || answer.outcome === 'allowAlways' ? allow(native, answer) : deny(answer);
  return { type: 'control_response', response: { subtype: 'success', request_id: native.requestId, response } };
}

/**
 * @param {ClaudeAsk} native
 * @param {Record<string, any>} answer
 */
function allow(native, answer) {
  const allowed = { behavior: 'allow', updatedInput: answer.updatedInput ?? native.input };
  const always = answer.outcome === 'allowAlways' && native.suggestions.length > 0;
  return always ? { ...allowed, updatedPermissions: native.suggestions } : allowed;
}

/** @param {Record<string, any>} answer */
function deny(answer) {
  return { behavior: 'deny', message: answer.message || 'The user declined this. Ask what to do instead.' };
}

/** @param {Record<string, any>} request */
function title(request) {
  const name = request.display_name || request.tool_name;
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
  return names.length > 0 ? `Always allow ${names.join(', ')}`.slice(0, 120) : 'Always allow';
}
