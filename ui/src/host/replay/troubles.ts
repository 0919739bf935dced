// What may go wrong in a session? One session for each trouble: health, retries, failures, interruptions, a queue that waits.

import type { FailureClass } from '../../protocol/FailureClass';
import type { Health } from '../../protocol/Health';
import type { ItemBody } from '../../protocol/ItemBody';
import type { PodStatus } from '../../protocol/PodStatus';
import type { Retry } from '../../protocol/Retry';
import {
  ended,
  idle,
  minutesAgo,
  session,
  standing,
  summary,
  working,
  type Scene,
  type SceneSession,
} from './scene_parts';

/** How long the replayed retry waits, in milliseconds. */
const RETRY_IN = 9000;

const asked = (text: string): ItemBody => ({ type: 'userMessage', text, delivery: 'prompt', from: null });
const notice = (level: 'info' | 'warning' | 'error', code: string, text: string): ItemBody => ({
  type: 'notice',
  level,
  code,
  text,
});

function failure(
  failed: FailureClass,
  code: string,
  message: string,
  more: Partial<Extract<ItemBody, { type: 'error' }>> = {},
): ItemBody {
  const retryable = ['rateLimited', 'overloaded', 'network'].includes(failed);
  return {
    type: 'error',
    code,
    message,
    retryable,
    class: failed,
    exitCode: null,
    signal: null,
    stderrTail: [],
    ...more,
  };
}

const turnFailed: ItemBody = { type: 'turnEnd', stopReason: 'error', usage: null, durationMs: 3100 };

function health(verdict: Health['verdict'], minutes: number, reasons: string[]): SceneSession {
  const made = session(summary(`t-${verdict}`, `Is it ${verdict}?`, minutes, working(minutes + 1)), [
    ...standing([asked('Run the whole suite.')], minutesAgo(minutes + 1)),
  ]);
  if (made.summary.liveness.type === 'live') made.summary.liveness.health = verdict;
  return changed(made, { health: { verdict, reasons, since: minutesAgo(minutes) } });
}

function changed(made: SceneSession, change: Partial<PodStatus>): SceneSession {
  if (made.status) made.status = { ...made.status, ...change };
  return made;
}

function healths(): SceneSession[] {
  return [
    health('quiet', 1, ['No output for 48 s.', 'The tool Bash has been running for 48 s.']),
    health('stalled', 4, [
      'No output for 4 m 10 s.',
      'No tool runs, no request waits, and its context is not being made smaller.',
      'Its processes used no CPU and read and wrote nothing.',
    ]),
    health('degraded', 3, ['The provider failed 6 times in 5 min, lastly with status 529.']),
    health('authFailed', 2, ['The provider refused the credentials: 401 at 14:02.']),
    health('gone', 1, ['Process 4110 is gone (by its number and start time).']),
    health('unknown', 1, ['The process table could not be read: permission denied.']),
  ];
}

function retrying(): SceneSession {
  const made = session(
    summary('t-retry', 'Wait for a busy provider', 1, working(1)),
    standing(
      [
        asked('Write the release notes.'),
        failure('overloaded', 'overloaded', 'The provider answered: 529 overloaded.'),
        turnFailed,
        notice('info', 'retrying', 'Trying again in 9 s (attempt 2 of 3).'),
      ],
      minutesAgo(1),
    ),
  );
  const at = new Date(Date.now() + RETRY_IN).toISOString();
  const retry: Retry = { attempt: 2, of: 3, at, class: 'overloaded', by: 'outrigger' };
  if (made.summary.liveness.type === 'live') made.summary.liveness.retry = retry;
  return changed(made, { retry });
}

function killed(): SceneSession {
  return session(
    summary('t-killed', 'Bisect the leak', 20, ended('failed', 20)),
    standing(
      [
        asked('Find the leak.'),
        failure('killed', 'cli_killed', 'Claude Code was ended while it answered.', {
          signal: 'SIGKILL',
          retryable: true,
          stderrTail: ['FATAL ERROR: Reached heap limit', ' 1: 0xb7a940 node::Abort()', 'Killed'],
        }),
        turnFailed,
        { type: 'ended', outcome: 'failed', survivors: [] },
      ],
      minutesAgo(20),
    ),
  );
}

function failed(id: string, title: string, error: ItemBody): SceneSession {
  return session(summary(id, title, 30, idle), standing([asked(title), error, turnFailed], minutesAgo(30)));
}

function failures(): SceneSession[] {
  return [
    killed(),
    failed('t-auth', 'Say hello', failure('auth', 'auth', 'Invalid API key · Please run /login')),
    failed('t-exit', 'Start the agent', {
      ...failure('noOutput', 'no_output', 'Codex ended before it said a word.'),
      exitCode: 3,
    } as ItemBody),
    failed(
      't-forgotten',
      'Go on with the parser',
      failure('conversationUnknown', 'conversation_unknown', 'No conversation found with session ID: 7c0f2a52.'),
    ),
    failed('t-rate', 'Count the tests', failure('rateLimited', 'rate_limited', 'Too many requests (429).')),
  ];
}

