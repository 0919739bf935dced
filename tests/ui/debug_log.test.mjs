// Is the debug log of all processes one view: filtered, followed, read back to its beginning, exported?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

async function log(t, query = 'replay=states') {
  const page = await browser.scene(t, query);
  await page.keyboard.press('Alt+g');
  return page;
}

const all = (page, field) =>
  page
    .getByTestId('log-line')
    .evaluateAll((lines, name) => [...new Set(lines.map((line) => line.dataset[name]))], field);

test('it is filtered by level, source and words', async (t) => {
  const page = await log(t);
  await page.getByTestId('log-line').first().waitFor();
  await page.getByTestId('log-level').click();
  await page.getByRole('option', { name: 'Warnings and errors' }).click();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-testid=log-line]')].every((line) =>
      ['warn', 'error'].includes(line.dataset.level),
    ),
  );
  await page.getByTestId('log-source-keeper').click();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-testid=log-line]')].every((line) => line.dataset.source === 'keeper'),
  );
  assert.deepEqual(await all(page, 'level'), ['warn']);
  await page.getByTestId('log-source-sidecar').click();
  await page.getByTestId('log-source-keeper').click();
  await page.getByTestId('log-empty').waitFor();
  await page.getByRole('button', { name: 'Show all lines' }).click();
  await page.getByTestId('log-text').fill('OVERLOADED');
  await page.waitForFunction(() => {
    const lines = [...document.querySelectorAll('[data-testid=log-line]')];
    return lines.length > 0 && lines.every((line) => line.dataset.level === 'error');
  });
});

test('a line unfolds to all of its words and narrows to its session', async (t) => {
  const page = await log(t);
  await page.getByTestId('log-text').fill('overloaded');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-testid=log-line]')].every((line) => line.dataset.level === 'error'),
  );
  await page.getByTestId('log-follow').click();
  await page.getByTestId('log-line').last().locator('button').first().click();
  await page.getByText('outrigger_keeper::launch').waitFor();
  await page.getByRole('button', { name: 'Only this session' }).click();
  await page.getByTestId('log-line').first().waitFor();
});

test('an error leads to the lines of its session', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-broken]').click();
  await page.getByTestId('error-log').click();
  await page.getByTestId('debug-log').waitFor();
  assert.equal(await page.getByTestId('log-session').getAttribute('data-value'), 's-broken');
  await page.getByTestId('log-empty').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('error-log').waitFor();
  await page.keyboard.press('Alt+g');
  await page.getByTestId('log-line').first().waitFor();
});

test('it follows what is written, and stops when told to', async (t) => {
  const page = await log(t);
  await page.getByTestId('log-line').first().waitFor();
  const shown = async () =>
    Number(/^(\d+) lines/.exec((await page.getByTestId('debug-log').locator('footer').textContent()) ?? '')?.[1]);
  const before = await shown();
  await page.waitForFunction(
    (count) =>
      Number(/^(\d+)/.exec(document.querySelector('[data-testid=debug-log] footer')?.textContent ?? '')?.[1]) > count,
    before,
  );
  await page.getByTestId('log-follow').click();
  assert.equal(await page.getByTestId('log-follow').getAttribute('aria-pressed'), 'false');
});

test('older lines are shown on demand, down to the first', async (t) => {
  const page = await log(t);
  await page.getByTestId('log-line').first().waitFor();
  await page.getByTestId('log-follow').click();
  await page.getByTestId('log-lines').focus();
  await page.keyboard.press('Home');
  await page.getByTestId('log-older').click();
  await page
    .getByTestId('debug-log')
    .getByText(/^6\d\d lines shown/)
    .waitFor();
  await page.getByTestId('log-lines').focus();
  await page.keyboard.press('Home');
  await page.getByTestId('log-older').waitFor({ state: 'detached' });
});

test('an export says where it is and how much it holds', async (t) => {
  const page = await log(t);
  await page.getByTestId('log-line').first().waitFor();
  await page.getByTestId('log-export').click();
  await page
    .getByTestId('log-exported')
    .getByText(/lines written to ~\/Documents\/outrigger-debug-log-\d{4}/)
    .waitFor();
});

test('a log without lines says what will stand there', async (t) => {
  const page = await log(t, 'replay=states&log=empty');
  await page.getByTestId('log-empty').getByText('Nothing has been logged yet').waitFor();
});
