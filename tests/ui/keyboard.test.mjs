// Can everything be done without a mouse, and does the focus show where it is?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser } from './page.mjs';

const browser = await openBrowser({ after });
const focused = (page) =>
  page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.tagName);

test('a session from start to end with keys alone', async (t) => {
  const page = await browser.scene(t, 'replay=demo&speed=4');
  assert.equal(await focused(page), 'composer-input', 'one can type at once');
  await page.keyboard.type('What is here?');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('Second line');
  await page.keyboard.press('Enter');
  await page.getByTestId('permission-allow').waitFor();
  await page.keyboard.press('Alt+y');
  await page.getByTestId('turn-end').waitFor();
  assert.deepEqual(await page.evaluate(() => window.replayed.opened), []);
  await page.keyboard.type('Again');
  await page.keyboard.press('Enter');
  await page.getByTestId('composer-stop').waitFor();
  await page.keyboard.press('Control+.');
  await page.locator('[data-reason=interrupted]').waitFor();
  await page.keyboard.press('Control+n');
  await page.getByRole('heading', { name: 'What should be done in oars?' }).waitFor();
  await page.keyboard.press('Alt+ArrowDown');
  await page.getByTestId('transcript').waitFor();
});

test('keys move between sessions and panes', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.keyboard.press('Alt+ArrowDown');
  await page.locator('[data-session=s-ask][aria-current=true]').waitFor();
  await page.keyboard.press('Alt+ArrowDown');
  // Its composer takes the focus when it is there.
  await page.getByLabel('Session: Port the parser to the new lexer').locator('textarea:focus').waitFor();
  await page.locator('[data-session=s-parent][aria-current=true]').focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-session') === 's-done');
  await page.keyboard.press('Control+i');
  await page.getByTestId('inspector').waitFor();
  await page.getByRole('tab', { name: 'Details' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText('claude --output-format').waitFor();
  await page.keyboard.press('Control+b');
  await page.getByTestId('session-row').first().waitFor({ state: 'detached' });
});

test('every stop of the Tab key has a name and can be seen', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await page.locator('[data-session=s-ask]').focus();
  const seen = [];
  for (let n = 0; n < 40; n++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const style = getComputedStyle(element);
      const box = element.closest('.box') ? getComputedStyle(element.closest('.box')).boxShadow : 'none';
      const name =
        element.getAttribute('aria-label') || element.textContent?.trim() || element.getAttribute('placeholder') || '';
      return { name, shown: style.outlineStyle !== 'none' || box !== 'none', tag: element.outerHTML.slice(0, 120) };
    });
    if (stop === null) break;
    seen.push(stop);
  }
  assert.ok(seen.length > 15, `${seen.length} stops`);
  for (const stop of seen) {
    assert.notEqual(stop.name, '', `a name: ${stop.tag}`);
    assert.ok(stop.shown, `a visible focus: ${stop.tag}`);
  }
});

test('a stream is no live region; the status line is', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  assert.equal(await page.getByTestId('transcript').getAttribute('aria-live'), 'off');
  await counted(page.locator('[aria-live=polite]'), 1);
});
