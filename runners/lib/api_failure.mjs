// Which of the few failures that a host acts on is this?
//
// Providers report the same trouble in many forms (HTTP status, error type, a sentence); the host and its user interface
// act on a small set of codes only.

/**
 * @typedef {'auth' | 'rate_limited' | 'overloaded' | 'usage_limit' | 'context_exceeded' | 'network' | 'api_error'} ApiFailureCode
 */

/** @type {[RegExp, ApiFailureCode][]} sentences that say more than a status does; the first that fits wins */
const SENTENCES = [
  [/prompt is too long|context[ _-]?(window|length)|too many tokens|contextWindowExceeded/i, 'context_exceeded'],
  [
    /usage limit|limit reached|quota|credit balance|insufficient_quota|out of credits|usageLimitExceeded|sessionBudgetExceeded/i,
    'usage_limit',
  ],
  [
    /not logged in|log ?in|invalid api key|authentication|unauthori[sz]ed|missing environment variable|api key/i,
    'auth',
  ],
  [/overloaded|at capacity|high demand|serverOverloaded/i, 'overloaded'],
  [/rate.?limit|too many requests/i, 'rate_limited'],
  [
    /connection|network|ECONN|ENOTFOUND|ETIMEDOUT|fetch failed|disconnected|stream closed|error sending request/i,
    'network',
  ],
];

/** Codes after which the same prompt may succeed later without anybody doing something. */
const RETRYABLE = new Set(['rate_limited', 'overloaded', 'network']);

/**
 * @param {object} failure
 * @param {number | null} [failure.status] HTTP status, if there was one
 * @param {string} failure.text everything that was said about it
 * @returns {{ code: ApiFailureCode, retryable: boolean, retryAfterMs?: number }}
 */
export function apiFailure({ status, text }) {
  const code = codeOf(status ?? 0, text);
  const retryable = RETRYABLE.has(code) || (code === 'api_error' && (status ?? 0) >= 500);
  return { code, retryable, retryAfterMs: retryable ? waitingTime(text) : undefined };
}

/** Milliseconds in each unit that providers use. */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * How long the provider asks to wait, as its sentence says: "try again in 1.5s", "retry after 20 seconds".
 * @param {string} text
 * @returns {number | undefined} milliseconds
 */
function waitingTime(text) {
  const wait = /(?:try again|retry|retrying)[ -](?:in|after):? ?(\d+(?:\.\d+)?) ?(ms|milli|s|m|h)/i.exec(text);
  if (!wait) return undefined;
  const unit = wait[2].toLowerCase();
  return Math.ceil(Number(wait[1]) * UNITS[unit === 'milli' ? 'ms' : /** @type {keyof typeof UNITS} */ (unit)]);
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {ApiFailureCode}
 */
function codeOf(status, text) {
  const said = SENTENCES.find(([pattern]) => pattern.test(text))?.[1];
  if (said === 'context_exceeded' || said === 'usage_limit') return said;
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'rate_limited';
  if (status === 529 || status === 503) return 'overloaded';
  if (status >= 400) return 'api_error';
  return said ?? 'api_error';
}
