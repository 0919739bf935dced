// Is trouble told in full, with one way on: health, retries, failures, notices, interruptions, a queue that waits, processes?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, transcript } from './page.mjs';

const browser = await openBrowser({ after });
const SCENE = 'replay=troubles&speed=4';

/** @param {import('node:test').TestContext} t @param {string} session */
async function opened(t, session) {
  const page = await browser.scene(t, SCENE);
  await page.locator(`[data-session=${session}]`).click();
  await page.getByTestId('composer-input').waitFor();
  return page;
}

test('each verdict has a word of its own, and its reasons are shown on hover and focus', async (t) => {
  const page = await browser.scene(t, SCENE);
  const words = {
    quiet: 'Quiet',
    stalled: 'Stalled',
    degraded: 'Provider degraded',
    authFailed: 'Sign-in refused',
    gone: 'Gone',
    unknown: 'Health unknown',
  };
  for (const [verdict, word] of Object.entries(words)) {
    await page.locator(`[data-session=t-${verdict}]`).click();
    const mark = page.getByTestId('health').filter({ hasText: word });
    await mark.waitFor();
    await counted(mark.locator('svg'), 1);
  }
  // The list tells it too, without opening the session.
  const listed = (session) => page.locator(`[data-session=${session}]`).getByTestId('row-trouble').textContent();
  assert.equal(await listed('t-stalled'), 'Stalled');
  assert.equal(await listed('t-retry'), 'Retry 2 of 3');
  assert.equal(await listed('t-int'), 'Interrupted');
  assert.equal(await page.locator('[data-session=t-queue]').getByTestId('row-trouble').count(), 0);
  await page.locator('[data-session=t-stalled]').click();
  await page.getByTestId('doubt').getByText('Stalled: No output for 4 m 10 s.').waitFor();
  await page.getByTestId('health').filter({ hasText: 'Stalled' }).hover();
  await page.getByTestId('health-reasons').getByText('used no CPU').waitFor();
  await page.getByTestId('inspector-toggle').click();
  await page.getByTestId('inspector').getByText('No output for 4 m 10 s.').waitFor();
  await page.locator('[data-session=t-rate]').click();
  await page.getByTestId('error-item').waitFor();
  assert.equal(await page.getByTestId('health').count(), 0);
});

test('a retry counts down and can be called off', async (t) => {
  const page = await opened(t, 't-retry');
  const activity = page.getByTestId('activity');
  await activity.getByText('Provider overloaded. Trying again (2 of 3) in 7 s').waitFor();
  await activity.getByText('in 5 s').waitFor();
  assert.equal(await page.getByTestId('error-resume').count(), 0, 'there is one offer');
  await page.getByTestId('retry-stop').click();
  await activity.getByText('Trying again').waitFor({ state: 'detached' });
});

test('a session that is not being recorded says so for as long as it is so', async (t) => {
  const page = await opened(t, 't-unrecorded');
  await page.getByTestId('not-recording').getByText('No space left on device.').waitFor();
});

test('a killed agent: the signal, what it printed, one offer', async (t) => {
  const page = await opened(t, 't-killed');
  const error = page.getByTestId('error-item');
  await error.getByText('Killed', { exact: true }).waitFor();
  assert.match((await page.getByTestId('error-facts').textContent()) ?? '', /Ended by SIGKILL · Trying again may help/);
  assert.equal(await error.getByText('Reached heap limit').count(), 0);
  await page.getByTestId('error-tail').click();
  await error.getByText('Reached heap limit').waitFor();
  await counted(page.getByTestId('transcript').getByRole('button', { name: 'Resume' }), 1);
  await page.getByTestId('error-resume').click();
  assert.equal(await page.getByTestId('composer-input').inputValue(), 'Continue where you left off.');
});

test('a crash in mid-turn: the exit code, all of its last words, one offer', async (t) => {
  const page = await opened(t, 't-crashed');
  await page.getByTestId('error-facts').getByText('Exit code 101').waitFor();
  await page.getByTestId('error-tail').click();
  const words = (await page.getByTestId('error-item').locator('pre').innerText()).trimEnd().split('\n');
  assert.equal(words.length, 24);
  assert.equal(words.at(-1), '    at frame_22 (file:///opt/agent/bundle.mjs:122:13)');
  assert.equal(
    await page
      .getByTestId('transcript')
      .getByRole('button', { name: /Resume|Try again/ })
      .count(),
    1,
  );
  await page
    .getByTestId('transcript')
    .getByText('Still running after the session ended: node scripts/serve.mjs')
    .waitFor();
});

test('what was resumed can be read, and that something was not', async (t) => {
  const page = await opened(t, 't-resumed');
  await page.getByTestId('notice').first().waitFor();
  const rows = await transcript(page);
  const openings = rows.filter((row) => row.kind === 'opened').map((row) => row.text.split('Claude Code')[0]?.trim());
  assert.deepEqual(openings, ['Session opened', 'Resumed conversation 7c0f2a52', 'New conversation']);
  assert.ok(rows.some((row) => row.text.includes('the agent knows nothing of what stands above')));
  assert.equal(await page.getByTestId('transcript').getByRole('button', { name: 'Resume' }).count(), 0);
});

