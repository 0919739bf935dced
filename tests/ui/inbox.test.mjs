// Are all requests of all sessions in one place, answered there by keys alone, and never answered by being put off or closed?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });
const cards = (page) => page.getByTestId('inbox-request');
const state = (page, session) => page.locator(`[data-session=${session}]`).getAttribute('data-state');

test('the title bar counts the requests; the panel shows the oldest first, who asks, and what would happen', async (t) => {
  const page = await browser.scene(t, 'replay=waiting');
  await page.getByTestId('inbox-open').getByText('3').waitFor();
  await page.keyboard.press('Alt+i');
  await cards(page).nth(2).waitFor();
  const texts = await cards(page).evaluateAll((all) => all.map((card) => card.textContent.replace(/\s+/g, ' ')));
  assert.match(texts[0], /Explain the build.*42 m.*doc\.example\.org/);
  assert.match(texts[1], /Port the parser to the new lexer\s*›\s*Write property tests for the lexer.*7 m.*proptest/);
  assert.match(texts[2], /rm -rf target && cargo test.*in ~\/src\/oars/);
});

test('keys alone: allow one, deny one with a word, put one off, which answers nothing', async (t) => {
  const page = await browser.scene(t, 'replay=waiting&speed=4');
  await page.getByTestId('inbox-open').getByText('3').waitFor();
  await page.keyboard.press('Alt+i');
  await cards(page).first().waitFor();
  await page.keyboard.press('Alt+l');
  await page.getByTestId('inbox-open').getByText('2').waitFor();
  assert.equal(await state(page, 's-idle'), 'needsYou', 'not now is no denial: it stays pending');
  await page.keyboard.press('Alt+y');
  await page.locator('[data-session=s-child][data-state=working]').waitFor();
  await page.getByTestId('status-line').getByText('Allowed: Write tests/lexer_properties.rs').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=inbox-request]').length === 1);
  await page.getByTestId('inbox-word').focus();
  await page.keyboard.type('Keep the target folder');
  await page.keyboard.press('Enter');
  await page.getByText('No request waits for you.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('inbox').waitFor({ state: 'detached' });
  assert.equal(await state(page, 's-idle'), 'needsYou', 'closing answers nothing either');
  await page.locator('[data-session=s-ask]').click();
  await page.getByText('“Keep the target folder”').waitFor();
  await page.reload();
  await page.getByTestId('session-row').first().waitFor();
  await page.keyboard.press('Alt+i');
  await page.getByRole('button', { name: 'Not now 1' }).click();
  await page.getByTestId('inbox-later').getByText('Ask again').click();
  await page.getByTestId('inbox-open').getByText('1').waitFor();
});

test('Enter opens the session that asks', async (t) => {
  const page = await browser.scene(t, 'replay=waiting');
  await page.getByTestId('inbox-open').getByText('3').waitFor();
  await page.keyboard.press('Alt+i');
  await cards(page).nth(2).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('[data-session=s-child][aria-current=true]').waitFor();
  assert.equal(await page.getByTestId('inbox').count(), 0);
});

test('a request that was answered elsewhere is told, and stays readable', async (t) => {
  const page = await browser.scene(t, 'replay=waiting');
  await page.getByTestId('inbox-open').getByText('3').waitFor();
  await page.evaluate(() => (window.replayed.refuses = true));
  await page.keyboard.press('Alt+i');
  await cards(page).first().waitFor();
  await page.keyboard.press('Alt+n');
  await page.getByText('This request has been answered already.').waitFor();
  await counted(cards(page), 3);
});

for (const colorScheme of ['light', 'dark'])
  test(`it is accessible in ${colorScheme}`, async (t) => {
    const page = await browser.scene(t, 'replay=waiting', { colorScheme, reducedMotion: 'reduce' });
    await page.getByTestId('inbox-open').getByText('3').waitFor();
    await page.keyboard.press('Alt+i');
    await cards(page).nth(2).waitFor();
    await picture(page, `inbox-${colorScheme}`);
    assert.deepEqual(await violations(page), []);
  });
