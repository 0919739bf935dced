// Which of the tools that a CLI offers does what a scenario wants, and with which input?

/** @typedef {import('./blocks.mjs').Want} Want */
/** @typedef {import('./blocks.mjs').CallBlock} CallBlock */
/** @typedef {import('./conversation.mjs').Conversation} Conversation */

/**
 * @param {Want} want
 * @param {Conversation} conversation
 * @returns {CallBlock | null} null when the CLI offers nothing for it
 */
export function chooseTool(want, conversation) {
  const offer = new Offer(conversation);
  switch (want.do) {
    case 'shell':
      return shell(offer, want.command);
    case 'write':
      return write(offer, want.path, want.content);
    case 'edit':
      return edit(offer, want.path, want.old, want.new);
    case 'read':
      return (
        offer.call('Read', { file_path: want.path }) ??
        offer.call('read', { filePath: want.path }) ??
        (offer.find('list_directory') && offer.find('run_command')
          ? offer.call('read_file', { path: want.path })
          : null) ??
        shell(offer, `cat ${quoted(want.path)}`)
      );
    case 'ask':
      return ask(offer, want.question, want.options);
    case 'delegate':
      return delegate(offer, want.description, want.prompt);
    case 'await-delegate':
      return awaitDelegate(offer, conversation);
    case 'mcp':
      return mcp(offer, want.tool, want.input);
    case 'plan':
      return plan(offer, want.steps);
    case 'leave-plan-mode':
      return offer.call('ExitPlanMode', { plan: want.plan }) ?? offer.search('ExitPlanMode');
    case 'task-create': {
      const task = { subject: want.subject, description: want.subject, activeForm: want.subject };
      return offer.call('TaskCreate', task) ?? offer.search('TaskCreate');
    }
    case 'task-update':
      return offer.call('TaskUpdate', { taskId: want.id, status: want.status }) ?? offer.search('TaskUpdate');
    case 'web-search':
      return webSearch(offer, want.query);
    case 'background-shell':
      return offer.call('Bash', { command: want.command, description: 'In the background', run_in_background: true });
    case 'escalated-shell':
      return escalated(offer, want.command, want.why);
  }
}

/** The tools of one request. */
class Offer {
  #tools;

  /** @param {Conversation} conversation */
  constructor({ tools }) {
    this.#tools = tools;
  }

  /**
   * @param {string} name
   * @returns {import('./conversation.mjs').OfferedTool | undefined}
   */
  find(name) {
    return this.#tools.find((offered) => offered.name === name);
  }

  /**
   * A tool of an MCP server, by its name or by `SERVER__NAME`: CLIs put more in front of it, and some write `_` for `-`.
   * @param {string} name
   * @param {any} input
   * @returns {CallBlock | null} null when there is no such tool
   */
  ofServer(name, input) {
    const pattern = new RegExp(`(^|_|-)${name.replaceAll(/[-_]/g, '[-_]')}$`);
    const offered = this.#tools.find((one) => pattern.test(`${one.namespace?.replace(/_*$/, '__') ?? ''}${one.name}`));
    return offered ? block(offered, input) : null;
  }

  /**
   * @param {string} name
   * @param {any} input
   * @returns {CallBlock | null} null when there is no such tool
   */
  call(name, input) {
    const offered = this.find(name);
    return offered ? block(offered, input) : null;
  }

  /**
   * A search for a tool that is offered only to those who ask for it.
   * @param {string} query
   * @param {string} [named] the same for a CLI that can be asked for a tool by its name
   * @returns {CallBlock | null}
   */
  search(query, named = query) {
    if (this.find('tool_search')?.builtin) {
      // By words alone one of many tools that read alike is not among the first.
      const limit = named === query ? 5 : 50;
      return { type: 'call', name: 'tool_search', input: { query, limit }, search: true };
    }
    return this.call('ToolSearch', { query: named, max_results: 5 });
  }