test('in a narrow window the inspector can be closed, and titles and trouble stay readable', async (t) => {
  const page = await browser.scene(t, SCENE, { viewport: { width: 800, height: 600 } });
  await page.locator('[data-session=t-int]').click();
  await page.getByTestId('interrupted').waitFor();
  assert.ok(await page.locator('h1').evaluate((title) => title.scrollWidth <= title.clientWidth), 'the title is whole');
  await page.getByTestId('inspector-toggle').click();
  await page.getByTestId('inspector-close').click();
  await page.getByTestId('inspector').waitFor({ state: 'detached' });
});

test('damage in a journal is told with its places', async (t) => {
  const page = await opened(t, 't-damaged');
  const damage = page.getByTestId('damage');
  await damage.getByText("2 lines of this session's journal could not be read.").waitFor();
  assert.equal(await damage.locator('li').count(), 0);
  await page.getByTestId('damage-where').click();
  await damage.getByText('line 108: not UTF-8').waitFor();
});

test('failures say what to do', async (t) => {
  const page = await opened(t, 't-auth');
  await page.getByTestId('error-advice').getByText('/login').waitFor();
  await page.locator('[data-session=t-exit]').click();
  await page.getByTestId('error-facts').getByText('Exit code 3').waitFor();
  await page.locator('[data-session=t-forgotten]').click();
  await page.getByTestId('error-advice').getByText('begins a new one').waitFor();
  await page.getByTestId('error-prompt').click();
  assert.equal(await page.getByTestId('composer-input').inputValue(), '');
  assert.ok(await page.getByTestId('composer-input').evaluate((field) => field === document.activeElement));
  await page.locator('[data-session=t-rate]').click();
  await page.getByTestId('error-resume').getByText('Try again').waitFor();
});

test('notices have a sign and words', async (t) => {
  const page = await opened(t, 't-notices');
  await page.getByTestId('notice').first().waitFor();
  const rows = await transcript(page);
  const said = rows.map((row) => row.text).join('\n');
  for (const words of [
    'The session broke off',
    'Last record was incomplete.',
    'Records are missing.',
    'held open.',
    'Not resumed.',
  ])
    assert.ok(said.includes(words), words);
  assert.ok(rows.at(-1)?.text.includes('tried again'));
});

test('looking at an interrupted session starts nothing; a prompt resumes it', async (t) => {
  const page = await opened(t, 't-int-new');
  await page.getByTestId('interrupted').getByText('begins a new one').waitFor();
  await page.locator('[data-session=t-int]').click();
  const banner = page.getByTestId('interrupted');
  await banner.getByText('7c0f2a52').waitFor();
  const field = page.getByTestId('composer-input');
  assert.equal(await field.getAttribute('placeholder'), 'Resume this session…');
  await page.getByTestId('interrupted-resume').click();
  const row = page.locator('[data-session=t-int]');
  assert.equal(await row.getAttribute('data-state'), 'interrupted');
  assert.deepEqual(await page.evaluate(() => window.replayed?.prompts), []);
  await field.press('Enter');
  await banner.waitFor({ state: 'detached' });
  assert.notEqual(await row.getAttribute('data-state'), 'interrupted');
});

test('after an interrupt the queue waits, and goes on when it is told to', async (t) => {
  const page = await opened(t, 't-queue');
  await page.getByTestId('queued-prompt').nth(1).waitFor();
  assert.equal(await page.getByTestId('queue-go-on').count(), 0);
  await page.getByTestId('composer-stop').click();
  await page.getByTestId('queue-go-on').click();
  const second = page.locator('[data-kind=userMessage]').getByText('Second, read the changelog.');
  await second.waitFor();
  await page.getByTestId('queued-prompt').getByText('Third, write a summary.').waitFor();
  await counted(page.getByTestId('queued-prompt'), 1);
  await counted(second, 1);
});

test('the processes of a session: a tree with its owner, sums and ages', async (t) => {
  const page = await opened(t, 't-stalled');
  await page.getByTestId('inspector-toggle').click();
  await page.getByRole('tab', { name: 'Processes' }).click();
  const owner = page.getByTestId('process-owner');
  await owner.getByText('Is it stalled?').waitFor();
  await owner.getByText('6 processes · 523.4 MB').waitFor();
  const purposes = await page.getByTestId('process').evaluateAll((rows) => rows.map((row) => row.dataset.purpose));
  assert.deepEqual(purposes, ['keeper', 'runner', 'cli', 'tool', 'tool', 'tool']);
  const used = await owner.textContent();
  await page.waitForFunction(
    (before) => document.querySelector('[data-testid=process-owner]')?.textContent !== before,
    used,
  );
  const command = page.getByTestId('process').nth(4).locator('.command');
  assert.match((await command.getAttribute('title')) ?? '', /reach_is_short$/);
  assert.ok(await command.evaluate((part) => part.clientWidth > 200), 'the command has the width of the view');
  // The last one was let go by who started it.
  await counted(page.getByTestId('process').getByText('detached'), 1);
  await page.locator('[data-session=t-killed]').click();
  await page.getByTestId('inspector').getByText('Nothing runs for this session.').waitFor();
});
