// What is told to people when Ollama does not do what it was asked: what happened, and what to do.

import { apiFailure } from '../lib/api_failure.mjs';

/** @typedef {import('../lib/agent_lines.mjs').AgentError} AgentError */
/** @typedef {import('./server.mjs').OllamaFailure} OllamaFailure */

/** Codes of the system's errors that mean that nobody listens. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAI_AGAIN']);

/**
 * @param {OllamaFailure} failure
 * @param {{ url: string, model: string, models: import('./server.mjs').Model[], contextSize?: number }} about
 * @returns {AgentError}
 */
export function toldFailure(failure, about) {
  const { message: said, status, code } = failure;
  if (code && NOBODY.has(code)) return serverDown(about.url, code);
  if (isOverflow(said)) return contextExceeded(said, about.contextSize);
  if (status === 404 && /model/i.test(said)) return modelMissing(about.model, about.models);
  const told = apiFailure({ status, text: `${said} ${code ?? ''}` });
  return { message: `Ollama at ${about.url} answered: ${said}${hint(said, told.code)}`, ...told };
}

/**
 * @param {string} url
 * @param {string} why
 * @returns {AgentError}
 */
function serverDown(url, why) {
  const message =
    `no Ollama server answers at ${url} (${why}). Start it with \`ollama serve\` or by opening the Ollama app; ` +
    'if it runs elsewhere, set OLLAMA_HOST in your shell, or `host` in the settings of this provider.';
  return { code: 'network', message, retryable: false };
}

/**
 * @param {string} model
 * @param {import('./server.mjs').Model[]} models
 * @returns {AgentError}
 */
export function modelMissing(model, models) {
  const have = models.length > 0 ? `It has ${listed(models)}.` : 'It has none yet.';
  const message = `the Ollama server does not have the model ${model}. Get it with \`ollama pull ${model}\`. ${have}`;
  return { code: 'api_error', message, retryable: false };
}

/** @returns {AgentError} */
export function noModel() {
  const message =
    'the Ollama server has no models yet. Get one with `ollama pull`, e.g. `ollama pull qwen3`; https://ollama.com/search lists them.';
  return { code: 'api_error', message, retryable: false };
}

/**
 * @param {string} said
 * @param {number} [contextSize]
 * @returns {AgentError}
 */
export function contextExceeded(said, contextSize) {
  const size = contextSize ? `${contextSize} tokens` : 'the context that the server gives this model';
  const message =
    `the conversation no longer fits into ${size} (${said}). Begin a new session, or give the model more: ` +
    '`numCtx` in the settings of this provider, or OLLAMA_CONTEXT_LENGTH for the server.';
  return { code: 'context_exceeded', message, retryable: false };
}

/** @param {string} said */
function isOverflow(said) {
  return /exceed_context_size|exceeds the (available )?context|longer than the context|context (length|size|window).*exceed/i.test(
    said,
  );
}

/**
 * @param {string} said
 * @param {string} code
 */
function hint(said, code) {
  if (/more system memory/i.test(said)) return '. Take a smaller model, or a smaller `numCtx`.';
  if (code === 'auth') return '. Sign in with `ollama signin`, or set OLLAMA_API_KEY.';
  return '';
}

/**
 * @param {import('./server.mjs').Model[]} models
 * @returns {string} names with sizes, at most ten
 */
export function listed(models) {
  const shown = models.slice(0, 10).map(({ name, size }) => (size ? `${name} (${bytes(size)})` : name));
  const more = models.length > shown.length ? ` and ${models.length - shown.length} more` : '';
  return `${shown.join(', ')}${more}`;
}

/** @param {number} size */
function bytes(size) {
  return size >= 1e9 ? `${(size / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(size / 1e6))} MB`;
}