  /**
   * The tool of the newest codex models that runs JavaScript, in which the other tools are functions.
   * @param {string} code
   * @returns {CallBlock | null}
   */
  script(code) {
    return this.find('exec')?.custom ? this.call('exec', code) : null;
  }
}

/**
 * @param {import('./conversation.mjs').OfferedTool} offered
 * @param {any} input
 * @returns {CallBlock}
 */
const block = ({ name, custom, namespace }, input) => ({ type: 'call', name, input, custom, namespace });

/**
 * @param {Offer} offer
 * @param {string} command
 */
function shell(offer, command) {
  const waiting = { cmd: command, yield_time_ms: 120_000 };
  return (
    offer.call('Bash', { command, description: 'Asked for by the stand-in' }) ??
    offer.call('run_command', { command }) ??
    offer.call('run_shell_command', { command, description: 'Asked for by the stand-in', is_background: false }) ??
    offer.call('bash', { command, description: 'Asked for by the stand-in' }) ??
    offer.call('exec_command', waiting) ??
    offer.call('shell_command', { command, timeout_ms: 120_000 }) ??
    offer.call('shell', { command: ['bash', '-lc', command], timeout_ms: 120_000 }) ??
    offer.script(`const r = await tools.exec_command(${JSON.stringify(waiting)}); text(r.output ?? JSON.stringify(r));`)
  );
}

/**
 * @param {Offer} offer
 * @param {string} path
 * @param {string} content
 */
function write(offer, path, content) {
  const patch = addingPatch(path, content);
  return (
    offer.call('Write', { file_path: path, content }) ??
    (offer.find('write_file')?.schema?.properties?.file_path
      ? offer.call('write_file', { file_path: path, content })
      : null) ??
    offer.call('write', { filePath: path, content }) ??
    (offer.find('write_file')?.schema?.properties?.path ? offer.call('write_file', { path, content }) : null) ??
    offer.call('apply_patch', offer.find('apply_patch')?.custom ? patch : { input: patch }) ??
    offer.script(`text(await tools.apply_patch(${JSON.stringify(patch)}));`) ??
    shell(offer, `printf %s ${quoted(content)} > ${quoted(path)}`)
  );
}

/**
 * Changes a piece of a file, for those CLIs whose sessions are recorded.
 * @param {Offer} offer
 * @param {string} path
 * @param {string} before
 * @param {string} after
 */
function edit(offer, path, before, after) {
  const patch = updatingPatch(path, before, after);
  return (
    offer.call('Edit', { file_path: path, old_string: before, new_string: after }) ??
    offer.call('apply_patch', offer.find('apply_patch')?.custom ? patch : { input: patch }) ??
    offer.script(`text(await tools.apply_patch(${JSON.stringify(patch)}));`)
  );
}

/**
 * @param {Offer} offer
 * @param {string} question
 * @param {string[]} options
 */
function ask(offer, question, options) {
  const choices = options.map((label) => ({ label, description: `Take ${label}` }));
  return (
    offer.call('AskUserQuestion', {
      questions: [{ question, header: 'Choice', multiSelect: false, options: choices }],
    }) ?? offer.call('request_user_input', { questions: [{ id: 'q1', header: 'Choice', question, options: choices }] })
  );
}

/**
 * @param {Offer} offer
 * @param {string} description
 * @param {string} prompt
 * @returns {CallBlock | null}
 */
function delegate(offer, description, prompt) {
  const task = { description, prompt, subagent_type: 'general-purpose' };
  const direct =
    offer.call('Agent', task) ?? offer.call('Task', task) ?? offer.call('task', { ...task, subagent_type: 'general' });
  if (direct) return direct;
  const named = offer.find('spawn_agent')?.schema?.properties?.task_name ? { task_name: 'stand_in_task' } : {};
  const spawned = offer.call('spawn_agent', { message: prompt, ...named });
  if (spawned) return spawned;
  const search = offer.search('spawn_agent sub-agent');
  if (search) return search;
  const input = JSON.stringify({ message: prompt, task_name: 'stand_in_task' });
  return offer.script(
    `const name = Object.keys(tools).find((key) => key.includes('spawn_agent')); text(JSON.stringify(await tools[name](${input})));`,
  );
}