function noticed(): SceneSession {
  return session(
    summary('t-notices', 'What the keeper has to say', 40, idle),
    standing(
      [
        notice(
          'warning',
          'keeper_killed',
          'The session broke off: the process that kept it was ended from outside. It had left 2 processes running, which were ended: npm run dev (pid 4711), node scripts/serve.mjs --port 4173 (pid 4712). The next prompt resumes the conversation.',
        ),
        notice(
          'warning',
          'torn_tail',
          "The journal's last line had been torn by a crash; its 132 bytes were cut off. Everything before is whole.",
        ),
        notice(
          'error',
          'records_missing',
          '4 records before this one could not be written and are not in the journal.',
        ),
        notice(
          'warning',
          'leaked_pipe',
          'A process that the agent started still holds its output open: sleep (pid 4711).',
        ),
        notice(
          'warning',
          'not_resumed',
          'Claude Code no longer knows the conversation 7c0f2a52-9d1c-4f6e-8f0e-2b7d3f1c9a10, so it could not be resumed. This is a new conversation: the agent knows nothing of what stands above.',
        ),
        notice(
          'info',
          'leftovers_ended',
          "The agent's program is gone; what it had left running was ended: sleep 613 (pid 4720), sleep 614 (pid 4721).",
        ),
        notice('info', 'retrying', 'Trying again in 4 s (attempt 1 of 3).'),
        { type: 'userMessage', text: 'Count the tests', delivery: 'retry', from: null },
      ],
      minutesAgo(40),
    ),
  );
}

function unrecorded(): SceneSession {
  const made = session(
    summary('t-unrecorded', 'A disk without room', 2, working(2)),
    standing([asked('Go on.')], minutesAgo(2)),
  );
  return changed(made, { recording: { type: 'off', reason: 'No space left on device.' } });
}

function queued(): SceneSession {
  const made = session(
    summary('t-queue', 'Three things in a row', 2, working(2)),
    standing([asked('First, read the README.')], minutesAgo(2)),
  );
  if (made.summary.liveness.type === 'live') made.summary.liveness.queued = 2;
  return changed(made, {
    queue: [
      { promptId: 'q1', text: 'Second, read the changelog.' },
      { promptId: 'q2', text: 'Third, write a summary.' },
    ],
  });
}

/** Sessions that were cut off: with an id of the agent's own, and without one. */
function interrupted(): SceneSession[] {
  const words = standing(
    [asked('Upgrade the dependencies.'), { type: 'agentMessage', text: 'I begin with the lock file.', open: false }],
    minutesAgo(90),
  );
  return [
    session(summary('t-int', 'Upgrade dependencies', 90, { type: 'interrupted' }), words),
    session(
      summary('t-int-new', 'Cut off at once', 95, { type: 'interrupted' }, { nativeSessionId: null }),
      standing([asked('Hello?')], minutesAgo(95)),
    ),
  ];
}

const openedAgain = (resumes: string | null): ItemBody => ({
  type: 'opened',
  provider: 'claude',
  model: 'sonnet-5',
  cwd: '~/src/oars',
  resumes,
  nativeSessionId: resumes ?? '91b3c3de-52aa-4d0e-9f7a-7d2a7f3b1c55',
  cliVersion: '2.1.214',
});

/** One that was cut off and resumed, and then could not be resumed again. */
function resumed(): SceneSession {
  const conversation = '7c0f2a52-9d1c-4f6e-8f0e-2b7d3f1c9a10';
  return session(
    summary('t-resumed', 'Resumed, and begun anew', 50, idle),
    standing(
      [
        openedAgain(null),
        asked('Upgrade the dependencies.'),
        { type: 'agentMessage', text: 'I begin with the lock file.', open: false },
        notice(
          'warning',
          'keeper_killed',
          'The session broke off: the process that kept it was ended from outside. Nothing of it was still running. The next prompt resumes the conversation.',
        ),
        { type: 'ended', outcome: 'interrupted', survivors: [] },
        openedAgain(conversation),
        asked('Continue where you left off.'),
        { type: 'agentMessage', text: 'I had read the lock file; now I upgrade.', open: false },
        { type: 'ended', outcome: 'stopped', survivors: [] },
        openedAgain(null),
        notice(
          'warning',
          'not_resumed',
          `Claude Code no longer knows the conversation ${conversation}, so it could not be resumed. This is a new conversation: the agent knows nothing of what stands above.`,
        ),
        asked('And the changelog?'),
      ],
      minutesAgo(50),
    ),
  );
}

/** One whose journal has lines that nobody understands. */
function damaged(): SceneSession {
  const journal = '~/.local/share/outrigger/sessions/01922f3e/journal.ndjson';
  const made = session(
    summary('t-damaged', 'A journal with holes', 45, idle),
    standing([asked('Sort the imports.')], minutesAgo(45)),
  );
  made.damage = [
    `${journal}, line 41: expected value at line 1 column 1`,
    `${journal}, line 108: not UTF-8: invalid utf-8 sequence of 1 bytes from index 17`,
  ];
  return made;
}

/** A program that broke off with much on stderr. */
function crashed(): SceneSession {
  const lines = Array.from({ length: 23 }, (_, n) => `    at frame_${n} (file:///opt/agent/bundle.mjs:${n + 100}:13)`);
  const error = failure('unknown', 'runner_crashed', 'The runner of Claude Code ended in the middle of the turn.', {
    exitCode: 101,
    retryable: true,
    stderrTail: ["TypeError: Cannot read properties of undefined (reading 'usage')", ...lines],
  });
  const end: ItemBody = { type: 'ended', outcome: 'failed', survivors: ['node scripts/serve.mjs (pid 4711)'] };
  return session(
    summary('t-crashed', 'Profile the parser', 25, ended('failed', 25)),
    standing([asked('Profile the parser.'), error, turnFailed, end], minutesAgo(25)),
  );
}

/** All of them. */
export function troubles(): Scene {
  return {
    found: true,
    sessions: [
      ...healths(),
      retrying(),
      ...failures(),
      crashed(),
      noticed(),
      damaged(),
      resumed(),
      unrecorded(),
      queued(),
      ...interrupted(),
    ],
  };
}
