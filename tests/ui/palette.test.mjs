// Does the command palette find and do everything with keys alone?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });
const entries = (page) =>
  page.getByTestId('palette-entry').evaluateAll((all) => all.map((entry) => entry.getAttribute('data-entry')));

async function open(page, typed = '') {
  await page.keyboard.press('Control+k');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'palette-input');
  await page.keyboard.type(typed);
}

test('a few letters find a session, Enter opens it, and the keyboard is where one types', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await open(page, 'flky tst');
  assert.equal((await entries(page))[0], 'session-s-broken', 'letters that are left out do not matter');
  await page.keyboard.press('Enter');
  await page.locator('[data-session=s-broken][aria-current=true]').waitFor();
  await page.getByTestId('palette').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'composer-input');
});

test('actions are done from it, and each shows its keys', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await open(page, 'inspector');
  const first = page.getByTestId('palette-entry').first();
  assert.match((await first.textContent()) ?? '', /Show the inspector.*Ctrl\s*I/);
  await page.keyboard.press('Escape');
  await page.getByTestId('palette').waitFor({ state: 'detached' });
  await open(page, 'doctor');
  await page.keyboard.press('Enter');
  await page.getByTestId('doctor').waitFor();
  await page.keyboard.press('Control+n');
  await page.getByTestId('doctor').waitFor({ state: 'detached' });
});

test('it offers what the open session can do, and only that', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await open(page, 'allow');
  assert.ok(!(await entries(page)).includes('answer-allow'), 'no session is open');
  await page.keyboard.press('Escape');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await open(page, 'allow rm');
  assert.equal((await entries(page))[0], 'answer-allow');
  await page.keyboard.press('Enter');
  await page.getByText('Allowed', { exact: true }).waitFor();
});

test('every action that it shows has a name, and every shortcut is one action alone', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await open(page);
  const shown = await page.getByTestId('palette-entry').evaluateAll((all) =>
    all.map((entry) => ({
      title: entry.querySelector('.title')?.textContent,
      keys: [...entry.querySelectorAll('kbd')].map((key) => key.textContent).join(' '),
    })),
  );
  const keys = shown.map((entry) => entry.keys).filter((words) => words !== '');
  assert.ok(keys.length >= 10, `${keys.length} shortcuts`);
  assert.equal(new Set(keys).size, keys.length, keys.join(', '));
  for (const { title } of shown) assert.ok(title);
});

test('it opens from the title bar too', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.getByTestId('palette-open').click();
  await page.getByTestId('palette-input').waitFor();
});

test('words that match nothing say so, and arrows go round', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await open(page, 'zzzzq');
  await page.getByText('Nothing is called “zzzzq”.').waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('session');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=palette-entry]').length > 2);
  const all = await entries(page);
  await page.keyboard.press('ArrowUp');
  const chosen = await page.locator('[data-testid=palette-entry][aria-selected=true]').getAttribute('data-entry');
  assert.equal(chosen, all.at(-1));
});

test('folders that had a window are offered', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.evaluate(() => localStorage.setItem('outrigger.workspaces', '["~/src/oars","/srv/lighthouse"]'));
  await open(page, 'light');
  assert.deepEqual(await entries(page), ['workspace-/srv/lighthouse']);
  await page.keyboard.press('Enter');
  await page.getByTestId('palette').waitFor({ state: 'detached' });
  await page.waitForFunction(() => window.replayed.folders.join() === '/srv/lighthouse');
});

for (const colorScheme of ['light', 'dark'])
  test(`it is accessible in ${colorScheme}`, async (t) => {
    const page = await browser.scene(t, 'replay=states', { colorScheme, reducedMotion: 'reduce' });
    await page.locator('[data-session=s-ask]').click();
    await page.getByTestId('permission-allow').waitFor();
    await open(page);
    await picture(page, `palette-${colorScheme}`);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.type('se');
    await picture(page, `palette-typed-${colorScheme}`);
    assert.deepEqual(await violations(page), []);
  });