/**
 * @param {Offer} offer
 * @param {Conversation} conversation
 */
function awaitDelegate(offer, conversation) {
  const takesTargets = offer.find('wait_agent')?.schema?.properties?.targets;
  const ids = conversation.entries.map((entry) => /"(?:agent_id|thread_id|id)"\s*:\s*"([^"]+)"/.exec(entry.text)?.[1]);
  const targets = takesTargets ? { targets: [ids.findLast((id) => id !== undefined)] } : {};
  return offer.call('wait_agent', { ...targets, timeout_ms: 15_000 });
}

/**
 * A tool of an MCP server, which most CLIs offer only after a search for it.
 * @param {Offer} offer
 * @param {string} tool
 * @param {any} input
 */
function mcp(offer, tool, input) {
  const ending = JSON.stringify(tool.replaceAll('-', '_'));
  const code = `const name = Object.keys(tools).find((key) => key.replaceAll('-', '_').endsWith(${ending})); text(JSON.stringify(await tools[name](${JSON.stringify(input)})));`;
  const search = tool.includes('__')
    ? offer.search(tool.replaceAll(/[-_]+/g, ' '), `select:mcp__${tool}`)
    : offer.search(tool);
  return offer.ofServer(tool, input) ?? search ?? offer.script(code);
}

/**
 * @param {Offer} offer
 * @param {import('./blocks.mjs').PlanStep[]} steps
 */
function plan(offer, steps) {
  const todos = steps.map(({ step, status }) => ({ content: step, status, activeForm: step }));
  return (
    offer.call('TodoWrite', { todos }) ??
    offer.call('todowrite', { todos: todos.map((todo) => ({ ...todo, priority: 'medium' })) }) ??
    offer.call('update_plan', { plan: steps }) ??
    offer.script(`text(JSON.stringify(await tools.update_plan(${JSON.stringify({ plan: steps })})));`)
  );
}

/**
 * @param {Offer} offer
 * @param {string} query
 */
function webSearch(offer, query) {
  if (offer.find('web_search')?.builtin) {
    return { type: 'call', name: 'web_search', input: { query }, web: /** @type {const} */ (true) };
  }
  return offer.call('WebSearch', { query }) ?? offer.search('WebSearch');
}

/**
 * A command that asks to run outside the CLI's sandbox.
 * @param {Offer} offer
 * @param {string} command
 * @param {string} why
 */
function escalated(offer, command, why) {
  const wish = { sandbox_permissions: 'require_escalated', justification: why };
  const input = { cmd: command, yield_time_ms: 120_000, ...wish };
  return (
    offer.call('exec_command', input) ??
    offer.call('shell_command', { command, timeout_ms: 120_000, ...wish }) ??
    offer.call('shell', { command: ['bash', '-lc', command], timeout_ms: 120_000, ...wish }) ??
    offer.script(
      `const r = await tools.exec_command(${JSON.stringify(input)}); text(r.output ?? JSON.stringify(r));`,
    ) ??
    shell(offer, command)
  );
}

/**
 * @param {string} path
 * @param {string} content
 */
function addingPatch(path, content) {
  const lines = content
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `+${line}`);
  return `*** Begin Patch\n*** Add File: ${path}\n${lines.join('\n')}\n*** End Patch\n`;
}

/**
 * @param {string} path
 * @param {string} before
 * @param {string} after
 */
function updatingPatch(path, before, after) {
  const marked = (/** @type {string} */ mark, /** @type {string} */ words) =>
    words
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${mark}${line}`);
  const lines = ['*** Begin Patch', `*** Update File: ${path}`, '@@', ...marked('-', before), ...marked('+', after)];
  return `${lines.join('\n')}\n*** End Patch\n`;
}

/** @param {string} word */
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;
