// Can two or four sessions stand side by side, by drag and by keys, and are they there again after a reload?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });
const titles = (page) =>
  page.getByTestId('pane').evaluateAll((all) => all.map((pane) => pane.querySelector('h1')?.textContent ?? ''));
const activePane = (page) =>
  page.getByTestId('pane').evaluateAll((all) => all.findIndex((pane) => pane.getAttribute('data-active') === 'true'));

async function drag(page, session, zone, pane) {
  const row = page.locator(`[data-session=${session}]`);
  const from = await row.boundingBox();
  await page.mouse.move(from.x + 60, from.y + 12);
  await page.mouse.down();
  await page.mouse.move(from.x + 90, from.y + 30, { steps: 3 });
  const target = page.getByTestId('pane').nth(pane).getByTestId(`drop-${zone}`);
  await target.waitFor();
  const to = await target.boundingBox();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
}

test('a session is dragged beside another one, and into its place', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await drag(page, 's-parent', 'beside', 0);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=pane] h1').length === 2);
  assert.deepEqual(await titles(page), [
    'Rename the crate and everything that names it',
    'Port the parser to the new lexer',
  ]);
  await drag(page, 's-idle', 'here', 0);
  await page.getByTestId('pane').nth(0).getByRole('heading', { name: 'Explain the build' }).waitFor();
  await counted(page.getByTestId('pane'), 2);
  assert.equal(await activePane(page), 0, 'the pane that it was dropped on is the one in use');
});

test('panes are made, gone between and closed by keys; keys mean the one in use', async (t) => {
  const page = await browser.scene(t, 'replay=states&speed=4');
  await page.locator('[data-session=s-idle]').click();
  await page.getByRole('heading', { name: 'Explain the build' }).waitFor();
  await page.keyboard.press('Control+\\');
  await page.getByTestId('permission-allow').waitFor();
  assert.equal(await activePane(page), 1, 'the most urgent session that was not on the screen');
  await page.keyboard.press('Control+1');
  await page.waitForFunction(() => document.activeElement?.closest('[data-active=true]') !== null);
  await page.keyboard.press('Alt+y');
  await counted(page.getByTestId('permission-allow'), 1);
  await page.keyboard.press('Control+2');
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid=pane]')[1].contains(document.activeElement),
    undefined,
  );
  await page.keyboard.press('Alt+y');
  await page.getByText('Allowed', { exact: true }).waitFor();
  await page.keyboard.press('Control+\\');
  await page.keyboard.press('Control+\\');
  await counted(page.getByTestId('pane'), 4);
  await page.keyboard.press('Control+\\');
  await counted(page.getByTestId('pane'), 4);
  await page.keyboard.press('Alt+w');
  await page.keyboard.press('Alt+w');
  await counted(page.getByTestId('pane'), 2);
});

test('Ctrl Enter opens beside, in the list and in the palette; a session is never there twice', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  // A session that opens takes the keyboard.
  await page.getByTestId('transcript').waitFor();
  await page.locator('[data-session=s-idle]').focus();
  await page.keyboard.press('Control+Enter');
  await page.getByTestId('pane').nth(1).getByRole('heading', { name: 'Explain the build' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('typo');
  await page.keyboard.press('Control+Enter');
  await page.getByTestId('pane').nth(2).getByRole('heading', { name: 'Fix the typo' }).waitFor();
  await page.locator('[data-session=s-ask]').click();
  assert.equal(await activePane(page), 0, 'one that is on the screen is gone to');
  await counted(page.getByTestId('pane'), 3);
});

test('both panes stream, and both are there after a reload', async (t) => {
  const page = await browser.scene(t, 'replay=demo&speed=4');
  for (const words of ['First', 'Second']) {
    await page.getByTestId('composer-input').last().fill(words);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: words }).waitFor();
    if (words === 'First') await page.keyboard.press('Control+\\');
  }
  const panes = page.getByTestId('pane');
  await panes.nth(0).getByTestId('permission-allow').waitFor();
  await panes.nth(1).getByTestId('permission-allow').waitFor();
  await panes.nth(0).click({ position: { x: 300, y: 20 } });
  await page.reload();
  await panes.nth(1).getByTestId('permission-allow').waitFor();
  assert.deepEqual(await titles(page), ['First', 'Second']);
  assert.equal(await activePane(page), 0);
});

for (const colorScheme of ['light', 'dark'])
  test(`four panes are accessible in ${colorScheme}`, async (t) => {
    const options = { colorScheme, reducedMotion: 'reduce', viewport: { width: 1600, height: 1000 } };
    const page = await browser.scene(t, 'replay=states', options);
    await page.locator('[data-session=s-ask]').click();
    for (let n = 0; n < 3; n++) await page.keyboard.press('Control+\\');
    await page.getByTestId('permission-allow').waitFor();
    await counted(page.getByTestId('pane'), 4);
    await picture(page, `panes-${colorScheme}`);
    assert.deepEqual(await violations(page), []);
  });
